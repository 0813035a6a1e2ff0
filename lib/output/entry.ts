/** What can be told, as data. */
import type { CheckResult, CheckStatus } from '../model/check.ts';
import type { Step as StepName } from '../model/contract.ts';
import type { Failure } from '../model/host-report.ts';
import type { Table } from './table.ts';

/** A step that has ended. */
export interface Step {
  readonly kind: 'step';
  readonly host: string;
  readonly name: StepName;
  readonly milliseconds: number;
  readonly ok: boolean;
}

/** What became of one of several hosts. */
interface Became {
  readonly kind: 'host';
  readonly host: string;
  readonly ok: boolean;
  readonly milliseconds: number;
  readonly text: string;
}

/** A host that did not get what it should. */
export interface Failed {
  readonly kind: 'failure';
  readonly host: string;
  readonly failure: Failure;
  /** What became of it, in a few words. */
  readonly became?: string;
  /** What is left to do by hand. */
  readonly todo?: readonly string[] | undefined;
  /** The steps that were not told as they ended. */
  readonly steps?: readonly Step[];
}

/** Something that the operator can mend here, or a bug. */
export interface Problem {
  readonly kind: 'problem';
  readonly message: string;
  readonly advice: string;
}

/** What is under way: on a terminal one line that vanishes, elsewhere nothing. */
export type Progress =
  /** Work on these hosts begins; of several, steps are told only where one fails. */
  | { readonly kind: 'hosts'; readonly hosts: readonly string[] }
  | { readonly kind: 'begin'; readonly host: string; readonly name: string }
  | { readonly kind: 'over'; readonly host: string }
  | { readonly kind: 'asking' | 'answered'; readonly check: string };

/** One thing worth telling. */
export type Entry =
  | Progress
  | Step
  | Became
  | Failed
  | Problem
  | { readonly kind: 'title'; readonly text: string }
  /** What is told of one of several hosts begins with its name. */
  | { readonly kind: 'note' | 'warning'; readonly text: string; readonly host?: string }
  | { readonly kind: 'file'; readonly text: string }
  | { readonly kind: 'text' | 'detail'; readonly text: string }
  | { readonly kind: 'point'; readonly status: CheckStatus; readonly text: string }
  | { readonly kind: 'table'; readonly table: Table }
  | { readonly kind: 'check'; readonly result: CheckResult }
  | { readonly kind: 'diff'; readonly text: string }
  | { readonly kind: 'summary'; readonly ok: boolean; readonly text: string };

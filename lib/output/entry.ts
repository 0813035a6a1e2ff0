/** Everything that can be reported, as data. */
import type { CheckResult, CheckStatus } from '../model/check.ts';
import type { Step as StepName } from '../model/contract.ts';
import type { Failure } from '../model/host-report.ts';
import type { Table } from './table.ts';

/** A finished step. */
export interface Step {
  readonly kind: 'step';
  readonly host: string;
  readonly name: StepName;
  readonly milliseconds: number;
  readonly ok: boolean;
}

interface HostOutcome extends Pick<Step, 'host' | 'ok' | 'milliseconds'> {
  readonly kind: 'host';
  readonly text: string;
}

/** A host on which the run failed. */
export interface Failed {
  readonly kind: 'failure';
  readonly host: string;
  readonly failure: Failure;
  /** Its outcome, in a few words. */
  readonly became?: string;
  /** Manual recovery steps. */
  readonly todo?: readonly string[] | undefined;
  /** Steps that were not reported when they finished. */
  readonly steps?: readonly Step[];
}

/** A problem that the operator can fix, or a bug. */
export interface Problem {
  readonly kind: 'problem';
  readonly message: string;
  readonly advice: string;
}

/** Work in progress: a temporary line on a terminal, nothing elsewhere. */
export type Progress =
  /** Work on these hosts starts; with several hosts, steps are reported only for failures. */
  | { readonly kind: 'hosts'; readonly hosts: readonly string[] }
  | { readonly kind: 'begin'; readonly host: string; readonly name: string }
  | { readonly kind: 'over'; readonly host: string }
  | { readonly kind: 'asking' | 'answered'; readonly check: string };

/** One entry of the report. */
export type Entry =
  | Progress
  | Step
  | HostOutcome
  | Failed
  | Problem
  | { readonly kind: 'title'; readonly text: string }
  /** With several hosts, the text is prefixed with the name of the host. */
  | { readonly kind: 'note' | 'warning'; readonly text: string; readonly host?: string }
  | { readonly kind: 'file'; readonly text: string }
  | { readonly kind: 'text' | 'detail'; readonly text: string }
  | { readonly kind: 'point'; readonly status: CheckStatus; readonly text: string }
  | { readonly kind: 'table'; readonly table: Table }
  | { readonly kind: 'check'; readonly result: CheckResult }
  | { readonly kind: 'diff'; readonly text: string }
  | { readonly kind: 'summary'; readonly ok: boolean; readonly text: string };

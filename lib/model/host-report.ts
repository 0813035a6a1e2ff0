/** The result of one run on one host. Reports are values: protocol.ts reads one, the functions here derive others. */
import type { CheckResult } from './check.ts';
import type { Fact, FailureCode, RowKind, Step } from './contract.ts';

export const OUTCOMES = [
  'applied',
  'unchanged',
  'planned',
  'rolled-back',
  'refused',
  'failed',
  'unknown',
] as const;
export type OutcomeName = (typeof OUTCOMES)[number];

/** A failure as the program reported it. `code` names the step or the kind of failure (lib/diagnosis/diagnose.ts). */
export interface Failure {
  readonly code: FailureCode;
  readonly text: string;
  /** A fix that only the failing code knows (SSH, paths on the host). */
  readonly advice?: string;
  /** Cause and fix, added by lib/diagnosis/diagnose.ts. */
  readonly cause?: string;
  readonly fix?: string;
}

/** The failure under the names that --json uses: `means` for the cause, `next` for the fix. */
export function failureAsJson({ cause, fix, ...rest }: Failure): Readonly<Record<string, string>> {
  return {
    ...rest,
    ...(fix !== undefined && { next: fix }),
    ...(cause !== undefined && { means: cause }),
  };
}

/** A problem on a host although the run itself succeeded. */
export interface Fault {
  /** Its subject, in one or two words. */
  readonly about: string;
  /** The problem, its cause, and the fix. */
  readonly text: string;
}

interface FileReport {
  readonly path: string;
  readonly changed: boolean;
  readonly isRemoved?: true;
}

interface FileDiff {
  readonly path: string;
  readonly diff: string;
}

/** Milliseconds by step. */
export type Times = Partial<Record<Step, number>>;

/** One host's report of one run. */
export interface HostReport {
  readonly host: string;
  readonly outcome: OutcomeName;
  /** The release created by this run. */
  readonly release?: string;
  /** The latest release before this run. */
  readonly before?: string;
  readonly failure?: Failure;
  /** Set if the rollback failed: the manual recovery steps. */
  readonly todo?: readonly string[];
  /** The client that received the generated token; set only on a first deploy. */
  readonly generated?: string;
  readonly files: readonly FileReport[];
  readonly drift: readonly { readonly path: string; readonly how: string }[];
  readonly notes: readonly string[];
  readonly facts: Readonly<Partial<Record<Fact, string>>>;
  /** The requested rows, by kind (clients, releases). */
  readonly rows: Readonly<Partial<Record<RowKind, readonly (readonly string[])[]>>>;
  /** The certificate on the host with its chain, as PEM. */
  readonly certificate?: string;
  /** Checks of this proxy alone, when each proxy is checked individually. */
  readonly checks?: readonly CheckResult[];
  /** What needs attention; if anything does, the exit status is 3. */
  readonly attention?: readonly Fault[];
  /** The text in the summary, if the outcome alone is not enough. */
  readonly meaning?: string;
  /** In a plan: file contents before and after, by path. */
  readonly texts: ReadonlyMap<string, { readonly before: string; readonly after: string }>;
  /** In a dry run: the changes of each file, as unified text. */
  readonly diff?: readonly FileDiff[];
  /** Of those on the proxy by its own clock, in steps of 10. */
  readonly milliseconds: Readonly<Times>;
}

/** The same, deeply writable. */
type Writable<T> =
  T extends ReadonlyMap<infer K, infer V>
    ? Map<K, Writable<V>>
    : T extends object
      ? { -readonly [K in keyof T]: Writable<T[K]> }
      : T;

/** A report that is being read from a program's records (lib/remote/protocol.ts, the only place that writes into one). */
export type HostReportDraft = Writable<Omit<HostReport, 'checks' | 'attention'>>;

/** An empty report, `failed` until the program reports another outcome. */
export function newReport(host: string): HostReportDraft {
  return {
    host,
    outcome: 'failed',
    files: [],
    drift: [],
    notes: [],
    facts: {},
    rows: {},
    texts: new Map(),
    milliseconds: {},
  };
}

const DONE = new Set(['applied', 'unchanged', 'planned']);

/** The code of a proxy that was skipped because the canary was not healthy. */
export const NOT_TRIED = 'not-tried' satisfies FailureCode;

/** Whether the run succeeded on this host. */
export const isDone = ({ outcome }: HostReport): boolean => DONE.has(outcome);

/** Whether the run succeeded, with no failed check and nothing that needs attention. */
export const isWell = (report: HostReport): boolean =>
  isDone(report) && areWell(report.checks) && !report.attention?.length;

/** Whether no check failed. */
export const areWell = (checks: readonly CheckResult[] = []): boolean => checks.every(({ ok }) => ok);

/** Whether the change may be live on this host; after a lost connection, this is unknown. */
export const mayBeLive = ({ outcome }: HostReport): boolean =>
  outcome === 'applied' || outcome === 'unchanged' || outcome === 'unknown';

/** The report with a failure that was detected on this machine. */
export const failedReport = (
  report: HostReport,
  failure: Failure,
  outcome: OutcomeName = 'failed',
): HostReport => ({ ...report, outcome, failure });

/** The part of the summary that goes beyond the outcome. */
export type Verdict = Pick<HostReport, 'meaning' | 'attention'>;

/** The report with its verdict: the only place that sets `meaning` and `attention`. */
export const withVerdict = (report: HostReport, verdict: Verdict): HostReport => ({ ...report, ...verdict });

/** Both reports as one; a failure of the later one is the failure of both. */
export function mergeReports(before: HostReport, then: HostReport): HostReport {
  // Only a program that carries files creates a release.
  const { release, ...rest } = then;
  const made = then.files.length > 0 && release ? release : before.release;
  return {
    ...before,
    ...rest,
    ...(made && { release: made }),
    outcome: isFine(then) && before.outcome === 'applied' ? 'applied' : then.outcome,
    files: joinedFiles(before, then),
    drift: [...before.drift, ...then.drift],
    notes: [...before.notes, ...then.notes],
    rows: { ...before.rows, ...then.rows },
    facts: { ...before.facts, ...then.facts },
    texts: new Map([...before.texts, ...then.texts]),
    milliseconds: added(before.milliseconds, then.milliseconds),
  };
}

const isFine = ({ outcome }: HostReport): boolean => outcome === 'unchanged' || outcome === 'planned';

function joinedFiles(before: HostReport, then: HostReport): HostReport['files'] {
  const changed = new Map<string, boolean>();
  for (const file of [...before.files, ...then.files])
    changed.set(file.path, changed.get(file.path) === true || file.changed);
  return [...changed].map(([path, isChanged]) => ({ path, changed: isChanged }));
}

function added(a: Times, b: Times): Times {
  const sum = { ...a };
  for (const step of Object.keys(b) as Step[]) sum[step] = (sum[step] ?? 0) + (b[step] ?? 0);
  return sum;
}

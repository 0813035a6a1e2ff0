/** What happened on one host during one run. Reports are values: protocol.ts reads one, the functions here make others of it. */
import type { CheckResult } from './check.ts';

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

/** A failure in the words of the program that met it. `code` says at which point (lib/diagnosis/diagnose.ts). */
export interface Failure {
  readonly code: string;
  readonly text: string;
  /** What to do next, where the one who failed knows best (SSH, paths on the host). */
  readonly advice?: string;
  /** What it means and what to do next, once that was looked up (lib/diagnosis/diagnose.ts). */
  readonly means?: string;
  readonly next?: string;
}

/** Something wrong on a host although the run did what it was asked to. */
export interface Fault {
  /** What it is about, in a word or two. */
  readonly about: string;
  /** What is wrong, what it means, what to do. */
  readonly text: string;
}

interface FileReport {
  readonly path: string;
  readonly changed: boolean;
}

/** One host's report of one run. */
export interface HostReport {
  readonly host: string;
  readonly outcome: OutcomeName;
  /** The release that this run made. */
  readonly release?: string;
  /** The last release before this run. */
  readonly before?: string;
  readonly failure?: Failure;
  /** Set when the rollback failed: the steps to do by hand. */
  readonly todo?: readonly string[];
  /** The client that got the candidate token: only a first deploy has one. */
  readonly generated?: string;
  readonly files: readonly FileReport[];
  readonly drift: readonly { readonly path: string; readonly how: string }[];
  readonly notes: readonly string[];
  readonly facts: Readonly<Record<string, string>>;
  /** Requested rows by their kind (clients, releases). */
  readonly rows: Readonly<Record<string, readonly (readonly string[])[]>>;
  /** The certificate on the host with its chain, as PEM. */
  readonly certificate?: string;
  /** Results of the checks made on this host alone. */
  readonly checks?: readonly CheckResult[];
  /** What needs attention; with any, the exit status is 3. */
  readonly attention?: readonly Fault[];
  /** The summary's words, where the outcome alone does not say it. */
  readonly meaning?: string;
  /** Texts before and after, by path, in a plan. */
  readonly texts: ReadonlyMap<string, { readonly before: string; readonly after: string }>;
  /** Duration of each phase. */
  readonly milliseconds: Readonly<Record<string, number>>;
}

/** The same, writable all the way down. */
type Writable<T> =
  T extends ReadonlyMap<infer K, infer V>
    ? Map<K, Writable<V>>
    : T extends object
      ? { -readonly [K in keyof T]: Writable<T[K]> }
      : T;

/** A report that is being read from a program's records (lib/remote/protocol.ts, the only place that writes into one). */
export type HostReportDraft = Writable<Omit<HostReport, 'checks' | 'attention'>>;

/** An empty report, `failed` until the program says otherwise. */
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
export const NOT_TRIED = 'not-tried';

/** Did the run do on this host what it was asked to? */
export const isDone = ({ outcome }: HostReport): boolean => DONE.has(outcome);

/** Was it done, did no check fail, and does nothing need attention? */
export const isWell = (report: HostReport): boolean =>
  isDone(report) && areWell(report.checks) && !report.attention?.length;

/** Did no check fail? */
export const areWell = (checks: readonly CheckResult[] = []): boolean => checks.every(({ ok }) => ok);

/** May it be live on this host? A lost connection leaves that open. */
export const mayBeLive = ({ outcome }: HostReport): boolean =>
  outcome === 'applied' || outcome === 'unchanged' || outcome === 'unknown';

/** The report with a failure that was found from here. */
export const failedReport = (
  report: HostReport,
  failure: Failure,
  outcome: OutcomeName = 'failed',
): HostReport => ({ ...report, outcome, failure });

/** What the outcome alone does not say. */
export type Verdict = Pick<HostReport, 'meaning' | 'attention'>;

/** The report with its verdict: the only place that sets `meaning` and `attention`. */
export const withVerdict = (report: HostReport, verdict: Verdict): HostReport => ({ ...report, ...verdict });

/** What both runs did, as one report; what failed last has failed. */
export function mergeReports(before: HostReport, then: HostReport): HostReport {
  // Only what carries files made a release.
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

function added(a: HostReport['milliseconds'], b: HostReport['milliseconds']): HostReport['milliseconds'] {
  const sum = { ...a };
  for (const [phase, time] of Object.entries(b)) sum[phase] = (sum[phase] ?? 0) + time;
  return sum;
}

/** A host, or the public name, with its check results. */
export interface VerifiedHost {
  readonly report: HostReport;
  /** What was checked, and over which path. */
  readonly title: string;
  readonly checks: readonly CheckResult[];
}

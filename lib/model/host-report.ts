/** What became of a host: one host's account of one run. */
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

/** A failure in the words of the program that met it. `code` says at which point (lib/diagnosis/diagnose.ts). */
export interface Failure {
  readonly code: FailureCode;
  readonly text: string;
  /** What to do next, where the one who failed knows best (SSH, paths on the host). */
  readonly advice?: string;
  /** What it means and what to do next, once that was looked up (lib/diagnosis/diagnose.ts). */
  readonly means?: string;
  readonly next?: string;
}

/** What is wrong on a host although the run did there what it was asked to. */
export interface Fault {
  /** What it is about, in a word or two. */
  readonly about: string;
  /** What is wrong, what it means, what to do. */
  readonly text: string;
}

export interface FileReport {
  readonly path: string;
  readonly changed: boolean;
}

/** Milliseconds by step. */
export type Times = Partial<Record<Step, number>>;

/** One host's account of one run. */
export interface HostReport {
  readonly host: string;
  outcome: OutcomeName;
  /** The release that this run made. */
  release?: string;
  /** The last release that was there before. */
  before?: string;
  failure?: Failure;
  /** Set when putting things back failed: the steps to do by hand. */
  todo?: string[];
  /** The client that got the candidate token: only a first deploy has one. */
  generated?: string;
  readonly files: FileReport[];
  readonly drift: { path: string; how: string }[];
  readonly notes: string[];
  readonly facts: Partial<Record<Fact, string>>;
  /** Rows of what was asked for, by the kind of row (clients, releases). */
  readonly rows: Partial<Record<RowKind, string[][]>>;
  /** The certificate on the host with its chain, as PEM. */
  certificate?: string;
  /** What its own services answered, where each proxy is asked by itself. */
  checks?: readonly CheckResult[];
  /** What needs attention there; with any, the exit status is 3. */
  attention?: readonly Fault[];
  /** What the summary says of it, where the outcome alone does not tell. */
  meaning?: string;
  /** Texts before and after, by path, in a plan. */
  readonly texts: Map<string, { before: string; after: string }>;
  /** Time of each step; of those on the proxy by its own clock, in steps of 10. */
  readonly milliseconds: Times;
}

/** An empty account, `failed` until the program says otherwise. */
export function newReport(host: string): HostReport {
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

/** The code of a proxy that was left alone, since all was not well on the first one. */
export const NOT_TRIED = 'not-tried' satisfies FailureCode;

/** Did the run do on this host what it was asked to? */
export const isDone = ({ outcome }: HostReport): boolean => DONE.has(outcome);

/** Was it done, did no check fail, and does nothing need attention? */
export const isWell = (host: HostReport): boolean =>
  isDone(host) && areWell(host.checks) && !host.attention?.length;

/** Did no check fail? */
export const areWell = (checks: readonly CheckResult[] = []): boolean => checks.every(({ ok }) => ok);

/** May it be live on this host? A lost connection leaves that open. */
export const mayBeLive = ({ outcome }: HostReport): boolean =>
  outcome === 'applied' || outcome === 'unchanged' || outcome === 'unknown';

/** What both did, as one account; what failed last has failed. */
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

function added(a: Times, b: Times): Times {
  const sum = { ...a };
  for (const step of Object.keys(b) as Step[]) sum[step] = (sum[step] ?? 0) + (b[step] ?? 0);
  return sum;
}

/** A host, or the public name, with what its checks found. */
export interface VerifiedHost {
  readonly report: HostReport;
  /** What was asked, and by which way. */
  readonly title: string;
  readonly checks: readonly CheckResult[];
}

/** The report of one host about one run. */
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

/** A failure as the program reported it. `code` names the step or the kind of failure (lib/diagnosis/diagnose.ts). */
export interface Failure {
  readonly code: string;
  readonly text: string;
  /** A fix that only the code that failed can give (SSH, paths on the host). */
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

/** A problem on a host where the run itself succeeded. */
export interface Fault {
  /** Its subject, in a word or two. */
  readonly about: string;
  /** What is wrong, its cause, the fix. */
  readonly text: string;
}

export interface FileReport {
  readonly path: string;
  readonly changed: boolean;
}

/** One host's report about one run. */
export interface HostReport {
  readonly host: string;
  outcome: OutcomeName;
  /** The release created by this run. */
  release?: string;
  /** The latest release before this run. */
  before?: string;
  failure?: Failure;
  /** Set when the rollback failed: the manual recovery steps. */
  todo?: string[];
  /** The client that received the generated token; set only on a first deploy. */
  generated?: string;
  readonly files: FileReport[];
  readonly drift: { path: string; how: string }[];
  readonly notes: string[];
  readonly facts: Record<string, string>;
  /** The requested rows, by kind (clients, releases). */
  readonly rows: Record<string, string[][]>;
  /** The certificate on the host with its chain, as PEM. */
  certificate?: string;
  /** Checks sent to this proxy itself, when each proxy is checked individually. */
  checks?: readonly CheckResult[];
  /** What needs attention there; if anything does, the exit status is 3. */
  attention?: readonly Fault[];
  /** The summary text, where the outcome alone is not enough. */
  meaning?: string;
  /** In a plan: file contents before and after, by path. */
  readonly texts: Map<string, { before: string; after: string }>;
  /** Duration of each phase. */
  readonly milliseconds: Record<string, number>;
}

/** An empty report, `failed` until the program reports another outcome. */
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

/** The failure code of a proxy that was skipped because the first one was not healthy. */
export const NOT_TRIED = 'not-tried';

/** Did the run succeed on this host? */
export const isDone = ({ outcome }: HostReport): boolean => DONE.has(outcome);

/** Did the run succeed, with no failed check and nothing that needs attention? */
export const isWell = (host: HostReport): boolean =>
  isDone(host) && areWell(host.checks) && !host.attention?.length;

/** Did all checks pass, warn or get skipped? */
export const areWell = (checks: readonly CheckResult[] = []): boolean => checks.every(({ ok }) => ok);

/** Can the change be live on this host? After a lost connection that is unknown. */
export const mayBeLive = ({ outcome }: HostReport): boolean =>
  outcome === 'applied' || outcome === 'unchanged' || outcome === 'unknown';

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

function added(a: Record<string, number>, b: Record<string, number>): Record<string, number> {
  const sum = { ...a };
  for (const [phase, time] of Object.entries(b)) sum[phase] = (sum[phase] ?? 0) + time;
  return sum;
}

/** A host, or the public name, with its check results. */
export interface VerifiedHost {
  readonly report: HostReport;
  /** What was checked, and by which connection. */
  readonly title: string;
  readonly checks: readonly CheckResult[];
}

/** What a remote program told, record by record -> what became of a host. */
import type { CheckResult } from './checks.ts';

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

/** A failure in the words of the program that met it. `code` says at which point (lib/explain.ts). */
export interface Failure {
  readonly code: string;
  readonly text: string;
  /** What to do next, where the one who failed knows best (SSH). */
  readonly advice?: string;
}

export interface FileReport {
  readonly path: string;
  readonly changed: boolean;
}

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
  readonly facts: Record<string, string>;
  /** Rows of what was asked for, by the kind of row (clients, releases). */
  readonly rows: Record<string, string[][]>;
  /** The certificate on the host with its chain, as PEM. */
  certificate?: string;
  /** What its own services answered, where each proxy is asked by itself. */
  checks?: readonly CheckResult[];
  /** What the summary says of it, where the outcome alone does not tell. */
  meaning?: string;
  /** Texts before and after, by path, in a plan. */
  readonly texts: Map<string, { before: string; after: string }>;
  /** Time of each phase. */
  readonly milliseconds: Record<string, number>;
}

export type RemoteEvent =
  | { readonly kind: 'begin'; readonly name: string }
  /** A step has ended. */
  | { readonly kind: 'step'; readonly name: string; readonly milliseconds: number; readonly ok: boolean }
  | { readonly kind: 'note'; readonly text: string };

export interface RecordReader {
  /** Takes one line of the program's output; lines of others (banners) are passed over. */
  readonly line: (line: string) => void;
  /** The program's last word, once it was said. */
  readonly verdict: () => string | undefined;
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

/** Reads the records of run `id` into `report`, and tells `onEvent` as they come. */
export function readRecords(
  id: string,
  report: HostReport,
  onEvent: (event: RemoteEvent) => void = () => {},
): RecordReader {
  let verdict: string | undefined;
  let ended = false;
  const clock = phases(report.milliseconds, onEvent);
  const take = ([kind = '', ...fields]: readonly string[]): void => {
    const [first = ''] = fields;
    if (kind === 'step') clock.begin(first);
    if (kind === 'error' || kind === 'outcome') clock.end(kind === 'outcome');
    if (kind === 'note') onEvent({ kind, text: first });
    if (kind === 'outcome') verdict = first;
    if (kind === 'end') ended = true;
    if (kind === 'past') NOTED[first]?.(report, fields.slice(1));
    else NOTED[kind]?.(report, fields);
  };
  const line = (text: string) => {
    const [tag, ...fields] = text.split('\t');
    if (tag === `@${id}`) take(fields);
  };
  return { line, verdict: () => (ended ? verdict : undefined) };
}

/** Times the phases: `begin` ends the one before, `end` says how it ended. */
function phases(milliseconds: Record<string, number>, onEvent: (event: RemoteEvent) => void) {
  let current: { name: string; since: number } | undefined;
  const end = (ok: boolean) => {
    if (!current) return;
    const took = Math.round(performance.now() - current.since);
    milliseconds[current.name] = took;
    onEvent({ kind: 'step', name: current.name, milliseconds: took, ok });
    current = undefined;
  };
  const begin = (name: string) => {
    end(true);
    current = { name, since: performance.now() };
    onEvent({ kind: 'begin', name });
  };
  return { begin, end };
}

/** What each kind of record adds to the account. */
const NOTED: Readonly<Record<string, (report: HostReport, fields: readonly string[]) => void>> = {
  fact: (report, [name = '', value = '']) => {
    report.facts[name] = value;
  },
  file: (report, [path = '', state]) => report.files.push({ path, changed: state !== 'same' }),
  release: (report, [id = '']) => {
    report.before = id;
  },
  drift: (report, [path = '', how = '']) => report.drift.push({ path, how }),
  note: (report, [text = '']) => report.notes.push(text),
  error: (report, [code = '']) => {
    report.failure = { code, text: '' };
  },
  text: (report, fields) => {
    const { code, text } = report.failure ?? { code: '', text: '' };
    report.failure = { code, text: text + (text && '\n') + fields.join('\t') };
  },
  todo: (report, fields) => {
    report.todo = [...(report.todo ?? []), fields.join('\t')];
  },
  row: (report, [kind = '', ...fields]) => {
    report.rows[kind] = [...(report.rows[kind] ?? []), fields];
  },
  generated: (report, [client = '']) => {
    report.generated = client;
  },
  certificate: (report, [line = '']) => {
    report.certificate = line === 'new' ? '' : `${report.certificate ?? ''}${line}\n`;
  },
  before: (report, [path = '', ...line]) => addLine(report, path, 'before', line.join('\t')),
  after: (report, [path = '', ...line]) => addLine(report, path, 'after', line.join('\t')),
  outcome: (report, [name = '', release = '']) => conclude(report, name, release),
};

function addLine(report: HostReport, path: string, side: 'before' | 'after', line: string): void {
  const texts = report.texts.get(path) ?? { before: '', after: '' };
  report.texts.set(path, { ...texts, [side]: `${texts[side]}${line}\n` });
}

/** Verdicts of the question itself, `asked` and `cancelled`, say nothing of the run that was asked about. */
function conclude(report: HostReport, name: string, release: string): void {
  if (name === 'asked' || name === 'cancelled') return;
  report.outcome = OUTCOMES.find((known) => known === name) ?? 'failed';
  if (name === 'applied') report.release = release;
  else delete report.generated;
  if (name === 'restore-failed') report.todo ??= [];
}

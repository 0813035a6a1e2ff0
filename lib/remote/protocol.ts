/** What a remote program tells, record by record, read into a host's account. */
import { type HostReportDraft, OUTCOMES } from '../model/host-report.ts';

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

/** Reads the records of run `id` into `report`, and tells `onEvent` as they come. */
export function readRecords(
  id: string,
  report: HostReportDraft,
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
    if (kind === 'past') NOTED.get(first)?.(report, fields.slice(1));
    else NOTED.get(kind)?.(report, fields);
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

type Note = (report: HostReportDraft, fields: readonly string[]) => void;

/** What each kind of record adds to the account. */
const NOTES: Readonly<Record<string, Note>> = {
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
  advice: (report, [advice = '']) => {
    if (report.failure) report.failure = { ...report.failure, advice };
  },
  todo: (report, fields) => {
    report.todo ??= [];
    report.todo.push(fields.join('\t'));
  },
  row: (report, [kind = '', ...fields]) => {
    if (!Object.hasOwn(report.rows, kind)) report.rows[kind] = [];
    report.rows[kind]?.push(fields);
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
// A map, since the words are the proxy's: an object has a `constructor`, too.
const NOTED: ReadonlyMap<string, Note> = new Map(Object.entries(NOTES));

function addLine(report: HostReportDraft, path: string, side: 'before' | 'after', line: string): void {
  const texts = report.texts.get(path) ?? { before: '', after: '' };
  report.texts.set(path, { ...texts, [side]: `${texts[side]}${line}\n` });
}

/** Verdicts of the question itself, `asked` and `cancelled`, say nothing of the run that was asked about. */
function conclude(report: HostReportDraft, name: string, release: string): void {
  if (name === 'asked' || name === 'cancelled') return;
  report.outcome = OUTCOMES.find((known) => known === name) ?? 'failed';
  if (name === 'applied') report.release = release;
  else delete report.generated;
  if (name === 'restore-failed') report.todo ??= [];
}

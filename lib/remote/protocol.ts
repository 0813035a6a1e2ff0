/** What a remote program reports, record by record, read into the report of its host. */
import { FACTS, failureCode, known, ROW_KINDS, STEPS, type Step } from '../model/contract.ts';
import { type HostReportDraft, OUTCOMES, type Times } from '../model/host-report.ts';

export type RemoteEvent =
  | { readonly kind: 'begin'; readonly name: Step }
  /** A step has ended. */
  | { readonly kind: 'step'; readonly name: Step; readonly milliseconds: number; readonly ok: boolean }
  | { readonly kind: 'note'; readonly text: string };

/** Limits of the output of a proxy, since a hostile or broken one may print without end. */
const BOUNDS = {
  /** Characters of a line; the rest is dropped. */
  line: 16_384,
  /** Records of a run: enough for 10,000 clients, or a plan of long files. */
  records: 50_000,
  /** Rows of a kind, clients excepted, and files. */
  rows: 20_000,
  /** Notes, recovery steps, lines of an error, drifted files, files with a diff. */
  remarks: 500,
} as const;

/**
 * Reads the records of run `id` into `report`, line by line, and calls `onEvent` as they arrive; other lines (banners) are skipped.
 * The verdict is the outcome in the final record, once it has arrived.
 */
export function readRecords(
  id: string,
  report: HostReportDraft,
  onEvent: (event: RemoteEvent) => void = () => {},
): { readonly line: (line: string) => void; readonly verdict: () => string | undefined } {
  let verdict: string | undefined;
  let ended = false;
  const clock = stepClock(report.milliseconds, onEvent);
  const take = ([kind = '', ...fields]: readonly string[]): void => {
    const [first = '', second = '', third = ''] = fields;
    if (kind === 'step') clock.begin(first, second);
    if (kind === 'error') clock.end(false, second);
    if (kind === 'outcome') clock.end(true, third);
    if (kind === 'note' && report.notes.length < BOUNDS.remarks) onEvent({ kind, text: first });
    if (kind === 'outcome') verdict = first;
    if (kind === 'end') ended = true;
    if (kind === 'past') NOTED.get(first)?.(report, fields.slice(1));
    else NOTED.get(kind)?.(report, fields);
  };
  let left: number = BOUNDS.records;
  const line = (text: string) => {
    const [tag, ...fields] = text.slice(0, BOUNDS.line).split('\t');
    if (tag !== `@${id}`) return;
    // The final record still counts.
    left -= 1;
    if (left > 0 || fields[0] === 'outcome' || fields[0] === 'end') take(fields);
  };
  return { line, verdict: () => (ended ? verdict : undefined) };
}

/** A moment in milliseconds, by both clocks; a proxy that has no /proc/uptime gives none. */
const momentOf = (hundredths: string) => ({
  here: performance.now(),
  proxy: /^\d{1,12}$/.test(hundredths) ? Number(hundredths) * 10 : Number.NaN,
});
type Moment = ReturnType<typeof momentOf>;

/** By the proxy's clock, because several records may arrive at once; otherwise by ours. */
function millisecondsBetween(start: Moment, end: Moment): number {
  const onProxy = end.proxy - start.proxy;
  return onProxy >= 0 ? onProxy : Math.round(end.here - start.here);
}

/** Times the steps: `begin` ends the previous one, `end` has its result. */
function stepClock(milliseconds: Times, onEvent: (event: RemoteEvent) => void) {
  let current: { name: Step; since: Moment } | undefined;
  const end = (ok: boolean, uptime: string) => {
    if (!current) return;
    const { name, since } = current;
    const took = millisecondsBetween(since, momentOf(uptime));
    // A step may be taken twice in one run.
    milliseconds[name] = (milliseconds[name] ?? 0) + took;
    onEvent({ kind: 'step', name, milliseconds: took, ok });
    current = undefined;
  };
  let steps = 0;
  const begin = (word: string, uptime: string) => {
    end(true, uptime);
    steps += 1;
    if (steps > BOUNDS.remarks) return;
    if (!Object.hasOwn(STEPS, word)) return;
    const name = word as Step;
    current = { name, since: momentOf(uptime) };
    onEvent({ kind: 'begin', name });
  };
  return { begin, end };
}

type Note = (report: HostReportDraft, fields: readonly string[]) => void;

const nothing = () => {};

function add<T>(list: T[], item: T, most: number = BOUNDS.remarks): void {
  if (list.length < most) list.push(item);
}

/** What each kind of record adds to the report. */
const NOTES = {
  step: nothing,
  past: nothing,
  end: nothing,
  fact: (report, [name = '', value = '']) => {
    const fact = known(FACTS, name);
    if (fact) report.facts[fact] = value;
  },
  file: (report, [path = '', state]) => {
    const isRemoved = state === 'gone' && ({ isRemoved: true } as const);
    add(report.files, { path, changed: state !== 'same', ...isRemoved }, BOUNDS.rows);
  },
  release: (report, [id = '']) => {
    report.before = id;
  },
  drift: (report, [path = '', how = '']) => {
    // The recovery of an earlier run may have reported it already.
    if (!report.drift.some((known) => known.path === path)) add(report.drift, { path, how });
  },
  note: (report, [text = '']) => add(report.notes, text),
  error: (report, [code = '']) => {
    report.failure = { code: failureCode(code), text: '' };
  },
  text: (report, fields) => {
    const { code, text } = report.failure ?? { code: 'unrecognized', text: '' };
    if (text.length > BOUNDS.line) return;
    report.failure = { code, text: text + (text && '\n') + fields.join('\t') };
  },
  advice: (report, [advice = '']) => {
    if (report.failure) report.failure = { ...report.failure, advice };
  },
  todo: (report, fields) => {
    report.todo ??= [];
    add(report.todo, fields.join('\t'));
  },
  row: (report, [word = '', ...fields]) => {
    const kind = known(ROW_KINDS, word);
    if (!kind) return;
    report.rows[kind] ??= [];
    add(report.rows[kind], fields, kind === 'client' ? BOUNDS.records : BOUNDS.rows);
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
} as const satisfies Readonly<Record<string, Note>>;
// A map, because the keys come from the proxy: an object has a `constructor`, too.
export const NOTED: ReadonlyMap<string, Note> = new Map(Object.entries(NOTES));

function addLine(report: HostReportDraft, path: string, side: 'before' | 'after', line: string): void {
  if (!report.texts.has(path) && report.texts.size >= BOUNDS.remarks) return;
  const texts = report.texts.get(path) ?? { before: '', after: '' };
  report.texts.set(path, { ...texts, [side]: `${texts[side]}${line}\n` });
}

/** `asked` and `cancelled` are verdicts of the query itself, not of the run. */
function conclude(report: HostReportDraft, name: string, release: string): void {
  if (name === 'asked' || name === 'cancelled') return;
  report.outcome = OUTCOMES.find((known) => known === name) ?? 'failed';
  if (name === 'applied') report.release = release;
  else delete report.generated;
  if (name === 'restore-failed') report.todo ??= [];
}

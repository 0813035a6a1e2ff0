/** Runs a program on a host and learns its outcome, even if the connection drops. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SESSION } from '../diagnosis/ssh-failures.ts';
import { type Failure, failedReport, type HostReport, newReport } from '../model/host-report.ts';
import type { Program } from '../model/run.ts';
import type { ExecOutcome } from '../ssh/session.ts';
import { type RemoteEvent, readRecords } from './protocol.ts';
import type { ProxyHost } from './target.ts';

// A jump host that restarts is back within seconds; an operator waits no longer.
const RECONNECT_AFTER_MS = [0, 1_000, 4_000];

interface Options {
  /**
   * Makes a program that queries the outcome of `program` and settles what it left unfinished; undefined if `program`
   * changes nothing.
   */
  readonly ask?: (() => Promise<Program>) | undefined;
  readonly onEvent?: (event: RemoteEvent) => void;
}

/** Runs `program`; if its end is not seen, reconnects and queries its outcome. */
export async function transact(
  proxy: ProxyHost,
  program: Program,
  { ask, onEvent = () => {} }: Options,
): Promise<HostReport> {
  const draft = newReport(proxy.host);
  const reader = readRecords(program.id, draft, onEvent);
  const outcome = await proxy.run(program.text, reader.line);
  if (reader.verdict()) return withStderr(draft, outcome);
  if (!outcome.lost && !outcome.stdout.includes(`@${program.id}\t`)) return notStarted(draft, outcome);
  if (!ask || (outcome.lost && !outcome.sent)) return withoutEffect(draft, outcome);
  const why = outcome.lost?.message ?? 'the program was killed';
  onEvent({ kind: 'note', text: `${why}; querying the outcome` });
  return learnOutcome(proxy, draft, { why, ask, onEvent });
}

/** The part of other programs' output that is shown. */
const SHOWN = 8_000;

/** The end of a text, which says what went wrong. */
const tail = (text: string): string => (text.length > SHOWN ? `…${text.slice(-SHOWN)}` : text).trim();

/** Adds stderr where tools report there what could not be written, or if a program failed without a reason. */
function withStderr(report: HostReport, { stderr }: ExecOutcome): HostReport {
  const { failure } = report;
  if ((failure?.code === 'write' || failure?.code === 'restore') && stderr.trim())
    return { ...report, failure: { ...failure, text: `${failure.text}\n${tail(stderr)}` } };
  if (report.outcome !== 'failed' || failure || report.todo) return report;
  return failedReport(report, { code: 'bug', text: tail(stderr) || 'the program ended early' });
}

/** The shell or sudo refused: nothing of the program ran. */
function notStarted(report: HostReport, { stderr, stdout, code }: ExecOutcome): HostReport {
  const text =
    `${tail(stderr)}\n${tail(stdout)}`.trim() || `the login shell exited with status ${code} and no output`;
  return failedReport(report, { code: 'sudo', text }, 'refused');
}

/** Nothing was changed: the program was truncated in transit, or only reads. */
function withoutEffect(report: HostReport, { lost, stderr }: ExecOutcome): HostReport {
  if (!lost) return failedReport(report, { code: 'bug', text: tail(stderr) });
  const { message: text, advice } = lost;
  if (text.includes(SESSION.unfinished.error))
    return failedReport(report, { code: 'unrecognized', text, advice });
  return failedReport(report, { code: 'lost', text });
}

async function learnOutcome(
  proxy: ProxyHost,
  report: HostReport,
  { why, ask, onEvent }: { why: string; ask: () => Promise<Program>; onEvent: (event: RemoteEvent) => void },
): Promise<HostReport> {
  let text = why;
  onEvent({ kind: 'begin', name: 'ask' });
  for (const pause of RECONNECT_AFTER_MS) {
    await sleep(pause);
    try {
      await proxy.reconnect();
      const answer = await askOnce(proxy, await ask(), onEvent);
      if (answer.isKnown)
        return { ...answer.report, milliseconds: { ...report.milliseconds, ...answer.report.milliseconds } };
      text = answer.report.failure?.text ?? text;
    } catch (error) {
      text = (error as Error).message;
    }
  }
  return failedReport(report, { code: 'unknown', text }, 'unknown');
}

/** The recorded outcome of the run, after what it left unfinished is settled; unless it is known, the report may say why. */
async function askOnce(
  proxy: ProxyHost,
  question: Program,
  onEvent: (event: RemoteEvent) => void,
): Promise<{ readonly report: HostReport; readonly isKnown: boolean }> {
  const draft = newReport(proxy.host);
  const reader = readRecords(question.id, draft, onEvent);
  await proxy.run(question.text, reader.line);
  const verdict = reader.verdict();
  if (verdict !== 'cancelled')
    return { report: draft, isKnown: verdict === 'asked' || verdict === 'restore-failed' };
  const failure: Failure = { code: 'lost', text: 'The program was not started, and cannot start anymore.' };
  return { report: failedReport(draft, failure), isKnown: true };
}

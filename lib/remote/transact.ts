/** Runs a program on a host and learns its outcome, also when the connection drops meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Failure, type HostReport, newReport } from '../model/host-report.ts';
import type { Program } from '../model/run.ts';
import type { ExecOutcome } from '../ssh/connection.ts';
import { type RemoteEvent, readRecords } from './protocol.ts';

/** A place where programs run: a host over SSH, or this one. */
export interface Remote {
  readonly host: string;
  /** Runs the text to its end; a lost connection is told in the outcome, not thrown. */
  run(text: string, onLine: (line: string) => void): Promise<ExecOutcome>;
  /** The same place by a new connection. */
  again(): Promise<Remote>;
  close(): void;
}

// A jump host that restarts is back within seconds; an operator waits no longer.
const RECONNECT_AFTER_MS = [0, 1_000, 4_000];

/**
 * Runs `program`, and if its end is not seen asks for its outcome by `ask`, on a new connection.
 * @param ask makes a program that asks what became of `program` and settles what it left; undefined when `program`
 *   changes nothing
 */
export async function transact(
  remote: Remote,
  program: Program,
  ask: (() => Promise<Program>) | undefined,
  onEvent: (event: RemoteEvent) => void,
): Promise<HostReport> {
  const report = newReport(remote.host);
  const reader = readRecords(program.id, report, onEvent);
  const outcome = await remote.run(program.text, reader.line);
  if (reader.verdict()) return withWords(report, outcome);
  if (!outcome.lost && !outcome.stdout.includes(`@${program.id}\t`)) return notStarted(report, outcome);
  if (!ask || (outcome.lost && !outcome.sent)) return withoutEffect(report, outcome);
  onEvent({
    kind: 'note',
    text: `${outcome.lost?.message ?? 'the program was killed'}; asking what became of it`,
  });
  return learn(remote, report, outcome, ask, onEvent);
}

/** What could not be written is told by the tools' words; a program that failed without a reason leaves the shell's. */
function withWords(report: HostReport, { stderr }: ExecOutcome): HostReport {
  const { failure } = report;
  if ((failure?.code === 'write' || failure?.code === 'restore') && stderr.trim())
    return { ...report, failure: { ...failure, text: `${failure.text}\n${stderr.trim()}` } };
  if (report.outcome !== 'failed' || failure || report.todo) return report;
  return { ...report, failure: { code: 'bug', text: stderr.trim() || 'the program ended early' } };
}

/** The shell or sudo said no: not a line of the program ran. */
function notStarted(report: HostReport, { stderr, stdout, code }: ExecOutcome): HostReport {
  const words = `${stderr}\n${stdout}`.trim() || `the login shell ended with status ${code} and said nothing`;
  return { ...report, outcome: 'refused', failure: { code: 'sudo', text: words } };
}

/** Nothing was changed, for the program was not there whole or was not made to change anything. */
function withoutEffect(report: HostReport, { lost, stderr }: ExecOutcome): HostReport {
  const failure: Failure = lost ? { code: 'lost', text: lost.message } : { code: 'bug', text: stderr.trim() };
  return { ...report, outcome: 'failed', failure };
}

async function learn(
  remote: Remote,
  report: HostReport,
  outcome: ExecOutcome,
  ask: () => Promise<Program>,
  onEvent: (event: RemoteEvent) => void,
): Promise<HostReport> {
  let why = outcome.lost?.message ?? 'the program was killed';
  onEvent({ kind: 'begin', name: 'ask' });
  for (const pause of RECONNECT_AFTER_MS) {
    await sleep(pause);
    try {
      const fresh = await remote.again();
      const answer = await askOnce(fresh, await ask(), onEvent).finally(() => fresh.close());
      if (answer.isKnown)
        return { ...answer.report, milliseconds: { ...report.milliseconds, ...answer.report.milliseconds } };
      why = answer.report.failure?.text ?? why;
    } catch (error) {
      why = (error as Error).message;
    }
  }
  return { ...report, outcome: 'unknown', failure: { code: 'unknown', text: why } };
}

interface KnownOutcome {
  readonly report: HostReport;
  /** Does it say what became of the run? Else it says why it cannot, where it does (somebody else holds the lock). */
  readonly isKnown: boolean;
}

/** What the host remembers of the run, once what it left unfinished is settled. */
async function askOnce(
  remote: Remote,
  question: Program,
  onEvent: (event: RemoteEvent) => void,
): Promise<KnownOutcome> {
  const report = newReport(remote.host);
  const reader = readRecords(question.id, report, onEvent);
  await remote.run(question.text, reader.line);
  const verdict = reader.verdict();
  if (verdict !== 'cancelled')
    return { report, isKnown: verdict === 'asked' || verdict === 'restore-failed' };
  const failure: Failure = { code: 'lost', text: 'The program never began, and now it never will.' };
  return { report: { ...report, outcome: 'failed', failure }, isKnown: true };
}

/** The same place, which connects again for the next program after a connection dropped. */
export function reconnecting(remote: Remote): Remote {
  let current = remote;
  let isLost = false;
  const run: Remote['run'] = async (text, onLine) => {
    if (isLost) current = await current.again();
    const outcome = await current.run(text, onLine);
    isLost = outcome.lost !== undefined;
    return outcome;
  };
  const close = () => {
    if (current !== remote) current.close();
  };
  return { host: remote.host, run, again: () => remote.again(), close };
}

/**
 * Runs one command over a shared connection: sends its input, reads its output line by line, and returns its exit
 * status.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SshError } from '../../util/errors.ts';
import { $, type ProcessPromise } from '../../util/shell.ts';
import { collect } from '../channel-output.ts';
import type { ExecOutcome } from '../session.ts';
import { unfinishedError } from '../ssh-errors.ts';
import { LIMITS } from '../timeouts.ts';
import { commandArguments, sharedArguments } from './arguments.ts';
import { refusedCommand } from './failures.ts';
import { type Master, settled } from './master.ts';

/** ssh's exit status for its own failures; a command can return it, too. */
const FAILED = 255;
/** The end of a connection is noticed in two processes. */
const SETTLE_MS = 2_000;

interface Progress {
  stdout: string;
  stderr: string;
  sent: boolean;
}

/**
 * Runs a command without a pty; sends `input`, then end of file.
 * @param onLine called with each complete line of stdout as it arrives
 * @throws SshError if the host refuses to run commands; a lost connection is an outcome, not an error
 */
export async function execShared(
  master: Master,
  command: string,
  input: string,
  onLine: (line: string) => void,
  limitMs: number,
): Promise<ExecOutcome> {
  const gone = master.lost();
  if (gone) return { code: undefined, stdout: '', stderr: '', sent: false, lost: gone };
  const before = master.log().length;
  const running = $({ detached: true, nothrow: true })`LC_ALL=C; export LC_ALL
exec ssh ${[...sharedArguments(master.socket), ...commandArguments(command)]}`;
  const progress: Progress = { stdout: '', stderr: '', sent: false };
  const log = () => master.log().slice(before);
  const { reason, code } = await ending(running, { progress, input, onLine, limitMs, log });
  if (reason) return { ...progress, code: undefined, lost: unfinishedError(master.hop, reason) };
  if (code !== FAILED) return { ...progress, code };
  return await failed(master, progress, log());
}

/** Resolves status 255: the connection was lost, the host refused, a signal, or the command's own status. */
async function failed(master: Master, progress: Progress, log: string): Promise<ExecOutcome> {
  if (/exit-signal/.test(log)) return { ...progress, code: undefined, signal: 'unknown' };
  if (/exit-status/.test(log)) return { ...progress, code: FAILED };
  await Promise.race([master.ended, sleep(SETTLE_MS, undefined, { ref: false })]);
  if (!master.lost()) throw refusedCommand(master.hop, log);
  await settled(master.before);
  return { ...progress, code: undefined, lost: master.lost() as SshError };
}

interface Watch {
  readonly progress: Progress;
  readonly input: string;
  readonly onLine: (line: string) => void;
  readonly limitMs: number;
  /** The shared connection's log since the start of the command. */
  readonly log: () => string;
}

interface Ending {
  readonly code?: number | undefined;
  /** Why waiting ended early. */
  readonly reason?: string;
}

function ending(running: ProcessPromise, { progress, input, onLine, limitMs, log }: Watch): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const stop = () => running.child?.kill();
    const giveUp = (reason: string) => {
      end({ reason });
      stop();
    };
    const timer = setTimeout(() => giveUp(`not finished within ${limitMs / 1000} s`), limitMs);
    const quiet = whenQuiet(running, log, () => end({ code: undefined }));
    const end = (ended: Ending) => {
      clearTimeout(timer);
      clearInterval(quiet);
      resolve(ended);
    };
    const source = { stdout: running.stdout, stderr: running.stderr, close: stop };
    collect(source, progress, { onLine, giveUp, reject });
    running.stdin.end(input, (error?: Error | null) => {
      progress.sent = !error;
    });
    running.then(({ exitCode }) => end({ code: exitCode ?? undefined }), reject);
  });
}

/**
 * A background process of the command may keep the output open: after the exit status, a period of silence ends the
 * wait.
 */
function whenQuiet(running: ProcessPromise, log: () => string, end: () => void): NodeJS.Timeout {
  let lastOutput = performance.now();
  running.stdout.on('data', () => {
    lastOutput = performance.now();
  });
  return setInterval(() => {
    if (!/rtype exit-(status|signal)/.test(log())) lastOutput = performance.now();
    if (performance.now() - lastOutput < LIMITS.drain) return;
    end();
    running.child?.kill();
  }, LIMITS.drain / 5);
}

/** Runs one command over a shared connection: sends its input, reads its output line by line, and returns how it ended. */
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

/** The exit status of ssh for its own failures; a command may have it, too. */
const FAILED = 255;
/** The end of a connection is seen in two processes. */
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
  const said = () => master.log().slice(before);
  const { reason, code } = await ending(running, { progress, input, onLine, limitMs, said });
  if (reason) return { ...progress, code: undefined, lost: unfinishedError(master.hop, reason) };
  if (code !== FAILED) return { ...progress, code };
  return await failed(master, progress, said());
}

/** Status 255: the connection was lost, the host refused, a signal, or the command's own status. */
async function failed(master: Master, progress: Progress, said: string): Promise<ExecOutcome> {
  if (/exit-signal/.test(said)) return { ...progress, code: undefined, signal: 'unknown' };
  if (/exit-status/.test(said)) return { ...progress, code: FAILED };
  await Promise.race([master.ended, sleep(SETTLE_MS, undefined, { ref: false })]);
  if (!master.lost()) throw refusedCommand(master.hop, said);
  await settled(master.before);
  return { ...progress, code: undefined, lost: master.lost() as SshError };
}

interface Watch {
  readonly progress: Progress;
  readonly input: string;
  readonly onLine: (line: string) => void;
  readonly limitMs: number;
  /** What the shared connection logged meanwhile. */
  readonly said: () => string;
}

interface Ending {
  readonly code?: number | undefined;
  /** Why we stopped waiting. */
  readonly reason?: string;
}

function ending(running: ProcessPromise, { progress, input, onLine, limitMs, said }: Watch): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const stop = () => running.child?.kill();
    const giveUp = (reason: string) => {
      end({ reason });
      stop();
    };
    const timer = setTimeout(() => giveUp(`not finished within ${limitMs / 1000} s`), limitMs);
    const quiet = whenQuiet(running, said, () => end({ code: undefined }));
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

/** A background process of the command may keep its output open: after the exit status, a period of silence counts as the end. */
function whenQuiet(running: ProcessPromise, said: () => string, end: () => void): NodeJS.Timeout {
  let last = performance.now();
  running.stdout.on('data', () => {
    last = performance.now();
  });
  return setInterval(() => {
    if (!/rtype exit-(status|signal)/.test(said())) last = performance.now();
    if (performance.now() - last < LIMITS.drain) return;
    end();
    running.child?.kill();
  }, LIMITS.drain / 5);
}

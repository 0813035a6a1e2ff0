/** Runs one command on a hop: sends its input, reads its output line by line, and returns its exit status. */
import type { ClientChannel } from 'ssh2';
import type { SshError } from '../util/errors.ts';
import { collect, type Output } from './channel-output.ts';
import type { Link } from './login.ts';
import type { ExecOutcome } from './session.ts';
import { commandError, unfinishedError } from './ssh-errors.ts';
import { LIMITS } from './timeouts.ts';

interface ExecState extends Output {
  code: number | undefined;
  signal?: string;
  sent: boolean;
}

/**
 * Runs a command without a pty; sends `input`, then end of file.
 * @param onLine called with each complete line of stdout as it arrives
 * @throws SshError if the host refuses to run commands; a lost connection is an outcome, not an error
 */
export function execCommand(
  link: Link,
  command: string,
  input: string,
  onLine: (line: string) => void,
  limitMs: number,
): Promise<ExecOutcome> {
  const progress: ExecState = { code: undefined, stdout: '', stderr: '', sent: false };
  return new Promise<ExecOutcome>((resolve, reject) => {
    const giveUp = (why: string) => end(unfinishedError(link.hop, why));
    const timer = setTimeout(() => giveUp(`not finished within ${limitMs / 1000} s`), limitMs);
    const end = (lost?: SshError) => {
      clearTimeout(timer);
      resolve({ ...progress, ...(lost && { lost }) });
    };
    start(link, command, (error, channel) => {
      if (channel) return follow(channel, { link, progress, input, onLine, end, giveUp, reject });
      const lost = link.lost();
      if (lost) return end(lost);
      clearTimeout(timer);
      reject(commandError(link.hop, error));
    });
  });
}

/** ssh2 throws synchronously if the connection is already known to be lost. */
function start(link: Link, command: string, done: (error?: Error, channel?: ClientChannel) => void): void {
  try {
    link.client.exec(command, done);
  } catch (error) {
    done(error as Error);
  }
}

interface Watch {
  readonly link: Link;
  readonly progress: ExecState;
  readonly input: string;
  readonly onLine: (line: string) => void;
  readonly end: (lost?: SshError) => void;
  readonly giveUp: (why: string) => void;
  readonly reject: (reason: unknown) => void;
}

/** All listeners are attached synchronously: an early exit status may arrive in the same packet. */
function follow(channel: ClientChannel, watch: Watch): void {
  const { progress, link, end } = watch;
  channel.on('error', () => {});
  channel.on('exit', (code: number | null, signal?: string) => {
    if (code === null) progress.signal = signal ?? 'unknown';
    else progress.code = code;
  });
  const drain = endAfterExit(channel, progress, end);
  channel.on('close', () => {
    clearTimeout(drain());
    end(progress.code === undefined && progress.signal === undefined ? link.lost() : undefined);
  });
  collect({ stdout: channel, stderr: channel.stderr, close: () => channel.close() }, watch.progress, watch);
  channel.end(watch.input, (error?: Error | null) => {
    progress.sent = !error;
  });
}

/**
 * A background process of the command may keep the output open: after the exit status, a period of silence ends the
 * wait.
 */
function endAfterExit(
  channel: ClientChannel,
  progress: ExecState,
  end: () => void,
): () => NodeJS.Timeout | undefined {
  let timer: NodeJS.Timeout | undefined;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(end, LIMITS.drain);
  };
  const exited = () => progress.code !== undefined || progress.signal !== undefined;
  channel.on('exit', wait);
  channel.on('data', () => exited() && wait());
  return () => timer;
}

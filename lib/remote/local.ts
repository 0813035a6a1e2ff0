/** This machine as the only target (`--local`): the same program, without SSH. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { SESSION } from '../diagnosis/ssh-failures.ts';
import { COMMAND } from '../program/program.ts';
import { lineSplitter } from '../ssh/channel-output.ts';
import type { ExecOutcome } from '../ssh/session.ts';
import { LIMITS, within } from '../ssh/timeouts.ts';
import { SshError } from '../util/errors.ts';
import { $, type ProcessPromise } from '../util/shell.ts';
import type { Fleet, ProxyHost } from './target.ts';

const LOCALHOST = 'localhost';

/** This machine as the only target, without SSH. */
export const localFleet = (): Fleet => ({
  targets: [{ host: LOCALHOST, hops: [], connect: async () => thisMachine }],
  close: () => {},
});

const thisMachine: ProxyHost = {
  host: LOCALHOST,
  run: runHere,
  reconnect: async () => {},
  open: async (port, address = '127.0.0.1') => {
    const socket = connect({ port, host: address });
    await once(socket, 'connect');
    return socket;
  },
  close: () => {},
};

/**
 * In a session of its own: Ctrl-C here does not stop the program, as over SSH. Nor does the time limit: this process may not be
 * allowed to kill what runs as root.
 */
async function runHere(text: string, onLine: (line: string) => void): Promise<ExecOutcome> {
  const store = { stdout: [], stderr: [], stdall: [] };
  const running = $({ input: text, detached: true, nothrow: true, store })`eval ${COMMAND}`;
  const lines = lineSplitter(onLine);
  const decoder = new StringDecoder('utf8');
  const tooMuch = outputLimit(running);
  // zx's own iterator would hand on a last line that was cut.
  running.stdout.on('data', (data: Buffer) => lines(decoder.write(data)));
  try {
    const ended = within(running, LIMITS.run, endless);
    const { stdout, stderr, exitCode, signal, cause } = await Promise.race([ended, tooMuch]);
    if (cause) throw cause;
    return { stdout, stderr, code: exitCode ?? undefined, sent: true, ...(signal && { signal }) };
  } catch (error) {
    if (!(error instanceof SshError)) throw error;
    leave(running);
    return {
      stdout: '',
      stderr: Buffer.concat(store.stderr).toString(),
      code: undefined,
      sent: true,
      lost: error,
    };
  }
}

function outputLimit({ stdout, stderr }: ProcessPromise): Promise<never> {
  let bytes = 0;
  const limit = new Promise<never>((_, reject) => {
    const count = (data: Buffer) => {
      bytes += data.length;
      if (bytes > LIMITS.output) reject(unfinished(`it printed more than ${LIMITS.output / 1024 / 1024} MB`));
    };
    stdout.on('data', count);
    stderr.on('data', count);
  });
  limit.catch(() => {});
  return limit;
}

/** Stops waiting for it, also at the end of this process. */
function leave({ child }: ProcessPromise): void {
  for (const stream of child?.stdio ?? []) stream?.destroy();
  child?.unref();
}

const endless = (): SshError => unfinished(`not finished within ${LIMITS.run / 1000} s`);

const unfinished = (why: string): SshError =>
  new SshError(LOCALHOST, `${SESSION.unfinished.error}: ${why}`, SESSION.unfinished.fix);

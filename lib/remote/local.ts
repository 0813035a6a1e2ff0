/** This machine as the place where a program runs: no SSH, the same program. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { SESSION } from '../diagnosis/ssh-failures.ts';
import { COMMAND } from '../program/program.ts';
import { lineSplitter } from '../ssh/channel-output.ts';
import type { ExecOutcome } from '../ssh/connection.ts';
import { LIMITS } from '../ssh/timeouts.ts';
import { SshError } from '../util/errors.ts';
import type { Fleet, ProxyHost } from './target.ts';

/** What `--local` calls this machine. */
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
  open: async (port) => {
    const socket = connect({ port, host: '127.0.0.1' });
    await once(socket, 'connect');
    return socket;
  },
  close: () => {},
};

/**
 * In a session of its own: Ctrl-C here leaves the program to its end, as it does over SSH. So does the limit: what runs as
 * root may not be ours to kill.
 */
function runHere(text: string, onLine: (line: string) => void): Promise<ExecOutcome> {
  const child = spawn('/bin/sh', ['-c', COMMAND], { detached: true });
  const said = { stdout: '', stderr: '' };
  const lines = lineSplitter(onLine);
  child.stdout.setEncoding('utf8').on('data', (data: string) => {
    said.stdout += data;
    lines(data);
  });
  child.stderr.setEncoding('utf8').on('data', (data: string) => {
    said.stderr += data;
  });
  // A shell that ends before it has read all says why on stderr.
  child.stdin.on('error', () => {}).end(text);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      leave(child);
      resolve({ ...said, code: undefined, sent: true, lost: endless() });
    }, LIMITS.run);
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ ...said, code: code ?? undefined, sent: true, ...(signal && { signal }) });
    });
  });
}

/** Waits for it no more, here or at the end of this process. */
function leave(child: ChildProcessWithoutNullStreams): void {
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
  child.unref();
}

const endless = (): SshError =>
  new SshError(
    LOCALHOST,
    `${SESSION.unfinished.error}: not finished within ${LIMITS.run / 1000} s`,
    SESSION.unfinished.fix,
  );

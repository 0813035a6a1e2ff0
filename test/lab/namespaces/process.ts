/** Child processes of the lab: run to their end, or started and waited for until they are ready. */
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Options } from 'zx/core';
import { $ } from '../../../lib/util/shell.ts';
import { bundled } from './bundle.ts';

/** How a command ended; killed by a signal counts as 128 and its number, as in a shell. */
export interface Result {
  status: number;
  stdout: string;
  stderr: string;
}

/**
 * Local commands, the first that fails being the last; its stderr shows in the error. With a socket for stdin, as Node gives
 * it, and no SHLVL, a script for bash takes itself for a remote login and runs ~/.bashrc first.
 */
export const local = $({ prefix: 'set -eu; ', env: { ...process.env, SHLVL: '1' } });

/**
 * A program that is started and held by its process, which is the program's own: it may end as it likes. What it prints goes
 * by: whoever wants it listens at once.
 */
export function started(options: Partial<Options>, program: string, args: readonly string[]): ChildProcess {
  const running = $({ ...options, nothrow: true })`exec ${[program, ...args]}`;
  return running.child as ChildProcess;
}

export const CHECKOUT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');
/** Node 24, pinned in test/node24 and apart from the other packages: npm scripts would take its `node` for theirs. */
export const NODE_24 = `${CHECKOUT}/test/node24/node_modules/node-${process.platform}-${process.arch}/bin/node`;
export const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** How this process loads TypeScript, and so how every process of the lab does: tsx, or test/typescript.mjs in a whole run. */
const IMPORT = process.execArgv.indexOf('--import');
const LOADER = (IMPORT >= 0 && process.execArgv[IMPORT + 1]) || 'tsx';
/** The arguments with which Node takes a TypeScript file, from any folder. */
export const TYPESCRIPT = ['--import', import.meta.resolve(LOADER)] as const;

/** The arguments with which Node runs a TypeScript file of the checkout, from any folder: bundled, in a whole run. */
export function typescript(file: string, args: readonly string[] = []): string[] {
  const ready = LOADER === 'tsx' ? undefined : bundled(file, TYPESCRIPT);
  return ready ? [ready, ...args] : [...TYPESCRIPT, `${CHECKOUT}/${file}`, ...args];
}

function text(stream: NodeJS.ReadableStream | null): () => string {
  const parts: Buffer[] = [];
  stream?.on('data', (part: Buffer) => parts.push(part));
  return () => Buffer.concat(parts).toString();
}

/** Feeds a command its input and resolves once it ended and its output is read; rejects only when it could not start. */
export function finished(child: ChildProcess, input = ''): Promise<Result> {
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
  // A command may end before it has read all of its input.
  child.stdin?.on('error', () => {}).end(input);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const status = code ?? 128 + constants.signals[signal ?? 'SIGKILL'];
      resolve({ status, stdout: stdout(), stderr: stderr() });
    });
  });
}

/** Does something once, as soon as the child has said this. */
export function onceSaid(child: ChildProcess, said: RegExp, act: () => void): void {
  let text = '';
  let isDone = false;
  const hear = (part: Buffer) => {
    text += part;
    if (isDone || !said.test(text)) return;
    isDone = true;
    act();
  };
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', hear);
}

/** Lets this process end although a child and its pipes are still there. */
export function letGo(child: ChildProcess): void {
  child.unref();
  for (const stream of [child.stdout, child.stderr, child.channel]) {
    if (stream && 'unref' in stream && typeof stream.unref === 'function') stream.unref();
  }
}

/** Resolves once the child prints a line `ready`; rejects with what it said instead. */
export async function ready(child: ChildProcess, name: string): Promise<void> {
  const stderr = text(child.stderr);
  await new Promise<void>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`${name} ended with ${code}: ${stderr()}`)));
    child.stdout?.on('data', (part: Buffer) => /^ready$/m.test(part.toString()) && resolve());
  });
  letGo(child);
}

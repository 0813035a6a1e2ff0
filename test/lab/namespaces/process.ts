/** The lab's child processes: run to completion, or started and waited for until ready. */
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Options } from 'zx/core';
import { $ } from '../../../lib/util/shell.ts';
import { bundled } from './bundle.ts';

/** A command's result; killed by a signal counts as 128 plus its number, as in a shell. */
export interface Result {
  status: number;
  stdout: string;
  stderr: string;
}

/**
 * Local commands, stopping at the first failure; errors include stderr. SHLVL is set because bash, with a socket as
 * stdin (which Node provides) and no SHLVL, assumes a remote login and runs ~/.bashrc first.
 */
export const local = $({ prefix: 'set -eu; ', env: { ...process.env, SHLVL: '1' } });

/**
 * Starts a program and returns its child process; any exit status is fine. Output is not buffered: attach listeners at
 * once.
 */
export function spawnProcess(
  options: Partial<Options>,
  program: string,
  args: readonly string[],
): ChildProcess {
  const running = $({ ...options, nothrow: true })`exec ${[program, ...args]}`;
  return running.child as ChildProcess;
}

export const CHECKOUT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');
/** Node 24, installed apart from the other packages: npm scripts would otherwise use its `node`. */
export const NODE_24 = `${CHECKOUT}/test/node24/node_modules/node-${process.platform}-${process.arch}/bin/node`;
export const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The TypeScript loader of this process and every process of the lab: tsx, or test/typescript.mjs in a full run. */
const IMPORT = process.execArgv.indexOf('--import');
const LOADER = (IMPORT >= 0 && process.execArgv[IMPORT + 1]) || 'tsx';
/** Node's arguments for loading TypeScript, from any folder. */
export const TYPESCRIPT = ['--import', import.meta.resolve(LOADER)] as const;

/** Node's arguments for running a TypeScript file of the checkout from any folder: its bundle in a full run. */
export function typescript(file: string, args: readonly string[] = []): string[] {
  const ready = LOADER === 'tsx' ? undefined : bundled(file, TYPESCRIPT);
  return ready ? [ready, ...args] : [...TYPESCRIPT, `${CHECKOUT}/${file}`, ...args];
}

function text(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Buffer[] = [];
  stream?.on('data', (part: Buffer) => chunks.push(part));
  return () => Buffer.concat(chunks).toString();
}

/**
 * Writes a command's input, and resolves when it has ended and its output is read; rejects only if it could not start.
 */
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

/** Runs an action once, as soon as the child's output matches. */
export function onceOutput(child: ChildProcess, pattern: RegExp, action: () => void): void {
  let text = '';
  let isDone = false;
  const onData = (part: Buffer) => {
    text += part;
    if (isDone || !pattern.test(text)) return;
    isDone = true;
    action();
  };
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', onData);
}

/** Lets this process exit although a child and its pipes are still open. */
export function unrefChild(child: ChildProcess): void {
  child.unref();
  for (const stream of [child.stdout, child.stderr, child.channel]) {
    if (stream && 'unref' in stream && typeof stream.unref === 'function') stream.unref();
  }
}

/** Resolves once the child prints a line `ready`; rejects with its stderr if it exits. */
export async function ready(child: ChildProcess, name: string): Promise<void> {
  const stderr = text(child.stderr);
  await new Promise<void>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`${name} ended with ${code}: ${stderr()}`)));
    child.stdout?.on('data', (part: Buffer) => /^ready$/m.test(part.toString()) && resolve());
  });
  unrefChild(child);
}

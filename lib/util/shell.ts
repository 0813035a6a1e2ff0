/** Local processes, by zx, and text for a POSIX shell. The only user of zx/core. */
import { createRequire } from 'node:module';
import type { Options, Shell } from 'zx/core';

export type { ProcessPromise } from 'zx/core';

/** POSIX single quotes; the value may hold anything but NUL. zx's own quoting writes `$'…'`, which dash does not know. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Every option that a ZX_… variable of the operator's environment would set otherwise. */
const FIXED: object = {
  shell: '/bin/sh',
  prefix: '',
  postfix: '',
  quote,
  quiet: true,
  verbose: false,
  detached: false,
  preferLocal: false,
  cwd: undefined,
  timeout: undefined,
};

let configured: Shell | undefined;

/** Loaded at its first use: `--help`, `verify` and `--bundle` need no process, and loading takes 20 ms. */
function load(): Shell {
  const zx = createRequire(import.meta.url)('zx/core') as typeof import('zx/core');
  // A program may end before it has read its input; without a listener, that EPIPE would end this process.
  const spawn = ((...command: Parameters<Options['spawn']>) => {
    const child = zx.defaults.spawn(...command);
    child.stdin?.on('error', () => {});
    return child;
  }) as Options['spawn'];
  return zx.$({ ...FIXED, spawn });
}

/**
 * zx's `$` for /bin/sh: POSIX quoting, no `set -e` before the command, nothing printed. It throws on an exit status other
 * than 0, unless `nothrow` leaves the judgment to the caller; `detached` gives the process a session of its own.
 *
 * A limit is `signal: AbortSignal.timeout(ms)`: zx's `timeout` and `kill` need `ps`, which a container may lack. Without
 * `input`, stdin is a pipe that stays open.
 */
export const $ = ((...call: Parameters<Shell>) => {
  configured ??= load();
  return configured(...call);
}) as Shell;

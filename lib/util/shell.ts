/** Local processes with zx, and text for a POSIX shell. The only user of zx/core. */
import { createRequire } from 'node:module';
import type { Options, Shell } from 'zx/core';

export type { ProcessPromise } from 'zx/core';

/**
 * POSIX single quotes; the value may contain anything but NUL. zx's own quoting uses `$'…'`, which dash does not know.
 */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Every option that a ZX_… environment variable could set. */
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

/** Loaded on first use: `--help`, `verify` and `--bundle` need no process, and loading takes 20 ms. */
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
 * zx's `$` for /bin/sh: POSIX quoting, no `set -e` before the command, nothing printed. Throws on an exit status other
 * than 0, unless `nothrow` is set; `detached` starts the process in its own session. For a time limit, use `signal:
 * AbortSignal.timeout(ms)`: zx's `timeout` and `kill` need `ps`, which a container may lack. Without `input`, stdin is
 * a pipe that stays open.
 */
export const $ = ((...call: Parameters<Shell>) => {
  configured ??= load();
  return configured(...call);
}) as Shell;

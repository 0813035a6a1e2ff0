/** After a change of clients: a bearer opens the gate, or does so no more, on fresh connections. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Secret } from '../secret.ts';
import { type Check, type CheckTarget, type Finding, failed, passed } from './check.ts';
import { ask } from './http.ts';

// The proxy waited for its old workers; a balancer before it may still need a moment.
const PATIENCE_MS = 8_000;
const PAUSE_MS = 200;
const IN_A_ROW = 3;

/** The bearer is let in at `path`; a backend that is down (502) does not count against the gate. */
export function bearerOpens(name: string, path: string, token: Secret): Check {
  const isIn = (status: number) => status < 400 || status >= 500;
  return {
    name,
    run: async (target) => judgeOpen(path, await settled(target, path, token, isIn), isIn),
  };
}

/** The bearer is refused at `path`. */
export function bearerRefused(name: string, path: string, token: Secret): Check {
  const isOut = (status: number) => status === 401 || status === 429;
  return {
    name,
    run: async (target) => judgeRefused(path, await settled(target, path, token, isOut), isOut),
  };
}

/** The status once several answers in a row are right, or when patience ends. */
async function settled(
  target: CheckTarget,
  path: string,
  token: Secret,
  isRight: (status: number) => boolean,
): Promise<number> {
  const headers = { authorization: `Bearer ${token.reveal()}` };
  const end = performance.now() + PATIENCE_MS;
  for (let row = 0; ; ) {
    const { status } = await ask(target, { path, headers });
    row = isRight(status) ? row + 1 : 0;
    if (row === IN_A_ROW || performance.now() > end) return status;
    if (row === 0) await sleep(PAUSE_MS);
  }
}

function judgeOpen(path: string, status: number, isIn: (status: number) => boolean): Finding {
  if (!isIn(status))
    return failed(
      `${path} gives ${status} to it: another proxy or vhost answers for this name, perhaps. Compare the fingerprints: npx tsx scripts/bearers.ts list`,
    );
  const backend = status >= 500 ? `, and the backend behind it gives ${status}` : '';
  return passed(`It is let in at ${path}${backend}.`);
}

function judgeRefused(path: string, status: number, isOut: (status: number) => boolean): Finding {
  if (isOut(status)) return passed(`It is refused at ${path} (${status}).`);
  return failed(
    `${path} still gives ${status} to it: another client holds the same token, or another proxy answers for this name. Compare the fingerprints: npx tsx scripts/bearers.ts list`,
  );
}

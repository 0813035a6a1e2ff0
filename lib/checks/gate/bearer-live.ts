/** After a change of clients: a bearer opens the gate, or does so no more, on fresh connections. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Check, type CheckTarget, type Finding, failed, passed } from '../../model/check.ts';
import type { Secret } from '../../util/secret.ts';
import { type Answer, isByNginx, sendRequest } from '../http/request.ts';

// The proxy waited for its old workers; a balancer before it may still need a moment.
const PATIENCE_MS = 8_000;
const PAUSE_MS = 200;
const IN_A_ROW = 3;

/** The bearer is let in at `path`; a backend that is down does not count against the gate. */
export function bearerOpens(name: string, path: string, token: Secret): Check {
  return { name, run: async (target) => judgeOpen(path, await settled(target, path, token, isLetIn)) };
}

const DOWN: readonly number[] = [502, 503, 504];

/** Did the backend answer, or nginx, past the gate, that it does not? A redirect is another vhost's. */
export function isLetIn({ status, body }: Pick<Answer, 'status' | 'body'>): boolean {
  return status === 200 || (DOWN.includes(status) && isByNginx({ body }));
}

/** The bearer is refused at `path`. */
export function bearerRefused(name: string, path: string, token: Secret): Check {
  return { name, run: async (target) => judgeRefused(path, await settled(target, path, token, isOut)) };
}

const isOut = ({ status }: Answer): boolean => status === 401 || status === 429;

/** What is answered once several answers in a row are right, or when patience ends. */
async function settled(
  target: CheckTarget,
  path: string,
  token: Secret,
  isRight: (answer: Answer) => boolean,
): Promise<Answer> {
  const headers = { authorization: `Bearer ${token.reveal()}` };
  const end = performance.now() + PATIENCE_MS;
  for (let row = 0; ; ) {
    const answer = await sendRequest(target, { path, headers });
    row = isRight(answer) ? row + 1 : 0;
    if (row === IN_A_ROW || performance.now() > end) return answer;
    if (row === 0) await sleep(PAUSE_MS);
  }
}

function judgeOpen(path: string, answer: Answer): Finding {
  const { status } = answer;
  if (!isLetIn(answer))
    return failed(
      `${path} gives ${status} to it: another proxy or vhost answers for this name, perhaps. Compare the fingerprints: \`npx tsx scripts/bearers.ts list\``,
    );
  const backend = status >= 500 ? `, and the backend behind it gives ${status}` : '';
  return passed(`It is let in at ${path}${backend}.`);
}

function judgeRefused(path: string, answer: Answer): Finding {
  const { status } = answer;
  if (isOut(answer)) return passed(`It is refused at ${path} (${status}).`);
  return failed(
    `${path} still gives ${status} to it: another client holds the same token, or another proxy answers for this name. Compare the fingerprints: \`npx tsx scripts/bearers.ts list\``,
  );
}

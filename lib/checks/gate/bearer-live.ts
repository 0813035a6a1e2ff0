/** After a change of clients: the gate accepts or rejects a token on new connections. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Check, type CheckTarget, type Finding, failed, passed } from '../../model/check.ts';
import type { Secret } from '../../util/secret.ts';
import { type Answer, isByNginx, isUnreachable, sendRequest } from '../http/request.ts';

// The proxy has waited for its old workers to exit; a load balancer in front of it may take longer.
const TIME_LIMIT_MS = 8_000;
const PAUSE_MS = 200;
const IN_A_ROW = 3;

/** The token is accepted at `path`; a backend that is down is not a failure of the gate. */
export function bearerOpens(name: string, path: string, token: Secret): Check {
  return { name, run: async (target) => judgeOpen(path, await settled(target, path, token, isAccepted)) };
}

const DOWN: readonly number[] = [502, 503, 504];

/**
 * Whether the token was accepted: the backend answered, nginx reports it as down, or the client is at its limit, which
 * the gate checks after the token. A redirect is from another vhost.
 */
export function isAccepted({ status, body }: Pick<Answer, 'status' | 'body'>): boolean {
  if (status === 200 || isLimited({ status, body })) return true;
  return DOWN.includes(status) && (isByNginx({ body }) || isUnreachable({ body }));
}

const isLimited = ({ status, body }: Pick<Answer, 'status' | 'body'>): boolean =>
  status === 429 && body.includes('rate_limit_exceeded');

/** The token is rejected at `path`. */
export function bearerRefused(name: string, path: string, token: Secret): Check {
  return { name, run: async (target) => judgeRejected(path, await settled(target, path, token, isRejected)) };
}

/** 429 may also come from the gate: it rate-limits an IP address after many rejected requests. */
export const isRejected = (answer: Pick<Answer, 'status' | 'body'>): boolean =>
  answer.status === 401 || (answer.status === 429 && !isLimited(answer));

/** The last response, after several expected ones in a row or at the time limit. */
async function settled(
  target: CheckTarget,
  path: string,
  token: Secret,
  isExpected: (answer: Answer) => boolean,
): Promise<Answer> {
  const headers = { authorization: `Bearer ${token.reveal()}` };
  const end = performance.now() + TIME_LIMIT_MS;
  for (let row = 0; ; ) {
    const answer = await sendRequest(target, { path, headers, isAlone: true });
    row = isExpected(answer) ? row + 1 : 0;
    if (row === IN_A_ROW || performance.now() > end) return answer;
    if (row === 0) await sleep(PAUSE_MS);
  }
}

function judgeOpen(path: string, answer: Answer): Finding {
  const { status } = answer;
  if (!isAccepted(answer))
    return failed(
      `${path} returns ${status} for the token: another proxy or vhost may answer for this name. Compare the fingerprints: \`npx tsx scripts/bearers.ts list\``,
    );
  const but =
    status >= 500
      ? `, but the backend returns ${status}`
      : status === 429
        ? '; its client is at its limit'
        : '';
  return passed(`The token is accepted at ${path}${but}.`);
}

function judgeRejected(path: string, answer: Answer): Finding {
  const { status } = answer;
  if (isRejected(answer)) return passed(`The token is rejected at ${path} (${status}).`);
  return failed(
    `${path} still returns ${status} for the token: another client has the same token, or another proxy answers for this name. Compare the fingerprints: \`npx tsx scripts/bearers.ts list\``,
  );
}

/** No alternative form of a path bypasses the gate. */
import {
  type Check,
  type CheckTarget,
  type Finding,
  failed,
  passed,
  skipped,
  warned,
} from '../../model/check.ts';
import { curl } from '../http/curl.ts';
import { openPool, type Pool } from '../http/keep-alive.ts';
import { type RawRequest, sendRaw } from '../http/raw-request.ts';
import { type Answer, sendRequest } from '../http/request.ts';
import { bypassPaths, rawRequests } from './bypass-attempts.ts';
import { isOllamas, isRefusal } from './ollama-answer.ts';

interface Protected {
  /** The path of the gate, such as `/ollama`. */
  readonly prefix: string;
  /** The path behind it that lists the models, such as `/api/tags`. */
  readonly list: string;
}

/** The response to one form of the path. */
interface BypassAttempt {
  readonly request: string;
  readonly answer: Pick<Answer, 'status' | 'headers' | 'body'>;
}

const LIMIT_MS = 30_000;

/**
 * Without a token, no form of the path reaches Ollama.
 * (!) Each request that nginx normalizes to the plain path counts as one of the 100 failed requests after which the gate
 * rate-limits an IP address: 22 here and 10 in the check of the gate, so three runs in a row stay below the limit.
 */
export function bypassAttempts(path: Protected): Check {
  return {
    name: 'path bypass attempts',
    limitMs: LIMIT_MS,
    run: (target) => check(path, target),
    curl: (target) => byHand(target, `/x/..${path.prefix}${path.list}`),
  };
}

async function check({ prefix, list }: Protected, target: CheckTarget): Promise<Finding> {
  const plain = `${prefix}${list}`;
  // The first request also shows whether the server responds: it throws if not. Later ones may be cut off.
  if (isOllamas(await sendRequest(target, { path: plain })))
    return skipped(`The gate is open: fix the problem reported for ${plain} first.`);
  const pool = openPool(target);
  try {
    const paths = bypassPaths(prefix, list, target.serverName).map((path) => byPath(pool, path));
    const raw = rawRequests(plain, target).map((request) => byBytes(target, request));
    return judgeBypassAttempts((await Promise.all([...paths, ...raw])).flat(), target);
  } finally {
    pool.close();
  }
}

const byPath = async (pool: Pool, path: string): Promise<BypassAttempt> => ({
  request: path,
  answer: await pool.get(path),
});

async function byBytes(target: CheckTarget, request: RawRequest): Promise<readonly BypassAttempt[]> {
  const answer = await sendRaw(target, request);
  return answer === undefined ? [] : [{ request: request.name, answer }];
}

/** Judges all responses. */
export function judgeBypassAttempts(all: readonly BypassAttempt[], target: CheckTarget): Finding {
  const bypassed = all.filter(({ answer }) => isOllamas(answer));
  const path = bypassed.find(({ request }) => request.startsWith('/'))?.request;
  if (bypassed.length > 0)
    return { ...failed(bypassText(bypassed)), ...(path !== undefined && { curl: byHand(target, path) }) };
  const down = all.filter(({ answer }) => answer.status >= 500);
  if (down.length > 0)
    return skipped(
      `${namesOf(down)} returned ${down[0]?.answer.status}, so it is unknown which backend would have answered; the others do not reach Ollama. Run it again when the backend is up.`,
    );
  const odd = all.filter(({ answer }) => !isRefusal(answer));
  if (odd.length > 0)
    return warned(
      `${namesOf(odd)} returned ${odd[0]?.answer.status} from an unrecognized backend. Check manually which service answers these requests.`,
    );
  return passed(`${all.length} alternative forms of the path do not reach Ollama without a token.`);
}

function bypassText(bypassed: readonly BypassAttempt[]): string {
  return `Without a bearer, ${namesOf(bypassed)} ${bypassed.length > 1 ? 'reach' : 'reaches'} Ollama: anyone can use the models. A location without the gate matches the request. Use \`nginx -T\` on the proxy to find every location that uses the upstream or port of Ollama, especially regex locations (they take precedence if \`^~\` is missing) and nested ones (the \`if\` of the outer location does not protect them). Deploy the site again; if the problem persists, remove the site with \`npx tsx scripts/remove.ts\` until it is fixed.`;
}

function namesOf(some: readonly BypassAttempt[]): string {
  const shown = some.slice(0, 5).map(({ request }) => JSON.stringify(request).slice(1, -1));
  return [...shown, ...(some.length > 5 ? [`${some.length - 5} more`] : [])].join(', ');
}

function byHand(target: CheckTarget, path: string): string {
  return curl(target, { path }, '-i', '--path-as-is');
}

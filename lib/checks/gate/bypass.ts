/** No way of writing a path gets past the gate. */
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

interface Guarded {
  /** Where the gate stands, such as `/ollama`. */
  readonly prefix: string;
  /** What lists the models behind it, such as `/api/tags`. */
  readonly list: string;
}

/** What came back for one spelling. */
interface BypassAttempt {
  readonly spelling: string;
  readonly answer: Pick<Answer, 'status' | 'headers' | 'body'>;
}

const LIMIT_MS = 30_000;

/**
 * Every spelling of a path, asked for without a bearer, is answered by somebody else than Ollama.
 * (!) Each one that nginx reads as the plain path costs one of the 100 failures that the gate lets an address have before
 * it slows it: 22 here, 10 in the gate's own check, so that three runs in a row fit in.
 */
export function bypassAttempts(guarded: Guarded): Check {
  return {
    name: 'path spellings',
    limitMs: LIMIT_MS,
    run: (target) => check(guarded, target),
    curl: (target) => byHand(target, `/x/..${guarded.prefix}${guarded.list}`),
  };
}

async function check({ prefix, list }: Guarded, target: CheckTarget): Promise<Finding> {
  const plain = `${prefix}${list}`;
  // The first one also tells whether anybody is there: it throws when not, and later ones may then be cut off.
  if (isOllamas(await sendRequest(target, { path: plain })))
    return skipped(`The gate is open as it is: mend what is said of ${plain} first.`);
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
  spelling: path,
  answer: await pool.get(path),
});

async function byBytes(target: CheckTarget, request: RawRequest): Promise<readonly BypassAttempt[]> {
  const answer = await sendRaw(target, request);
  return answer === undefined ? [] : [{ spelling: request.name, answer }];
}

/** Judges all answers. */
export function judgeBypassAttempts(all: readonly BypassAttempt[], target: CheckTarget): Finding {
  const slipped = all.filter(({ answer }) => isOllamas(answer));
  const path = slipped.find(({ spelling }) => spelling.startsWith('/'))?.spelling;
  if (slipped.length > 0)
    return { ...failed(slip(slipped)), ...(path !== undefined && { curl: byHand(target, path) }) };
  const down = all.filter(({ answer }) => answer.status >= 500);
  if (down.length > 0)
    return skipped(
      `${namesOf(down)} gave ${down[0]?.answer.status}, so that it cannot be told who would have answered; the others do not reach Ollama. Run it again when the backend answers.`,
    );
  const odd = all.filter(({ answer }) => !isRefusal(answer));
  if (odd.length > 0)
    return warned(
      `${namesOf(odd)} gave ${odd[0]?.answer.status}, and neither nginx nor a web page nor Ollama is known by it: look by hand who answers there.`,
    );
  return passed(`${all.length} other ways to write the path do not reach Ollama without a bearer.`);
}

function slip(slipped: readonly BypassAttempt[]): string {
  return `Without a bearer, ${namesOf(slipped)} ${slipped.length > 1 ? 'reach' : 'reaches'} Ollama: anyone can use the models. Another location than the guarded one takes it: look with \`nginx -T\` on the proxy for every location that names Ollama's upstream or port, above all regex ones (they win where \`^~\` is missing) and those inside the guarded one (its \`if\` does not guard them). Deploy the site again; if it stays so, take the site off by \`npx tsx scripts/remove.ts\` meanwhile.`;
}

function namesOf(some: readonly BypassAttempt[]): string {
  const shown = some.slice(0, 5).map(({ spelling }) => JSON.stringify(spelling).slice(1, -1));
  return [...shown, ...(some.length > 5 ? [`${some.length - 5} more`] : [])].join(', ');
}

function byHand(target: CheckTarget, path: string): string {
  return curl(target, { path }, '-i', '--path-as-is');
}

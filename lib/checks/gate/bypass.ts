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
import { NoAnswerError } from '../http/failures.ts';
import { type RawRequest, sendRaw } from '../http/raw-request.ts';
import { isClosed, sendRequest } from '../http/request.ts';
import { type Seen, type Sender, senderOf } from './answers.ts';
import { bypassPaths, type Protected, rawRequests } from './bypass-attempts.ts';

/** The response to one form of the path. */
interface BypassAttempt {
  readonly request: string;
  readonly answer: Seen;
}

/**
 * Without a token, no form of the path reaches the backend. (!) Each request that nginx normalizes to the plain path
 * counts toward the 100 failed requests after which the gate rate-limits an IP address: 22 here and 10 in the gate's
 * check, so three runs in a row stay below the limit.
 */
export function bypassAttempts(path: Protected): Check {
  return {
    name: 'path bypass attempts',
    run: (target) => check(path, target),
    curl: (target) => byHand(target, `/x/..${path.prefix}${path.list}`),
  };
}

async function check(gated: Protected, target: CheckTarget): Promise<Finding> {
  const plain = `${gated.prefix}${gated.list}`;
  // Requests with their own connection come first: they take longest.
  const raw = rawRequests(plain, target).map((request) => byBytes(target, request));
  const paths = bypassPaths(gated, target.serverName).map((path) => byPath(target, path));
  // The plain request also shows whether the server responds: it throws if not. The others may be cut off.
  const [refusal, ...all] = await Promise.all([sendRequest(target, { path: plain }), ...raw, ...paths]);
  if (senderOf(refusal, refusal, gated.signature) === 'backend')
    return skipped(`The gate is open: fix the problem reported for ${plain} first.`);
  return judgeBypassAttempts(all.flat(), refusal, gated, target);
}

const byPath = async (target: CheckTarget, path: string): Promise<BypassAttempt> => ({
  request: path,
  answer: await sendRequest(target, { path }).catch(fromError),
});

/**
 * The server answers the plain request, so a closed connection is due to the path, and a timeout to a silent backend.
 */
function fromError(error: unknown): Seen {
  if (isClosed(error)) return { status: 0, headers: {}, body: '' };
  if (error instanceof NoAnswerError && error.code === 'ETIMEDOUT')
    return { status: 504, headers: {}, body: '' };
  throw error;
}

async function byBytes(target: CheckTarget, request: RawRequest): Promise<readonly BypassAttempt[]> {
  const answer = await sendRaw(target, request);
  return answer === undefined ? [] : [{ request: request.name, answer }];
}

/** Judges all responses; `refusal` is the response to the plain path. */
export function judgeBypassAttempts(
  all: readonly BypassAttempt[],
  refusal: Seen,
  { service, signature }: Pick<Protected, 'service' | 'signature'>,
  target: CheckTarget,
): Finding {
  const from = (sender: Sender) =>
    all.filter(({ answer }) => senderOf(answer, refusal, signature) === sender);
  const [bypassed, down, unknown] = [from('backend'), from('down'), from('unknown')];
  const path = bypassed.find(({ request }) => request.startsWith('/'))?.request;
  if (bypassed.length > 0)
    return {
      ...failed(bypassText(bypassed, service)),
      ...(path !== undefined && { curl: byHand(target, path) }),
    };
  if (down.length > 0)
    return skipped(
      `${namesOf(down)} returned ${down[0]?.answer.status} or nothing in time, so it is unknown which backend would have answered; the others do not reach ${service}. Run it again when the backend is up.`,
    );
  if (unknown.length > 0)
    return warned(
      `${namesOf(unknown)} returned ${unknown[0]?.answer.status} from an unrecognized backend. Check manually which service answers these requests.`,
    );
  return passed(`${all.length} alternative forms of the path do not reach ${service} without a token.`);
}

function bypassText(bypassed: readonly BypassAttempt[], service: string): string {
  return `Without a bearer, ${namesOf(bypassed)} ${bypassed.length > 1 ? 'reach' : 'reaches'} ${service}: anyone can use the models. A location without the gate matches the request. Use \`nginx -T\` on the proxy to find every location that uses the upstream or port of ${service}, especially regex locations (they take precedence if \`^~\` is missing) and nested ones (the \`if\` of the outer location does not protect them). Deploy the site again; if the problem persists, remove the site with \`npx tsx scripts/remove.ts\` until it is fixed.`;
}

function namesOf(some: readonly BypassAttempt[]): string {
  const shown = some.slice(0, 5).map(({ request }) => JSON.stringify(request).slice(1, -1));
  return [...shown, ...(some.length > 5 ? [`${some.length - 5} more`] : [])].join(', ');
}

function byHand(target: CheckTarget, path: string): string {
  return curl(target, { path }, '-i', '--path-as-is');
}

/** CORS: pages of the allowed origins, and no others, can use the gate from a browser and read why it rejects a request. */
import { type Check, type CheckTarget, type Finding, failed, passed, skipped } from '../../model/check.ts';
import { curl } from '../http/curl.ts';
import { type Answer, sendRequest } from '../http/request.ts';
import { isRejected } from './bearer-live.ts';

interface CrossOrigin {
  /** A path behind the gate. */
  readonly path: string;
  /** The setting with the allowed origins. */
  readonly originsVariable: string;
}

/** An origin that no site can have (RFC 6761). */
const FOREIGN = 'https://no-such-origin.invalid';
const PREFLIGHT = {
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'authorization,content-type',
} as const;

/** The responses for one allowed origin. */
interface OriginAnswers {
  readonly origin: string;
  /** The response to the CORS preflight for a request with a token (Fetch standard). */
  readonly preflight: Pick<Answer, 'status' | 'headers'>;
  /** The response to a request without a token; only for the first origin, because the gate counts such requests. */
  readonly rejected?: Pick<Answer, 'status' | 'headers' | 'body'>;
}

/** The requests of a browser for each allowed origin, and for one that is not allowed. */
export function crossOrigin(options: CrossOrigin): Check {
  return {
    name: 'CORS',
    run: (target) => check(options, target),
    curl: (target) => {
      const headers = { origin: target.origins?.[0] ?? FOREIGN, ...PREFLIGHT };
      const words = Object.entries(headers).map(([name, value]) => `-H '${name}: ${value}'`);
      return curl(target, { path: options.path }, '-i', '-X OPTIONS', ...words);
    },
  };
}

async function check({ path, originsVariable }: CrossOrigin, target: CheckTarget): Promise<Finding> {
  const { origins = [] } = target;
  if (origins.length === 0)
    return skipped(`${originsVariable} is not set: no page of another origin is allowed.`);
  const [foreign, rejected, ...preflights] = await Promise.all([
    sendRequest(target, { path, headers: { origin: FOREIGN } }),
    sendRequest(target, { path, headers: { origin: origins[0] } }),
    ...origins.map((origin) =>
      sendRequest(target, { method: 'OPTIONS', path, headers: { origin, ...PREFLIGHT } }),
    ),
  ]);
  const all = preflights.map((preflight, index) => ({
    origin: origins[index] ?? '',
    preflight,
    ...(index === 0 && { rejected }),
  }));
  return judgeOrigins(all, foreign, originsVariable);
}

/** Judges all responses. @param foreign the one for an origin that is not allowed */
export function judgeOrigins(
  all: readonly OriginAnswers[],
  foreign: Pick<Answer, 'headers'>,
  variable: string,
): Finding {
  const allowed = foreign.headers[ALLOWED];
  if (allowed !== undefined)
    return failed(
      `A page of ${FOREIGN} is allowed, too (\`Access-Control-Allow-Origin: ${allowed}\`): another vhost, a snippet of the proxy or a load balancer adds CORS headers of its own. Remove them, then deploy the site again.`,
    );
  const faults = all.map(faultOf).filter((fault) => fault !== '');
  if (faults.length > 0)
    return failed(
      `${faults.join(' ')} Browsers report only "Failed to fetch". Deploy the site again with the same ${variable}.`,
    );
  return passed(
    `Pages of ${all.map(({ origin }) => origin).join(', ')} are allowed and can read errors; others are not.`,
  );
}

const ALLOWED = 'access-control-allow-origin';

/** What a page of this origin cannot do; empty if it can do everything. */
function faultOf({ origin, preflight, rejected }: OriginAnswers): string {
  const { status, headers } = preflight;
  if (status < 200 || status > 299)
    return `The preflight of ${origin} returns ${status} instead of 204: pages of this origin cannot use the gate.`;
  if (headers[ALLOWED] !== origin)
    return `The preflight of ${origin} is answered for ${headers[ALLOWED] ?? 'no origin'}: pages of this origin cannot use the gate.`;
  const missing = [
    ...lacking(headers['access-control-allow-methods'], ['POST']),
    ...lacking(headers['access-control-allow-headers'], ['authorization', 'content-type']),
  ];
  if (missing.length > 0)
    return `The preflight of ${origin} does not allow ${missing.join(', ')}: pages of this origin cannot use the gate.`;
  if (rejected && isRejected(rejected) && rejected.headers[ALLOWED] !== origin)
    return `The ${rejected.status} for a request without a token cannot be read by pages of ${origin}.`;
  return '';
}

function lacking(list: string | string[] = '', wanted: readonly string[]): readonly string[] {
  const allowed = String(list)
    .toLowerCase()
    .split(/[\s,]+/);
  return wanted.filter((word) => !allowed.includes(word.toLowerCase()));
}

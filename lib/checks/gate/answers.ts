/** Which server responded to a request without a token: nginx, the gate, the protected backend, or another service. */
import { type Answer, isByNginx, isHtml } from '../http/request.ts';
import { modelsIn } from './models.ts';

export type Seen = Pick<Answer, 'status' | 'headers' | 'body'>;

/** Identifies the backend's responses on a host where other services answer other paths. */
export interface Signature {
  /** Its text responses. */
  readonly texts: RegExp;
  /** Statuses that it returns without a body and a content type. */
  readonly empty: readonly number[];
}

export type Sender = 'backend' | 'safe' | 'down' | 'unknown';

/** Rejections and redirects that any server may send; 0 is a closed connection. */
const REFUSALS: ReadonlySet<number> = new Set([0, 301, 302, 308, 400, 401, 403, 404, 405, 421, 426, 429]);

/**
 * The sender of `answer`. With a signature, only responses that match it are the backend's. Without one, the host has
 * no other service: every response that is not from nginx or the gate is the backend's, even a 404.
 * @param refusal the gate's response to the protected path itself
 */
export function senderOf(answer: Seen, refusal: Seen, signature?: Signature): Sender {
  if (modelsIn(answer.body) !== undefined || (signature && matches(answer, signature))) return 'backend';
  if (isDown(answer, signature)) return 'down';
  if (signature) return REFUSALS.has(answer.status) || isHtml(answer) ? 'safe' : 'unknown';
  return isWithoutStatus(answer) || isByNginx(answer) || isByGate(answer, refusal) ? 'safe' : 'backend';
}

function matches({ status, headers, body }: Seen, { texts, empty }: Signature): boolean {
  return texts.test(body) || (empty.includes(status) && body === '' && headers['content-type'] === undefined);
}

/** The request would have reached a backend. */
const isDown = (answer: Seen, signature?: Signature): boolean =>
  answer.status >= 500 && (signature !== undefined || isByNginx(answer) || BAD_GATEWAY.has(answer.status));

const BAD_GATEWAY: ReadonlySet<number> = new Set([502, 504]);

/**
 * A closed connection, or HTTP/0.9, which sends no host name: the address's default server answers, maybe another site.
 */
const isWithoutStatus = ({ status }: Seen): boolean => status === 0;

/** The gate returns 401, or 429 after many of them. */
function isByGate({ status, headers, body }: Seen, refusal: Seen): boolean {
  if (REJECTED.has(refusal.status) && body === refusal.body) return REJECTED.has(status);
  const isAnnounced = status === 401 ? headers['www-authenticate'] === 'Bearer' : 'retry-after' in headers;
  return REJECTED.has(status) && isAnnounced && body.includes('"error"');
}

const REJECTED: ReadonlySet<number> = new Set([401, 429]);

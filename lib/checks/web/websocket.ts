/** The proxy forwards WebSocket connections. */
import { createHash, randomBytes } from 'node:crypto';
import { advised } from '../../diagnosis/row.ts';
import { SYMPTOMS } from '../../diagnosis/symptoms.ts';
import { type Check, type CheckTarget, type Finding, failed, passed } from '../../model/check.ts';
import { curl } from '../http/curl.ts';
import { statusAdvice } from '../http/failures.ts';
import { type Answer, isHtml, type RequestOptions, sendRequest } from '../http/request.ts';

// A generated id means nothing to readers and is too long to wrap.
const GENERATED_ID = /[0-9a-f-]{36}$/;

interface WebSocketPath {
  readonly path: string;
  /** Statuses with which the service may reject a handshake without its token, such as 401. */
  readonly refusals?: readonly number[];
}

/** The path switches to WebSocket (101); anything after the handshake is ignored. */
export function webSocket({ path, refusals = [] }: WebSocketPath): Check {
  return {
    name: 'WebSocket',
    run: (target) => check(path, refusals, target),
    curl: (target) => byHand(path, target),
  };
}

async function check(path: string, refusals: readonly number[], target: CheckTarget): Promise<Finding> {
  const key = randomBytes(16).toString('base64');
  const answer = await sendRequest(target, handshake(path, key));
  if (refusals.includes(answer.status) && !isHtml(answer))
    return passed(`${path} reaches its service, which requires a token (${answer.status}).`);
  return judgeHandshake(answer, path, acceptOf(key));
}

/** curl keeps the upgraded connection open; -m ends it. */
function byHand(path: string, target: CheckTarget): string {
  const request = handshake(path, 'Z2F0ZXBvc3QtYnktaGFuZA==');
  const headers = Object.entries(request.headers).map(([name, value]) => `-H '${name}: ${value}'`);
  return curl(target, request, '-i', '--http1.1', '-m 5', ...headers);
}

function handshake(path: string, key: string) {
  const version = { 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': key };
  return {
    path,
    headers: { Connection: 'Upgrade', Upgrade: 'websocket', ...version },
  } satisfies RequestOptions;
}

/** The Sec-WebSocket-Accept value for a key (RFC 6455, section 4.2.2). */
export function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/** Judges the response to a handshake that expects the accept value `accept`. */
export function judgeHandshake(
  { status, headers }: Pick<Answer, 'status' | 'headers'>,
  path: string,
  accept: string,
): Finding {
  const shown = path.replace(GENERATED_ID, '…');
  if (status === 101 && headers['sec-websocket-accept'] === accept)
    return passed(`${shown} switches to WebSocket (101).`);
  if (status === 101)
    return failed(
      `${shown} returns 101 with a wrong Sec-WebSocket-Accept: something in between answered instead of the backend. Check what is between this machine and the proxy.`,
    );
  return failed(
    `${shown} returns ${status} instead of 101. ${statusAdvice(status, advised(SYMPTOMS.noWebSocket))}`,
  );
}

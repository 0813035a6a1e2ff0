/** Sends raw requests that no HTTP library would produce. */
import type { Duplex } from 'node:stream';
import type { CheckTarget } from '../../model/check.ts';
import { connectTls } from './connect.ts';
import { codeOf, isCertificateError, NoAnswerError } from './failures.ts';
import type { Answer } from './request.ts';
import { inTurn } from './slots.ts';

const KEPT_BYTES = 100_000;
/** All requests ask the server to close the connection; otherwise, the bytes received until then are judged. */
const READ_LIMIT_MS = 5_000;

/**
 * Sends it on a separate connection and reads until that closes; undefined if the certificate is invalid and the
 * request secret.
 */
export function sendRaw(target: CheckTarget, request: RawRequest): Promise<Answer | undefined> {
  return inTurn(target, () => send(target, request));
}

async function send(
  target: CheckTarget,
  { text, isSecret = false, answers = 1 }: RawRequest,
): Promise<Answer | undefined> {
  try {
    const options = { rejectUnauthorized: isSecret, ALPNProtocols: ['http/1.1'] };
    const socket = await connectTls(target, target.port ?? 443, options);
    try {
      socket.write(text, 'latin1');
      return lastAnswer(await readAll(socket, target), answers);
    } finally {
      socket.destroy();
    }
  } catch (error) {
    if (isCertificateError(codeOf(error))) return undefined;
    throw new NoAnswerError(`TLS with ${target.serverName}`, target, error);
  }
}

/** Everything received until the end of the stream, an error or the time limit. */
async function readAll(socket: Duplex, { signal }: CheckTarget): Promise<string> {
  const end = () => socket.destroy();
  const ending = setTimeout(end, READ_LIMIT_MS);
  signal?.addEventListener('abort', end);
  let text = '';
  try {
    for await (const piece of socket) {
      text += (piece as Buffer).toString('latin1');
      if (text.length > KEPT_BYTES) break;
    }
  } catch {
    // A reset connection is a valid result, too.
  } finally {
    clearTimeout(ending);
    signal?.removeEventListener('abort', end);
  }
  return text;
}

/** The last response; status 0 if there is none, or one without headers as in HTTP/0.9. */
export function lastAnswer(text: string, answers: number): Answer {
  const heads = [...text.matchAll(/^HTTP\/1\.[01] (\d{3})/gm)];
  const last = heads.at(-1);
  if (last === undefined) return { status: 0, headers: {}, body: text };
  if (heads.length < answers) return { status: 0, headers: {}, body: '' };
  const [head = '', ...rest] = text.slice(last.index).split('\r\n\r\n');
  const headers = [...head.matchAll(/^([\w-]+): *(.*?)\r?$/gm)];
  const body = rest.join('\r\n\r\n');
  const isChunked = /^transfer-encoding: *chunked/im.test(head);
  return {
    status: Number(last[1]),
    headers: Object.fromEntries(headers.map(([, name = '', value = '']) => [name.toLowerCase(), value])),
    body: isChunked ? body.replace(/(?:^|\r\n)[0-9a-f]+\r\n/gi, '') : body,
  };
}

export interface RawRequest {
  readonly name: string;
  readonly text: string;
  /** It contains a token: send it only to a server with a valid certificate. */
  readonly isSecret?: boolean;
  /** Number of expected responses; the last one is judged. */
  readonly answers?: number;
}

/** Requests that no HTTP library would make, sent byte by byte. */
import type { Duplex } from 'node:stream';
import type { CheckTarget } from './check.ts';
import { connectTls } from './connection.ts';
import { codeOf, NoAnswerError } from './errors.ts';
import type { Answer } from './http.ts';

export interface RawRequest {
  readonly name: string;
  readonly text: string;
  /** It carries a bearer: only for whom the certificate names. */
  readonly isSecret?: boolean;
  /** How many answers there are when all are given; the last one is judged. */
  readonly answers?: number;
}

const KEPT_BYTES = 100_000;
/** All of them ask the server to close: who does not is judged by what came until then. */
const PATIENCE_MS = 5_000;
const lines = (...all: readonly string[]): string => `${all.join('\r\n')}\r\n\r\n`;

/** Requests for `plain` that carry no bearer of their own, in ways that confuse a proxy. */
export function rawRequests(plain: string, { serverName, token }: CheckTarget): readonly RawRequest[] {
  const [host, end] = [`Host: ${serverName}`, 'Connection: close'];
  const get = `GET ${plain} HTTP/1.1`;
  const bearer = `Bearer ${token?.reveal() ?? 'no-such-bearer'}`;
  const isSecret = token !== undefined;
  const inner = lines(get, host, end);
  const smuggled = `0\r\n\r\n${inner}`;
  const framed = [`Content-Length: ${smuggled.length}`, 'Transfer-Encoding: chunked'];
  // HEAD has no body in its answer: any list of models after it belongs to the second request.
  const first = lines(`HEAD ${plain} HTTP/1.1`, host, `Authorization: ${bearer}`);
  return [
    { name: 'HTTP/1.0', text: lines(`GET ${plain} HTTP/1.0`, host) },
    { name: 'HTTP/0.9', text: `GET ${plain}\r\n` },
    {
      name: 'Upgrade: h2c',
      text: lines(
        get,
        host,
        'Connection: Upgrade, HTTP2-Settings, close',
        'Upgrade: h2c',
        'HTTP2-Settings: AAMAAABkAAQAAP__',
      ),
    },
    {
      name: 'Upgrade: websocket',
      text: lines(
        get,
        host,
        'Connection: Upgrade, close',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
      ),
    },
    { name: 'two Host lines', text: lines(get, host, 'Host: localhost:11434', end) },
    {
      name: 'Content-Length beside Transfer-Encoding',
      text: lines('POST / HTTP/1.1', host, ...framed) + smuggled,
    },
    { name: 'Proxy-Authorization', text: lines(get, host, `Proxy-Authorization: ${bearer}`, end), isSecret },
    { name: 'a cookie', text: lines(get, host, `Cookie: Authorization=${bearer}`, end), isSecret },
    { name: 'a second request after one with the bearer', text: first + inner, isSecret, answers: 2 },
  ];
}

/** Sends it on a connection of its own, reads until that closes; `undefined` when the certificate forbids to send it. */
export async function sendRaw(
  target: CheckTarget,
  { text, isSecret = false, answers = 1 }: RawRequest,
): Promise<Answer | undefined> {
  try {
    const options = { rejectUnauthorized: isSecret, ALPNProtocols: ['http/1.1'] };
    const socket = await connectTls(target, target.port ?? 443, options);
    try {
      socket.write(text, 'latin1');
      return lastAnswer(await readAll(socket), answers);
    } finally {
      socket.destroy();
    }
  } catch (error) {
    if (/^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_TLS_CERT)/.test(codeOf(error))) return undefined;
    throw new NoAnswerError(`TLS with ${target.serverName}`, target, error);
  }
}

/** All that comes until the end, a cut or the end of patience. */
async function readAll(socket: Duplex): Promise<string> {
  const ending = setTimeout(() => socket.destroy(), PATIENCE_MS);
  let text = '';
  try {
    for await (const piece of socket) {
      text += (piece as Buffer).toString('latin1');
      if (text.length > KEPT_BYTES) break;
    }
  } catch {
    // A cut is an answer as well.
  } finally {
    clearTimeout(ending);
  }
  return text;
}

/** The last of the answers; status 0 when it did not come, or came without a head as HTTP/0.9 has it. */
export function lastAnswer(text: string, answers: number): Answer {
  const heads = [...text.matchAll(/^HTTP\/1\.[01] (\d{3})/gm)];
  const last = heads.at(-1);
  if (last === undefined) return { status: 0, headers: {}, body: text };
  if (heads.length < answers) return { status: 0, headers: {}, body: '' };
  const [head = '', ...rest] = text.slice(last.index).split('\r\n\r\n');
  const type = /^content-type: *(.*)$/im.exec(head)?.[1]?.trim();
  const body = rest.join('\r\n\r\n');
  const isChunked = /^transfer-encoding: *chunked/im.test(head);
  return {
    status: Number(last[1]),
    headers: type === undefined ? {} : { 'content-type': type },
    body: isChunked ? body.replace(/(?:^|\r\n)[0-9a-f]+\r\n/gi, '') : body,
  };
}

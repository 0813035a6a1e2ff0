/** Sends requests byte by byte that no HTTP library would make. */
import type { Duplex } from 'node:stream';
import type { CheckTarget } from '../../model/check.ts';
import { connectTls } from './connect.ts';
import { codeOf, isCertificateError, NoAnswerError } from './failures.ts';
import type { Answer } from './request.ts';

const KEPT_BYTES = 100_000;
/** All of them ask the server to close: who does not is judged by what came until then. */
const PATIENCE_MS = 5_000;

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
    if (isCertificateError(codeOf(error))) return undefined;
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

export interface RawRequest {
  readonly name: string;
  readonly text: string;
  /** It carries a bearer: only for whom the certificate names. */
  readonly isSecret?: boolean;
  /** How many answers there are when all are given; the last one is judged. */
  readonly answers?: number;
}

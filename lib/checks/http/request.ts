/**
 * Requests as a client on the internet sends them. Not `fetch`, zx's or Node's: checks need new connections, repeated header
 * lines, the certificate of the peer, the time of each chunk, and connections through a tunnel. No redirect is followed.
 */
import { once } from 'node:events';
import http from 'node:http';
import { addAbortSignal, type Duplex } from 'node:stream';
import type { CheckTarget } from '../../model/check.ts';
import { connect, connectTls } from './connect.ts';
import { NoAnswerError } from './failures.ts';
import { inTurn } from './slots.ts';

export interface RequestOptions {
  readonly path: string;
  readonly scheme?: 'http' | 'https';
  readonly method?: string;
  /** An array is sent as that many header lines. */
  readonly headers?: Readonly<http.OutgoingHttpHeaders>;
  readonly body?: string;
  /** Called with each chunk of the response as it arrives. */
  readonly onData?: (piece: Buffer) => void;
}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** The first million bytes, as UTF-8; empty for a 101. */
  readonly body: string;
}

const KEPT_BYTES = 1_000_000;

/**
 * Sends one request and reads the response to its end.
 * @throws NoAnswerError that names the request; its cause is the system error
 */
export async function sendRequest(target: CheckTarget, request: RequestOptions): Promise<Answer> {
  try {
    return await inTurn(target, () =>
      overConnection(target, request, async (socket) => {
        const sent = send(target, request, socket);
        const events = ['response', 'upgrade'].map((event) => once(sent, event, { signal: target.signal }));
        const [response]: http.IncomingMessage[] = await Promise.race(events);
        return await read(response as http.IncomingMessage, request, target);
      }),
    );
  } catch (error) {
    throw new NoAnswerError(`${request.method ?? 'GET'} ${urlOf(target, request)}`, target, error);
  }
}

/** The URL of a request. */
export function urlOf(target: CheckTarget, { scheme = 'https', path }: RequestOptions): string {
  return `${scheme}://${target.serverName}${path}`;
}

async function overConnection<T>(
  target: CheckTarget,
  request: RequestOptions,
  use: (socket: Duplex) => Promise<T>,
) {
  const { port = 443, httpPort = 80 } = target;
  const plain = request.scheme === 'http';
  const socket = plain ? await connect(target, httpPort) : await secured(target, port, request);
  try {
    return await use(socket);
  } finally {
    socket.destroy();
  }
}

/**
 * A token is sent only to a server with a valid certificate, or with one that the proxy itself reported. Other requests
 * are sent in any case: the certificate has a check of its own.
 */
async function secured(target: CheckTarget, port: number, { headers = {} }: RequestOptions): Promise<Duplex> {
  const isSecret = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
  const known = (target.issued ?? []).filter(({ kind }) => kind !== 'ca');
  const rejectUnauthorized = isSecret && known.length === 0;
  const socket = await connectTls(target, port, { rejectUnauthorized, ALPNProtocols: ['http/1.1'] });
  if (!isSecret || socket.authorized) return socket;
  const served = socket.getPeerCertificate().fingerprint256;
  if (known.some(({ fingerprint }) => fingerprint === served)) return socket;
  socket.destroy();
  throw Object.assign(new Error('the certificate is not the one on the proxy'), {
    code: 'CERT_UNTRUSTED',
  });
}

function send(target: CheckTarget, { method = 'GET', path, headers, body }: RequestOptions, socket: Duplex) {
  const host = target.serverName;
  const sent = http.request({ createConnection: () => socket, method, path, headers: { host, ...headers } });
  sent.on('error', () => {});
  return sent.end(body);
}

/** Reads a response to its end. */
export async function read(
  response: http.IncomingMessage,
  { onData }: RequestOptions,
  { signal }: CheckTarget,
): Promise<Answer> {
  const status = response.statusCode ?? 0;
  if (status === 101) return { status, headers: response.headers, body: '' };
  if (signal !== undefined) addAbortSignal(signal, response);
  const kept: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response) {
    onData?.(piece);
    if (bytes < KEPT_BYTES) kept.push(piece);
    bytes += piece.length;
  }
  return { status, headers: response.headers, body: Buffer.concat(kept).toString() };
}

/** Is the response an HTML page, by its content type or its first bytes? */
export function isHtml({ headers, body }: Pick<Answer, 'headers' | 'body'>): boolean {
  return /\bhtml\b/.test(headers['content-type'] ?? '') || /^\s*<(!doctype html|html)\b/i.test(body);
}

/** The error pages of nginx end with its name, with or without a version. */
export function isByNginx({ body }: Pick<Answer, 'body'>): boolean {
  return /<center>nginx(?:\/[\d.]+)?(?: \([^()<]*\))?<\/center>/.test(body);
}

/** Is this the error by which the gate reports that its backend is down or silent? */
export function isUnreachable({ body }: Pick<Answer, 'body'>): boolean {
  return /"code":"(?:service_unavailable|timeout)"/.test(body);
}

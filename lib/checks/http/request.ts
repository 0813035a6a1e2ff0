/**
 * Requests as a client on the internet sends them. Not `fetch`, zx's or Node's: checks need to know whether a connection is
 * new, repeated header lines, raw paths, the certificate of the peer, the time of each chunk, and connections through a
 * tunnel. No redirect is followed.
 */
import { once } from 'node:events';
import http from 'node:http';
import { addAbortSignal, type Duplex } from 'node:stream';
import type { CheckTarget } from '../../model/check.ts';
import { connect, connectTls } from './connect.ts';
import { codeOf, NoAnswerError } from './failures.ts';
import { inTurn } from './slots.ts';

export interface RequestOptions {
  readonly path: string;
  readonly scheme?: 'http' | 'https';
  readonly method?: string;
  /** An array is sent as several header lines. */
  readonly headers?: Readonly<http.OutgoingHttpHeaders>;
  readonly body?: string;
  /** Requires a new connection. */
  readonly isAlone?: boolean;
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
/** The rest is not read, as nothing in it is judged. */
const MOST_BYTES = 2_000_000;

/**
 * Sends one request and reads the response to its end. Requests that are safe to repeat share connections.
 * @throws NoAnswerError that names the request; its cause is the system error
 */
export async function sendRequest(target: CheckTarget, request: RequestOptions): Promise<Answer> {
  try {
    return await inTurn(target, () =>
      isShared(target, request) ? overShared(target, request) : overOwn(target, request),
    );
  } catch (error) {
    throw new NoAnswerError(`${request.method ?? 'GET'} ${urlOf(target, request)}`, target, error);
  }
}

const SHARED_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

const isShared = (
  { connections }: CheckTarget,
  { scheme, method = 'GET', headers = {}, isAlone }: RequestOptions,
) =>
  connections !== undefined &&
  scheme !== 'http' &&
  SHARED_METHODS.has(method) &&
  !isAlone &&
  !hasHeader(headers, 'upgrade');

const hasHeader = (headers: http.OutgoingHttpHeaders, wanted: string): boolean =>
  Object.keys(headers).some((name) => name.toLowerCase() === wanted);

/** Whether to send it only to a server with a valid certificate. */
const isSecret = ({ headers = {} }: RequestOptions): boolean =>
  hasHeader(headers, 'authorization') || hasHeader(headers, 'x-api-key');

async function overShared(target: CheckTarget, request: RequestOptions): Promise<Answer> {
  const sent = send(target, request, { agent: target.connections?.agentFor(isSecret(request)) });
  try {
    return await answerTo(sent, request, target);
  } catch (error) {
    sent.destroy();
    // A server may close an idle connection at any time; a new one shows whether this request was the reason.
    if (sent.reusedSocket && isClosed(error) && !target.signal?.aborted) return overOwn(target, request);
    throw error;
  }
}

const CLOSED: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);

/** Whether the connection was closed without a response. */
export const isClosed = (error: unknown): boolean => CLOSED.has(codeOf(error));

async function overOwn(target: CheckTarget, request: RequestOptions): Promise<Answer> {
  const { port = 443, httpPort = 80 } = target;
  const plain = request.scheme === 'http';
  const socket = await (plain ? connect(target, httpPort) : connectSecured(target, isSecret(request), port));
  try {
    return await answerTo(send(target, request, { createConnection: () => socket }), request, target);
  } finally {
    socket.destroy();
  }
}

async function answerTo(
  sent: http.ClientRequest,
  request: RequestOptions,
  target: CheckTarget,
): Promise<Answer> {
  const events = ['response', 'upgrade'].map((event) => once(sent, event, { signal: target.signal }));
  const [response]: http.IncomingMessage[] = await Promise.race(events);
  return read(response as http.IncomingMessage, request, target);
}

/** A request's URL. */
export function urlOf(target: CheckTarget, { scheme = 'https', path }: RequestOptions): string {
  return `${scheme}://${target.serverName}${path}`;
}

/**
 * A token is sent only to a server with a valid certificate, or with the one that the proxy itself reported. Other
 * requests are sent in any case: the certificate has its own check.
 */
export async function connectSecured(
  target: CheckTarget,
  isSecret: boolean,
  port = target.port ?? 443,
): Promise<Duplex> {
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

function send(
  target: CheckTarget,
  { method = 'GET', path, headers, body }: RequestOptions,
  connection: Pick<http.RequestOptions, 'agent' | 'createConnection'>,
) {
  const sent = http.request({
    ...connection,
    method,
    path,
    headers: { host: target.serverName, ...headers },
  });
  sent.on('error', () => {});
  return sent.end(body);
}

/** Reads a response to its end, or to the size limit. */
async function read(
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
    if (bytes > MOST_BYTES) break;
  }
  return { status, headers: response.headers, body: Buffer.concat(kept).toString() };
}

/** Whether the response is an HTML page, by its content type or its first bytes. */
export function isHtml({ headers, body }: Pick<Answer, 'headers' | 'body'>): boolean {
  return /\bhtml\b/.test(headers['content-type'] ?? '') || /^\s*<(!doctype html|html)\b/i.test(body);
}

/** nginx's error pages end with its name, with or without a version. */
export function isByNginx({ body }: Pick<Answer, 'body'>): boolean {
  return /<center>nginx(?:\/[\d.]+)?(?: \([^()<]*\))?<\/center>/.test(body);
}

/** Whether this is the gate's error for a backend that is down or silent. */
export function isUnreachable({ body }: Pick<Answer, 'body'>): boolean {
  return /"code":"(?:service_unavailable|timeout)"/.test(body);
}

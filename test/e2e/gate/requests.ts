/** Requests to the gate: by Node's client, and as raw bytes for those that no client would send. */
import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { CERTIFICATE, NAME } from './gate-nginx.ts';

export interface GateResponse {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  /** Arrival time of each chunk of the body, in milliseconds after the request. */
  times: number[];
}

export interface GateRequest {
  method?: string;
  headers?: Record<string, string | string[]>;
  body?: string | Buffer | NodeJS.ReadableStream;
  /** The source address, by which failed attempts are counted. With an IPv6 address, the request goes to ::1. */
  from?: string;
  port?: number;
}

let agent: Agent | undefined;

/** The options of every TLS client of the gate. */
export function target(): RequestOptions & { servername: string } {
  return { host: '127.0.0.1', port: 443, servername: NAME, ca: readFileSync(CERTIFICATE) };
}

/** Node frames a DELETE's body only if its length is set. */
function framing(body: GateRequest['body']): Record<string, string> {
  if (typeof body !== 'string' && !Buffer.isBuffer(body)) return {};
  return { 'content-length': `${Buffer.byteLength(body)}` };
}

function options(
  path: string,
  { method = 'GET', headers = {}, from, body, port = 443 }: GateRequest,
): RequestOptions {
  agent ??= new Agent({ keepAlive: true, maxSockets: 16 });
  const local = from === undefined ? {} : { localAddress: from };
  return {
    ...target(),
    ...local,
    ...(from?.includes(':') && { host: '::1' }),
    port,
    agent,
    path,
    method,
    headers: { host: NAME, ...framing(body), ...headers },
  };
}

/** Sends one request over HTTP/1.1. */
export function ask(path: string, question: GateRequest = {}): Promise<GateResponse> {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request(options(path, question), (response) => {
      const chunks: Buffer[] = [];
      const times: number[] = [];
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        times.push(performance.now() - start);
      });
      response.on('error', reject);
      response.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body, times });
      });
    });
    // A reload closes idle connections, which a client notices only when it reuses one.
    sent.on('error', (error) => (sent.reusedSocket ? resolve(ask(path, question)) : reject(error)));
    if (question.body === undefined || typeof question.body === 'string' || Buffer.isBuffer(question.body))
      sent.end(question.body);
    else question.body.pipe(sent);
  });
}

/** A client's Authorization header. */
export function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` };
}

function open(port: number, from: string): Socket {
  const socket = connectPlain({ host: '127.0.0.1', port, localAddress: from });
  if (port !== 443) return socket;
  return connectTls({ socket, servername: NAME, ca: readFileSync(CERTIFICATE), ALPNProtocols: ['http/1.1'] });
}

/** Sends raw bytes (latin1) and returns everything received until the connection closes or is idle for `quiet` ms. */
export function raw(bytes: string, { port = 443, from = '127.0.0.1', quiet = 400 } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = open(port, from)
      .setEncoding('latin1')
      .setTimeout(quiet, () => socket.destroy());
    socket.on('data', (chunk) => {
      received += chunk;
    });
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' ? resolve(received) : reject(error),
    );
    socket.on('close', () => resolve(received));
    socket.write(bytes, 'latin1');
  });
}

/** A request for raw() that closes the connection. */
export function lines(requestLine: string, ...headers: readonly string[]): string {
  return [requestLine, `Host: ${NAME}`, 'Connection: close', ...headers, '', ''].join('\r\n');
}

/** The status of each response in raw()'s result. */
export function statuses(received: string): number[] {
  return [...received.matchAll(/^HTTP\/1\.[01] (\d{3}) /gm)].map((match) => Number(match[1]));
}

let hosts = 0;

/** A loopback address that has not failed yet. */
export function freshAddress(): string {
  hosts += 1;
  return `127.${1 + (hosts >> 16)}.${(hosts >> 8) & 255}.${hosts & 255}`;
}

/** Sends it to both ports: a request that port 80 redirects must not be forwarded either. */
export async function rawToBothPorts(bytes: string): Promise<string> {
  const from = freshAddress();
  return (await raw(bytes, { from })) + (await raw(bytes, { from, port: 80 }));
}

/** Sends the paths over keep-alive connections, 20 each, each from a new address. */
export async function sendAll(paths: readonly string[], ...headers: readonly string[]): Promise<void> {
  for (let start = 0; start < paths.length; start += 20) {
    const requests = paths
      .slice(start, start + 20)
      .map((path) => [`GET ${path} HTTP/1.1`, `Host: ${NAME}`, ...headers, '', '']);
    const last = lines('GET /api/ping HTTP/1.1');
    await raw(requests.map((one) => one.join('\r\n')).join('') + last, { from: freshAddress() });
  }
}

/** Requests to the gate: by Node's client, and as raw bytes for what no client would send. */
import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { CERTIFICATE, NAME } from './gate-nginx.ts';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  /** When each piece of the body came, in milliseconds after the request. */
  times: number[];
}

export interface Question {
  method?: string;
  headers?: Record<string, string | string[]>;
  body?: string | Buffer | NodeJS.ReadableStream;
  /** The address to ask from: failed attempts are counted by it. One of IPv6 asks the gate there. */
  from?: string;
  port?: number;
}

let agent: Agent | undefined;

/** What every TLS client needs to know to reach the gate. */
export function target(): RequestOptions & { servername: string } {
  return { host: '127.0.0.1', port: 443, servername: NAME, ca: readFileSync(CERTIFICATE) };
}

/** Node frames the body of a DELETE only when it is told its length. */
function framing(body: Question['body']): Record<string, string> {
  if (typeof body !== 'string' && !Buffer.isBuffer(body)) return {};
  return { 'content-length': `${Buffer.byteLength(body)}` };
}

function options(
  path: string,
  { method = 'GET', headers = {}, from, body, port = 443 }: Question,
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

/** One request over HTTP/1.1. */
export function ask(path: string, question: Question = {}): Promise<Answer> {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const asked = request(options(path, question), (response) => {
      const pieces: Buffer[] = [];
      const times: number[] = [];
      response.on('data', (piece: Buffer) => {
        pieces.push(piece);
        times.push(performance.now() - start);
      });
      response.on('error', reject);
      response.on('end', () => {
        const body = Buffer.concat(pieces).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body, times });
      });
    });
    // A reload closes idle connections, which the client learns when it uses one again.
    asked.on('error', (error) => (asked.reusedSocket ? resolve(ask(path, question)) : reject(error)));
    if (question.body === undefined || typeof question.body === 'string' || Buffer.isBuffer(question.body))
      asked.end(question.body);
    else question.body.pipe(asked);
  });
}

/** The header of a client. */
export function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` };
}

function open(port: number, from: string): Socket {
  const socket = connectPlain({ host: '127.0.0.1', port, localAddress: from });
  if (port !== 443) return socket;
  return connectTls({ socket, servername: NAME, ca: readFileSync(CERTIFICATE), ALPNProtocols: ['http/1.1'] });
}

/** Sends the bytes as they are (latin1) and gives back all that comes until the other side closes or is quiet. */
export function raw(bytes: string, { port = 443, from = '127.0.0.1', quiet = 400 } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    let got = '';
    const socket = open(port, from)
      .setEncoding('latin1')
      .setTimeout(quiet, () => socket.destroy());
    socket.on('data', (piece) => {
      got += piece;
    });
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' ? resolve(got) : reject(error),
    );
    socket.on('close', () => resolve(got));
    socket.write(bytes, 'latin1');
  });
}

/** A request for raw(), which asks for the end of the connection. */
export function lines(requestLine: string, ...headers: readonly string[]): string {
  return [requestLine, `Host: ${NAME}`, 'Connection: close', ...headers, '', ''].join('\r\n');
}

/** The status of each answer in what raw() gave. */
export function statuses(got: string): number[] {
  return [...got.matchAll(/^HTTP\/1\.[01] (\d{3}) /gm)].map((match) => Number(match[1]));
}

let hosts = 0;

/** An address of this machine that has not failed yet. */
export function freshAddress(): string {
  hosts += 1;
  return `127.${1 + (hosts >> 16)}.${(hosts >> 8) & 255}.${hosts & 255}`;
}

/** Both ports: what the plain one redirects must not pass it on either. */
export async function everywhere(bytes: string): Promise<string> {
  const from = freshAddress();
  return (await raw(bytes, { from })) + (await raw(bytes, { from, port: 80 }));
}

/** Sends the paths over kept-alive connections, 20 each, from a new address each. */
export async function sendAll(paths: readonly string[], ...headers: readonly string[]): Promise<void> {
  for (let at = 0; at < paths.length; at += 20) {
    const some = paths
      .slice(at, at + 20)
      .map((path) => [`GET ${path} HTTP/1.1`, `Host: ${NAME}`, ...headers, '', '']);
    const last = lines('GET /api/ping HTTP/1.1');
    await raw(some.map((one) => one.join('\r\n')).join('') + last, { from: freshAddress() });
  }
}

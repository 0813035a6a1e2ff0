/** Shared by the stand-ins: routing, bodies, timed streams, and a log of every request. */
import { appendFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** One request, with what handlers need. */
export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
}
export type Handler = (call: Call) => Promise<void> | void;
/** `METHOD /path` to handler; a trailing `*` matches any suffix. */
export type Routes = Readonly<Record<string, Handler>>;

export function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(value)}\n`);
}

export function text(response: ServerResponse, type: string, body: string | Buffer, status = 200): void {
  response.writeHead(status, { 'content-type': type }).end(body);
}

export async function countBody(request: IncomingMessage): Promise<number> {
  let bytes = 0;
  for await (const chunk of request) bytes += (chunk as Buffer).length;
  return bytes;
}

export async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString();
  return body === '' ? {} : (JSON.parse(body) as Record<string, unknown>);
}

function queryNumber(url: URL, name: string, fallback: number): number {
  return Number(url.searchParams.get(name) ?? fallback);
}

/** The only model of the stand-in for Ollama. */
export const MODEL = 'tiny:latest';

/** A route with a fixed response. */
export function answer(value: unknown): Handler {
  return async ({ request, response }) => {
    await countBody(request);
    json(response, value);
  };
}

/** Waits `?silent=SECONDS`, like a model that is being loaded. */
export async function waitIfSilent({ url }: Call): Promise<void> {
  await sleep(1000 * queryNumber(url, 'silent', 0));
}

/** Sends the chunks one by one, `?every=MILLISECONDS` apart (100 by default). */
export async function stream(call: Call, type: string, parts: readonly string[]): Promise<void> {
  const { response, url } = call;
  response.writeHead(200, { 'content-type': type });
  for (const part of parts) {
    if (response.destroyed) return;
    response.write(part);
    await sleep(queryNumber(url, 'every', 100));
  }
  response.end();
}

/** The words of a response; `?pieces=N` sets their number. */
export function words({ url }: Call): string[] {
  return Array.from({ length: queryNumber(url, 'pieces', 5) }, (_, at) => (at === 0 ? 'Hello' : ` ${at}`));
}

/** Returns the request as received, for tests of what the proxy sends. */
export async function echo({ request, response }: Call): Promise<void> {
  const bytes = await countBody(request);
  const { method, url, headers, rawHeaders } = request;
  json(response, { method, url, headers, rawHeaders, bytes });
}

function find(routes: Routes, method: string, path: string): Handler | undefined {
  const exact = routes[`${method} ${path}`] ?? routes[`* ${path}`];
  const isPrefix = (key: string) =>
    key.endsWith('*') &&
    [`${method} ${path}`, `* ${path}`].some((candidate) => candidate.startsWith(key.slice(0, -1)));
  return exact ?? routes[Object.keys(routes).find(isPrefix) ?? ''];
}

function headerPair(header: string): [string, string] {
  const [name = '', ...value] = header.split(':');
  return [name, value.join(':')];
}

/** Records a client's disconnect before the end of its response: path and time, in the file BACKEND_ABORTS. */
function recordAbort({ url }: IncomingMessage): void {
  const file = process.env.BACKEND_ABORTS;
  if (file) appendFileSync(file, `${JSON.stringify({ url, at: Date.now() })}\n`);
}

function log(service: string, { method, url, headers }: IncomingMessage): void {
  const line = `${JSON.stringify({ service, method, url, authorized: headers.authorization !== undefined })}\n`;
  const file = process.env.BACKEND_LOG;
  if (file === undefined) process.stdout.write(line);
  else if (file !== '') appendFileSync(file, line);
}

/** A server that logs each request to the file BACKEND_LOG (stdout if unset, nowhere if empty). */
export function serve(service: string, routes: Routes, otherwise: Handler): Server {
  return createServer((request, response) => {
    log(service, request);
    // A path like //x is not a valid relative URL, so the base is prepended as text.
    const url = new URL(`http://stand-in${request.url ?? '/'}`);
    // `?header=NAME:VALUE` adds a header to the response.
    for (const header of url.searchParams.getAll('header')) response.setHeader(...headerPair(header));
    response.on('close', () => response.writableFinished || recordAbort(request));
    const handler = find(routes, request.method ?? '', url.pathname) ?? otherwise;
    Promise.resolve(handler({ request, response, url })).catch((error: unknown) => {
      if (!response.headersSent) json(response, { error: String(error) }, 400);
      else response.destroy();
    });
  });
}

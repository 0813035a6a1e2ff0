/** Requests over a few connections that are used again, for many small questions in a row. */
import { once } from 'node:events';
import http from 'node:http';
import type { Duplex } from 'node:stream';
import type { CheckTarget } from '../../model/check.ts';
import { connectTls } from './connect.ts';
import { codeOf, NoAnswerError } from './failures.ts';
import { type Answer, read, urlOf } from './request.ts';

export interface Pool {
  /** Asks for a request target as it stands; a connection closed in place of an answer gives status 0. */
  get(path: string): Promise<Answer>;
  close(): void;
}

/** A balancer or a tunnel may mind more at once. */
const CONNECTIONS = 6;
const CLOSED = new Set(['ECONNRESET', 'EPIPE']);

/** Nothing secret goes over it: its certificate is not asked for. */
export function openPool(target: CheckTarget): Pool {
  const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  agent.createConnection = (_, done) => {
    const options = { rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] };
    const dialled: Promise<Duplex> = connectTls(target, target.port ?? 443, options);
    dialled.then(
      (socket) => done?.(null, socket),
      (error: Error) => done?.(error, undefined as never),
    );
    return undefined as never;
  };
  return { get: (path) => ask(agent, target, path), close: () => agent.destroy() };
}

async function ask(agent: http.Agent, target: CheckTarget, path: string): Promise<Answer> {
  try {
    const sent = http.request({ agent, path, headers: { host: target.serverName } });
    sent.on('error', () => {});
    const answered = once(sent, 'response', { signal: target.signal });
    sent.end();
    const [response]: http.IncomingMessage[] = await answered;
    return await read(response as http.IncomingMessage, { path }, target);
  } catch (error) {
    if (CLOSED.has(codeOf(error)) && !target.signal?.aborted) return { status: 0, headers: {}, body: '' };
    throw new NoAnswerError(`GET ${urlOf(target, { path })}`, target, error);
  }
}

/** Requests over a few reused connections, for many small requests in a row. */
import { once } from 'node:events';
import http from 'node:http';
import type { Duplex } from 'node:stream';
import type { CheckTarget } from '../../model/check.ts';
import { connectTls } from './connect.ts';
import { codeOf, NoAnswerError } from './failures.ts';
import { type Answer, read, urlOf } from './request.ts';
import { inTurn, RequestSlots } from './slots.ts';

export interface Pool {
  /** Requests the target exactly as written; a connection closed without a response gives status 0. */
  get(path: string): Promise<Answer>;
  close(): void;
}

/** More at once could be too many for a load balancer or a tunnel. */
const CONNECTIONS = 6;
const CLOSED = new Set(['ECONNRESET', 'EPIPE']);

/** No secret is sent over it, so its certificate is not verified. */
export function openPool(target: CheckTarget): Pool {
  const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  agent.createConnection = (_, done) => {
    const options = { rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] };
    const connecting: Promise<Duplex> = connectTls(target, target.port ?? 443, options);
    connecting.then(
      (socket) => done?.(null, socket),
      (error: Error) => done?.(error, undefined as never),
    );
    return undefined as never;
  };
  // What waits for one of these connections must not take the turn of another check.
  const queue = new RequestSlots(CONNECTIONS);
  const get = (path: string) => queue.run(() => inTurn(target, () => send(agent, target, path)));
  return { get, close: () => agent.destroy() };
}

async function send(agent: http.Agent, target: CheckTarget, path: string): Promise<Answer> {
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

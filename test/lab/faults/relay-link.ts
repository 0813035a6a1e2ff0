/** One connection through the relay: bytes in order, late by half a round trip, broken where a fault says so. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

type Direction = 'up' | 'down';
export type Break = 'fin' | 'rst' | 'freeze';

/** What happens to a connection once so many bytes went through it; `up` is towards the server. */
export interface Fault {
  kind: Break;
  direction: Direction;
  afterBytes: number;
  /** How long after those bytes; at once unless given. */
  afterMs?: number;
  /** Which connections: the next one only (the default), or all until healed. */
  connections?: 'next' | 'all';
}

/** Where the relay leads, and how far away that is. */
interface Target {
  host: string;
  port: number;
  oneWayMs: number;
}

export interface Link {
  target: Target;
  client: Socket;
  server?: Socket;
  fault: Fault | undefined;
  state: 'open' | 'broken' | 'frozen';
  passed: Record<Direction, number>;
  queue: Record<Direction, Promise<void>>;
}

/** Runs something one way's time from now, after all that was queued in that direction before. */
function later(link: Link, direction: Direction, run: () => void): void {
  const due = performance.now() + link.target.oneWayMs;
  link.queue[direction] = link.queue[direction].then(async () => {
    const wait = due - performance.now();
    if (wait > 0) await sleep(wait);
    run();
  });
}

/** Resets a connection. Node's own resetAndDestroy sends a FIN ahead, which a slow reader takes for an orderly end. */
function reset(socket: Socket | undefined): void {
  if (socket) Object.assign(socket, { resetAndClosing: true }).destroy();
}

/** Breaks a connection now, on both sides. */
export function cut(link: Link, kind: Break): void {
  link.state = kind === 'freeze' ? 'frozen' : 'broken';
  for (const socket of [link.client, link.server]) {
    if (kind === 'fin') socket?.end();
    if (kind === 'rst') reset(socket);
    if (kind === 'freeze') socket?.pause();
  }
}

/** Hands bytes on, up to the one at which this connection is to break; all of them where that comes some time later. */
function pass(link: Link, direction: Direction, to: Socket, bytes: Buffer): void {
  if (!to.writable) return;
  const fault = link.fault?.direction === direction ? link.fault : undefined;
  const room = fault ? fault.afterBytes - link.passed[direction] : Number.POSITIVE_INFINITY;
  const part = fault?.afterMs === undefined ? bytes.subarray(0, Math.min(room, bytes.length)) : bytes;
  link.passed[direction] += part.length;
  to.write(part);
  if (fault && bytes.length >= room) breakBy(link, fault);
}

function breakBy(link: Link, { kind, afterMs }: Fault): void {
  link.fault = undefined;
  if (afterMs === undefined) cut(link, kind);
  else setTimeout(cut, afterMs, link, kind);
}

function flow(link: Link, direction: Direction, from: Socket, to: () => Socket | undefined): void {
  const act = (what: (socket: Socket) => void) =>
    later(link, direction, () => {
      const socket = to();
      if (socket && link.state === 'open') what(socket);
    });
  from.setNoDelay(true);
  from.on('data', (bytes: Buffer) => act((socket) => pass(link, direction, socket, bytes)));
  from.on('end', () => act((socket) => socket.end()));
  from.on('error', () => act(reset));
}

/** Reaches the server as late as a handshake over a link of that length would. */
async function reach(link: Link): Promise<void> {
  const { host, port, oneWayMs } = link.target;
  if (oneWayMs > 0) await sleep(oneWayMs * 3);
  if (link.client.destroyed || link.state !== 'open') return;
  link.server = connect({ host, port, allowHalfOpen: true });
  flow(link, 'down', link.server, () => link.client);
}

/** Joins a client that was just accepted to the target. */
export function join(client: Socket, target: Target, fault: Fault | undefined): Link {
  const none = Promise.resolve();
  const passed = { up: 0, down: 0 };
  const link: Link = { target, client, fault, state: 'open', passed, queue: { up: none, down: none } };
  link.queue.up = reach(link);
  flow(link, 'up', client, () => link.server);
  return link;
}

/** One connection through the relay: bytes in order, delayed by half a round trip, cut at a fault. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

type Direction = 'up' | 'down';
export type Break = 'fin' | 'rst' | 'freeze';

/** What happens to a connection after a number of bytes; `up` is toward the server. */
export interface Fault {
  kind: Break;
  direction: Direction;
  afterBytes: number;
  /** Delay after those bytes; none by default. */
  afterMs?: number;
  /** Affected connections: only the next one (the default), or all until healed. */
  connections?: 'next' | 'all';
}

/** The relay's target, and its distance. */
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
  forwarded: Record<Direction, number>;
  queue: Record<Direction, Promise<void>>;
}

/** Runs an action after the one-way delay, and after everything queued before it in that direction. */
function afterDelay(link: Link, direction: Direction, run: () => void): void {
  const due = performance.now() + link.target.oneWayMs;
  link.queue[direction] = link.queue[direction].then(async () => {
    const wait = due - performance.now();
    if (wait > 0) await sleep(wait);
    run();
  });
}

/** Sends a RST. Node's resetAndDestroy sends a FIN first, which a slow reader takes for an orderly end. */
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

/** Forwards bytes up to the point of the fault, or all of them if the fault has a delay. */
function forward(link: Link, direction: Direction, receiver: Socket, bytes: Buffer): void {
  if (!receiver.writable) return;
  const fault = link.fault?.direction === direction ? link.fault : undefined;
  const remaining = fault ? fault.afterBytes - link.forwarded[direction] : Number.POSITIVE_INFINITY;
  const chunk = fault?.afterMs === undefined ? bytes.subarray(0, Math.min(remaining, bytes.length)) : bytes;
  link.forwarded[direction] += chunk.length;
  receiver.write(chunk);
  if (fault && bytes.length >= remaining) applyFault(link, fault);
}

function applyFault(link: Link, { kind, afterMs }: Fault): void {
  link.fault = undefined;
  if (afterMs === undefined) cut(link, kind);
  else setTimeout(cut, afterMs, link, kind);
}

function flow(link: Link, direction: Direction, from: Socket, to: () => Socket | undefined): void {
  const whenOpen = (action: (socket: Socket) => void) =>
    afterDelay(link, direction, () => {
      const socket = to();
      if (socket && link.state === 'open') action(socket);
    });
  from.setNoDelay(true);
  from.on('data', (bytes: Buffer) => whenOpen((socket) => forward(link, direction, socket, bytes)));
  from.on('end', () => whenOpen((socket) => socket.end()));
  from.on('error', () => whenOpen(reset));
}

/** Connects to the server after the duration of a handshake over a link with this delay. */
async function connectToServer(link: Link): Promise<void> {
  const { host, port, oneWayMs } = link.target;
  if (oneWayMs > 0) await sleep(oneWayMs * 3);
  if (link.client.destroyed || link.state !== 'open') return;
  link.server = connect({ host, port, allowHalfOpen: true });
  flow(link, 'down', link.server, () => link.client);
}

/** Connects a newly accepted client to the target. */
export function join(client: Socket, target: Target, fault: Fault | undefined): Link {
  const idle = Promise.resolve();
  const forwarded = { up: 0, down: 0 };
  const link: Link = { target, client, fault, state: 'open', forwarded, queue: { up: idle, down: idle } };
  link.queue.up = connectToServer(link);
  flow(link, 'up', client, () => link.server);
  return link;
}

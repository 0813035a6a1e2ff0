/** A TCP relay that adds latency and breaks connections on request: relay.ts PORT TARGET_HOST TARGET_PORT ROUND_TRIP_MS. */
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export type Direction = 'up' | 'down';
export type Break = 'fin' | 'rst' | 'freeze';

/** What happens to a connection once so many bytes went through it; `up` is towards the server. */
export interface Fault {
  kind: Break;
  direction: Direction;
  afterBytes: number;
  /** Which connections: the next one only (the default), or all until healed. */
  connections?: 'next' | 'all';
}

/** Connections accepted so far, and the bytes that the newest of them carried. */
export interface Traffic {
  connections: number;
  up: number;
  down: number;
}

export type Command = { do: 'fault'; fault: Fault } | { do: 'cut'; kind: Break } | { do: 'heal' | 'traffic' };

interface Link {
  client: Socket;
  server?: Socket;
  fault: Fault | undefined;
  state: 'open' | 'broken' | 'frozen';
  passed: Record<Direction, number>;
  queue: Record<Direction, Promise<void>>;
}

const [port = '0', host = '', targetPort = '', roundTrip = '0'] = process.argv.slice(2);
const oneWay = Number(roundTrip) / 2;
const links = new Set<Link>();
const traffic: Traffic = { connections: 0, up: 0, down: 0 };
let pending: Fault | undefined;
let newest: Link | undefined;

function takeFault(): Fault | undefined {
  const fault = pending;
  if (fault?.connections !== 'all') pending = undefined;
  return fault;
}

/** Runs something one way's time from now, after all that was queued in that direction before. */
function later(link: Link, direction: Direction, run: () => void): void {
  const due = performance.now() + oneWay;
  link.queue[direction] = link.queue[direction].then(async () => {
    const wait = due - performance.now();
    if (wait > 0) await sleep(wait);
    run();
  });
}

function cut(link: Link, kind: Break): void {
  link.state = kind === 'freeze' ? 'frozen' : 'broken';
  for (const socket of [link.client, link.server]) {
    if (kind === 'fin') socket?.end();
    if (kind === 'rst') socket?.resetAndDestroy();
    if (kind === 'freeze') socket?.pause();
  }
}

/** Hands bytes on, up to the one at which this connection is to break. */
function pass(link: Link, direction: Direction, to: Socket, bytes: Buffer): void {
  if (link.state !== 'open' || !to.writable) return;
  const fault = link.fault?.direction === direction ? link.fault : undefined;
  const room = fault ? fault.afterBytes - link.passed[direction] : Number.POSITIVE_INFINITY;
  const part = bytes.subarray(0, Math.min(room, bytes.length));
  link.passed[direction] += part.length;
  if (link === newest) traffic[direction] = link.passed[direction];
  to.write(part);
  if (fault && bytes.length >= room) cut(link, fault.kind);
}

function flow(link: Link, direction: Direction, from: Socket, to: () => Socket | undefined): void {
  const unbroken = (act: (socket: Socket) => void) => () => {
    const socket = to();
    if (socket && link.state === 'open') act(socket);
  };
  from.setNoDelay(true);
  from.on('data', (bytes: Buffer) =>
    later(
      link,
      direction,
      unbroken((s) => pass(link, direction, s, bytes)),
    ),
  );
  from.on('end', () =>
    later(
      link,
      direction,
      unbroken((s) => s.end()),
    ),
  );
  from.on('error', () =>
    later(
      link,
      direction,
      unbroken((s) => s.resetAndDestroy()),
    ),
  );
  from.on('close', () => links.delete(link));
}

/** Reaches the server as late as a handshake over a link of that length would. */
async function open(link: Link): Promise<void> {
  if (oneWay > 0) await sleep(oneWay * 3);
  if (link.client.destroyed || link.state !== 'open') return;
  link.server = connect({ port: Number(targetPort), host, allowHalfOpen: true });
  flow(link, 'down', link.server, () => link.client);
}

function accept(client: Socket): void {
  const none = Promise.resolve();
  const link: Link = {
    client,
    fault: takeFault(),
    state: 'open',
    passed: { up: 0, down: 0 },
    queue: { up: none, down: none },
  };
  Object.assign(traffic, { connections: traffic.connections + 1, up: 0, down: 0 });
  process.send?.({ traffic });
  newest = link;
  links.add(link);
  link.queue.up = open(link);
  flow(link, 'up', client, () => link.server);
}

function obey(command: Command): void {
  if (command.do === 'fault') pending = command.fault;
  if (command.do === 'cut') for (const link of links) cut(link, command.kind);
  if (command.do !== 'heal') return;
  pending = undefined;
  for (const link of links) if (link.state === 'frozen') cut(link, 'rst');
}

if (process.send) {
  process.on('message', ({ id, command }: { id: number; command: Command }) => {
    obey(command);
    process.send?.({ id, traffic });
  });
  process.on('disconnect', () => process.exit());
  const server = createServer({ allowHalfOpen: true }, accept);
  server.listen(Number(port), () => process.send?.({ traffic }));
}

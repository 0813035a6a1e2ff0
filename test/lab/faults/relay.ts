/**
 * A TCP relay that adds latency and breaks connections on command: relay.ts PORT TARGET_HOST TARGET_PORT ROUND_TRIP_MS.
 */
import { createServer, type Socket } from 'node:net';
import { type Break, cut, type Fault, join, type Link } from './relay-link.ts';

/** Connections accepted so far, and the bytes forwarded on the newest one. */
export interface Traffic {
  connections: number;
  up: number;
  down: number;
}

export type Command = { do: 'fault'; fault: Fault } | { do: 'cut'; kind: Break } | { do: 'heal' | 'traffic' };

const [port = '', host = '', targetPort = '', roundTrip = '0'] = process.argv.slice(2);
const target = { host, port: Number(targetPort), oneWayMs: Number(roundTrip) / 2 };
const links = new Set<Link>();
let connections = 0;
let newest: Link | undefined;
let pending: Fault | undefined;

function report(id?: number): void {
  const { up, down } = newest?.forwarded ?? { up: 0, down: 0 };
  process.send?.({ id, traffic: { connections, up, down } satisfies Traffic });
}

function takeFault(): Fault | undefined {
  const fault = pending;
  if (fault?.connections !== 'all') pending = undefined;
  return fault;
}

function accept(client: Socket): void {
  connections += 1;
  const link = join(client, target, takeFault());
  newest = link;
  links.add(link);
  client.on('close', () => links.delete(link));
  report();
}

function heal(): void {
  pending = undefined;
  for (const link of links) if (link.state === 'frozen') cut(link, 'rst');
}

function execute(command: Command): void {
  if (command.do === 'fault') pending = command.fault;
  if (command.do === 'cut') for (const link of links) cut(link, command.kind);
  if (command.do === 'heal') heal();
}

process.on('message', ({ id, command }: { id: number; command: Command }) => {
  execute(command);
  report(id);
});
process.on('disconnect', () => process.exit());
createServer({ allowHalfOpen: true }, accept).listen(Number(port), () => report());

/** Connections as a client on the internet makes them, directly or by the way that the target names. */
import { once } from 'node:events';
import net from 'node:net';
import { addAbortSignal, type Duplex } from 'node:stream';
import tls from 'node:tls';
import type { CheckTarget } from './check.ts';

/** Opens a TCP connection. Throws what the system says. */
export async function connect(target: CheckTarget, port: number): Promise<Duplex> {
  if (target.open !== undefined) return watched(await target.open(port), target);
  const socket = net.connect({ host: target.address ?? target.serverName, port });
  watched(socket, target);
  await once(socket, 'connect', { signal: target.signal });
  return socket;
}

/** Speaks TLS over a connection. An address is no server name (RFC 6066, section 3). */
export async function secure(
  target: CheckTarget,
  raw: Duplex,
  options: tls.ConnectionOptions,
): Promise<tls.TLSSocket> {
  const name = net.isIP(target.serverName) === 0 ? { servername: target.serverName } : {};
  const socket = tls.connect({ socket: raw, host: target.serverName, ...name, ...options });
  watched(socket, target);
  await once(socket, 'secureConnect', { signal: target.signal });
  return socket;
}

/** An error after the last listener went would end the process; the time limit ends the connection. */
function watched<T extends Duplex>(socket: T, target: CheckTarget): T {
  socket.on('error', () => {});
  return target.signal === undefined ? socket : addAbortSignal(target.signal, socket);
}

/** Connections as a client on the internet makes them, directly or by the way that the target names. */
import { once } from 'node:events';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import type { CheckTarget } from '../../model/check.ts';

/** Opens a TCP connection. Throws what the system says. */
export async function connect(target: CheckTarget, port: number): Promise<Duplex> {
  if (target.open !== undefined) return watched(await target.open(port));
  const socket = net.connect({ host: target.address ?? target.serverName, port });
  return reached(watched(socket), 'connect', target);
}

/** Opens a connection and speaks TLS on it. An address is no server name (RFC 6066, section 3). */
export async function connectTls(
  target: CheckTarget,
  port: number,
  options: tls.ConnectionOptions,
): Promise<tls.TLSSocket> {
  const raw = await connect(target, port);
  const name = net.isIP(target.serverName) === 0 ? { servername: target.serverName } : {};
  const socket = tls.connect({ socket: raw, host: target.serverName, ...name, ...options });
  // (!) Never the other way round: Node 20 crashes when the connection under a TLS socket is destroyed first.
  socket.once('close', () => raw.destroy());
  return reached(watched(socket), 'secureConnect', target);
}

async function reached<T extends Duplex>(socket: T, event: string, { signal }: CheckTarget): Promise<T> {
  try {
    await once(socket, event, { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** An error after the last listener went would end the process. */
function watched<T extends Duplex>(socket: T): T {
  socket.on('error', () => {});
  return socket;
}

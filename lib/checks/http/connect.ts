/** Opens connections as a client on the internet does, directly or with the target's own method. */
import { once } from 'node:events';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import type { CheckTarget } from '../../model/check.ts';

/** Opens a TCP connection. Throws the system error. */
export async function connect(target: CheckTarget, port: number): Promise<Duplex> {
  if (target.open !== undefined) return withErrorListener(await target.open(port));
  const socket = net.connect({ host: target.address ?? target.serverName, port });
  return reached(withErrorListener(socket), 'connect', target);
}

/** Opens a TLS connection. An IP address is not sent as the server name (RFC 6066, section 3). */
export async function connectTls(
  target: CheckTarget,
  port: number,
  options: tls.ConnectionOptions,
): Promise<tls.TLSSocket> {
  const raw = await connect(target, port);
  const name = net.isIP(target.serverName) === 0 ? { servername: target.serverName } : {};
  const socket = tls.connect({ socket: raw, host: target.serverName, ...name, ...options });
  // (!) Never the other way round: Node 20 crashes if the connection below a TLS socket is destroyed first.
  socket.once('close', () => raw.destroy());
  return reached(withErrorListener(socket), 'secureConnect', target);
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

/** An error after the last listener would end the process. */
function withErrorListener<T extends Duplex>(socket: T): T {
  socket.on('error', () => {});
  return socket;
}

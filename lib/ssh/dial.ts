/** The stream to the first hop: a TCP connection, or the ProxyCommand of the SSH configuration. */
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Hop } from './hops.ts';
import { startProxyCommand } from './proxy-command.ts';
import { dialError, dialTimeout } from './ssh-errors.ts';
import { LIMITS, within } from './timeouts.ts';

/**
 * @param signal aborts when the stream is no longer needed
 * @throws SshError that names the hop
 */
export async function dial(hop: Hop, signal: AbortSignal): Promise<Duplex> {
  return hop.proxyCommand === undefined ? dialTcp(hop, signal) : startProxyCommand(hop.proxyCommand);
}

function dialTcp(hop: Hop, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ host: hop.host, port: hop.port, noDelay: true, signal });
  const opened = new Promise<Socket>((resolve, reject) => {
    socket.once('connect', () => resolve(socket));
    socket.on('error', (error) => reject(dialError(hop, error)));
  });
  return within(opened, LIMITS.hop, () => {
    socket.destroy();
    return dialTimeout(hop);
  });
}

/** The stream to a hop: a TCP connection, a ProxyCommand, or a stream forwarded by the previous hop. */
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import { SshError } from '../util/errors.ts';
import type { Hop } from './hops.ts';
import { startProxyCommand } from './proxy-command.ts';
import { dialError, dialTimeout, openError, openTimeout } from './ssh-errors.ts';
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

interface From {
  readonly hop: Hop;
  readonly client: Client;
  readonly lost: () => SshError | undefined;
}

/** @throws SshError that names the hop which forbids forwarding, cannot reach the address, or was lost */
export async function openStream(from: From, next: Hop): Promise<Duplex> {
  try {
    return await within(forward(from.client, next), LIMITS.open, () => openTimeout(from.hop, next));
  } catch (error) {
    if (error instanceof SshError) throw error;
    throw from.lost() ?? openError(from.hop, next, error as Error);
  }
}

const forward = (client: Client, { host, port }: Hop) =>
  new Promise<Duplex>((resolve, reject) => {
    client.forwardOut('127.0.0.1', 0, host, port, (error, stream) => {
      if (error) reject(error);
      else resolve(stream.on('error', () => {}));
    });
  });

/** A stream from a hop to another address, as seen from there. */
import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import { SshError } from '../util/errors.ts';
import type { Hop } from './hops.ts';
import { openError, openTimeout } from './ssh-errors.ts';
import { LIMITS, within } from './timeouts.ts';

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

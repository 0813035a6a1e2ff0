/** Connections shared by a run's requests: a new one costs two round trips, a request on an open one costs one. */
import http from 'node:http';
import type { Duplex } from 'node:stream';
import type { SharedConnections } from '../../model/check.ts';

/** More idle connections could be too many for a load balancer or a tunnel. */
const IDLE = 6;

/** Opens a connection; for a secret, only to a server with a valid certificate. */
type Open = (isSecret: boolean) => Promise<Duplex>;

export class Connections implements SharedConnections {
  readonly #agents: Readonly<Record<'secret' | 'other', http.Agent>>;

  constructor(open: Open) {
    this.#agents = { secret: agent(() => open(true)), other: agent(() => open(false)) };
  }

  /**
   * Separate agents for requests with a secret, and for all others, which may go to a server with an invalid
   * certificate.
   */
  agentFor(isSecret: boolean): http.Agent {
    return this.#agents[isSecret ? 'secret' : 'other'];
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }
}

function agent(open: () => Promise<Duplex>): http.Agent {
  const made = new http.Agent({ keepAlive: true, maxFreeSockets: IDLE });
  made.createConnection = (_, done) => {
    open().then(
      (socket) => done?.(null, socket),
      (error: Error) => done?.(error, undefined as never),
    );
    return undefined as never;
  };
  return made;
}

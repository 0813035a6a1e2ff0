/** Starts a relay in front of a host's sshd, and controls it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Place } from '../namespaces/network.ts';
import { letGo, PATH, typescript } from '../namespaces/process.ts';
import type { Command, Traffic } from './relay.ts';
import type { Break, Fault } from './relay-link.ts';

export const RELAY_PORT = 2222;

/** One relay: sets up faults, cuts what is open, and counts. */
export interface Relay {
  /** Connections accepted so far. */
  readonly connections: number;
  /** Lets the next connection (or all) break after so many bytes. */
  fault(fault: Fault): Promise<void>;
  /** Breaks every connection that is open now. */
  cut(kind: Break): Promise<void>;
  /** No more faults; frozen connections are reset. */
  heal(): Promise<void>;
  /** Connections so far and the bytes of the newest one. */
  traffic(): Promise<Traffic>;
}

interface Reply {
  id?: number;
  traffic: Traffic;
}

/** Starts a relay on a port of a host, in front of a service (sshd unless given) at that host's own address. */
export async function startRelay(
  place: Place,
  roundTripMs: number,
  port = RELAY_PORT,
  service = 22,
): Promise<Relay> {
  const args = [port, place.lan, service, roundTripMs].map(String);
  const relay = typescript('test/lab/faults/relay.ts', args);
  const child = spawn('nsenter', [`--net=/run/netns/${place.name}`, process.execPath, ...relay], {
    env: { PATH },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  let latest: Traffic = { connections: 0, up: 0, down: 0 };
  let count = 0;
  const waiting = new Map<number, (traffic: Traffic) => void>();
  child.on('message', ({ id, traffic }: Reply) => {
    latest = traffic;
    if (id === undefined) return;
    waiting.get(id)?.(traffic);
    waiting.delete(id);
    if (waiting.size === 0) child.channel?.unref();
  });
  const ask = (command: Command) =>
    new Promise<Traffic>((resolve) => {
      const id = count++;
      waiting.set(id, resolve);
      child.channel?.ref();
      child.send({ id, command });
    });
  await once(child, 'message');
  letGo(child);
  return {
    get connections() {
      return latest.connections;
    },
    fault: async (fault) => void (await ask({ do: 'fault', fault })),
    cut: async (kind) => void (await ask({ do: 'cut', kind })),
    heal: async () => void (await ask({ do: 'heal' })),
    traffic: () => ask({ do: 'traffic' }),
  };
}

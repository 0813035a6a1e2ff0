/** Starts and controls a relay in front of a host's sshd. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { HostSpec } from '../namespaces/network.ts';
import { PATH, typescript, unrefChild } from '../namespaces/process.ts';
import type { Command, Traffic } from './relay.ts';
import type { Break, Fault } from './relay-link.ts';

export const RELAY_PORT = 2222;

/** Control of one relay. */
export interface Relay {
  /** Connections accepted so far. */
  readonly connections: number;
  /** Sets a fault for the next connection, or for all. */
  fault(fault: Fault): Promise<void>;
  /** Breaks every open connection now. */
  cut(kind: Break): Promise<void>;
  /** Clears all faults; resets frozen connections. */
  heal(): Promise<void>;
  /** Connections so far, and the bytes of the newest one. */
  traffic(): Promise<Traffic>;
}

interface Reply {
  id?: number;
  traffic: Traffic;
}

/** Starts a relay on a port of a host, in front of one of its LAN services (sshd by default). */
export async function startRelay(
  spec: HostSpec,
  roundTripMs: number,
  port = RELAY_PORT,
  service = 22,
): Promise<Relay> {
  const args = [port, spec.lan, service, roundTripMs].map(String);
  const relay = typescript('test/lab/faults/relay.ts', args);
  const child = spawn('nsenter', [`--net=/run/netns/${spec.name}`, process.execPath, ...relay], {
    env: { PATH },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  let latest: Traffic = { connections: 0, up: 0, down: 0 };
  let count = 0;
  const pending = new Map<number, (traffic: Traffic) => void>();
  child.on('message', ({ id, traffic }: Reply) => {
    latest = traffic;
    if (id === undefined) return;
    pending.get(id)?.(traffic);
    pending.delete(id);
    if (pending.size === 0) child.channel?.unref();
  });
  const send = (command: Command) =>
    new Promise<Traffic>((resolve) => {
      const id = count++;
      pending.set(id, resolve);
      child.channel?.ref();
      child.send({ id, command });
    });
  await once(child, 'message');
  unrefChild(child);
  return {
    get connections() {
      return latest.connections;
    },
    fault: async (fault) => void (await send({ do: 'fault', fault })),
    cut: async (kind) => void (await send({ do: 'cut', kind })),
    heal: async () => void (await send({ do: 'heal' })),
    traffic: () => send({ do: 'traffic' }),
  };
}

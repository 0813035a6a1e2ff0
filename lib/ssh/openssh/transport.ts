/**
 * The transport over the system's ssh program: one shared connection per hop, each through the previous jump host's.
 */
import type { Hop } from '../hops.ts';
import type { Connection, OpenJump } from '../session.ts';
import { LIMITS } from '../timeouts.ts';
import { execShared } from './exec.ts';
import { openStream } from './forward.ts';
import { type Master, openMaster } from './master.ts';

/** The connections to jump hosts, the one nearest to the proxy last; none for direct connections. */
export interface Jump extends OpenJump {
  readonly last: Master | undefined;
}

/** Logs in to the jump hosts, each through the previous one. @throws SshError that names the hop that failed */
export async function openJump(hops: readonly Hop[]): Promise<Jump> {
  const masters: Master[] = [];
  const close = () => {
    for (const master of masters.toReversed()) master.close();
  };
  try {
    for (const hop of hops) masters.push(await openMaster(hop, masters.at(-1)));
  } catch (error) {
    close();
    throw error;
  }
  const last = masters.at(-1);
  return { last, lost: () => last?.lost(), close };
}

/**
 * Connects to one proxy through jump hosts, which stay open when this connection is closed.
 * @throws SshError that names the hop
 */
export async function connectThrough(target: Hop, opening: Jump | Promise<Jump>): Promise<Connection> {
  const { last } = await opening;
  const master = await openMaster(target, last);
  return {
    run: (command, input, onLine = () => {}, limitMs = LIMITS.run) =>
      execShared(master, command, input, onLine, limitMs),
    forward: (host, port) =>
      openStream(master, { ...target, label: `${host} behind ${target.label}`, host, port }),
    close: master.close,
  };
}

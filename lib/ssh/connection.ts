/** The transport over ssh2: connects hop by hop, runs commands on the proxy, opens streams from there. */
import type { Duplex } from 'node:stream';
import { dial } from './dial.ts';
import { execCommand } from './exec.ts';
import type { Hop } from './hops.ts';
import type { Link, Prepared } from './login.ts';
import type { Connection, OpenJump } from './session.ts';
import { LIMITS } from './timeouts.ts';

/** How hops are reached: directly, or through a jump host that many proxies share. */
export interface Jump extends OpenJump {
  readonly depth: number;
  /** @param signal aborts when the stream is no longer needed */
  reach(hop: Hop, signal: AbortSignal): Promise<Duplex>;
}

/**
 * Logs in to the jump hosts, each through the previous one; without any, hops are dialed directly.
 * @throws SshError that names the hop that failed
 */
export async function openJump(hops: readonly Hop[]): Promise<Jump> {
  let jump = dialDirectly;
  const prepared = hops.map((hop) => [hop, prepareLink(hop)] as const);
  try {
    for (const [hop, preparing] of prepared) jump = through(await link(hop, jump, preparing), jump);
    return jump;
  } catch (error) {
    jump.close();
    throw error;
  }
}

/**
 * Connects to one proxy through a jump host, which stays open when this connection is closed.
 * @throws SshError that names the hop
 */
export async function connectThrough(target: Hop, opening: Jump | Promise<Jump>): Promise<Connection> {
  const prepared = prepareLink(target);
  const jump = await opening;
  const targetLink = await link(target, jump, prepared);
  const proxyLink: Link = { ...targetLink, lost: () => rootCause(targetLink, jump) };
  return {
    run: (command, input, onLine = () => {}, limitMs = LIMITS.run) =>
      execCommand(proxyLink, command, input, onLine, limitMs),
    forward: (host, port) =>
      proxyLink.open({ ...target, label: `${host} behind ${target.label}`, host, port }),
    close: targetLink.close,
  };
}

const dialDirectly: Jump = { depth: 0, reach: dial, lost: () => undefined, close: () => {} };

const through = (made: Link, before: Jump): Jump => ({
  depth: before.depth + 1,
  reach: made.open,
  lost: () => rootCause(made, before),
  close: () => closeAll([made, before]),
});

/** A lost jump host breaks every connection behind it, so its error is reported. */
const rootCause = (made: Link, before: Jump) => made.lost() && (before.lost() ?? made.lost());

const closeAll = (parts: readonly { close(): void }[]) => {
  for (const part of parts) part.close();
};

interface Preparing {
  readonly module: Promise<typeof import('./login.ts')>;
  readonly prepared: Promise<Prepared>;
}

/** Loads ssh2 and reads keys and known_hosts while the connection is being opened; network latency hides the cost. */
function prepareLink(hop: Hop): Preparing {
  const module = import('./login.ts');
  const prepared = module.then(({ prepare }) => prepare(hop));
  prepared.catch(() => {});
  return { module, prepared };
}

async function link(hop: Hop, jump: Jump, preparing: Preparing): Promise<Link> {
  const waiting = new AbortController();
  const reached = jump.reach(hop, waiting.signal);
  reached.catch(() => {});
  try {
    const [{ logIn }, prepared] = await Promise.all([preparing.module, preparing.prepared]);
    return await logIn(prepared, await reached, jump.depth);
  } catch (error) {
    waiting.abort();
    reached.then((stream) => stream.destroy()).catch(() => {});
    throw jump.lost() ?? error;
  }
}

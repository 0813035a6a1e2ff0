/** The way to a proxy: connects hop by hop, runs commands there, opens streams from there. */
import { connect as dialTcp, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SshError } from './errors.ts';
import type { Hop } from './ssh-config.ts';
import { dialError, dialTimeout } from './ssh-explain.ts';
import { LIMITS, within } from './ssh-limits.ts';
import type { Link } from './ssh-link.ts';
import type { Outcome } from './ssh-run.ts';

export type { Outcome } from './ssh-run.ts';

export interface Connection {
  /** Runs a command, gives it `input` and end of file; a lost connection is told in the outcome, not thrown. */
  run(command: string, input: string, onLine?: (line: string) => void, limitMs?: number): Promise<Outcome>;
  /** A stream to an address as seen from the proxy. */
  forward(host: string, port: number): Promise<Duplex>;
  /** Ends the connection, and the jump host's when it is not shared; the process may exit at once. */
  close(): void;
}

/** What hops are reached through: the network itself, or a jump host; one serves many proxies. */
export interface Jump {
  readonly depth: number;
  reach(hop: Hop): Promise<Duplex>;
  lost(): SshError | undefined;
  close(): void;
}

/**
 * Connects to the last hop through the others.
 * @throws SshError naming the hop that failed
 */
export async function connect(hops: readonly Hop[]): Promise<Connection> {
  const target = hops.at(-1);
  if (!target) throw new Error('no hop to connect to');
  const jump = await openJump(hops.slice(0, -1));
  try {
    const connection = await connectThrough(target, jump);
    return { ...connection, close: () => [connection, jump].forEach((each) => void each.close()) };
  } catch (error) {
    jump.close();
    throw error;
  }
}

/**
 * Logs in to the jump hosts, each through the one before; without any, hops are dialled directly.
 * @throws SshError naming the hop that failed
 */
export async function openJump(hops: readonly Hop[]): Promise<Jump> {
  let jump = direct;
  try {
    for (const hop of hops) jump = await through(await link(hop, jump), jump);
    return jump;
  } catch (error) {
    jump.close();
    throw error;
  }
}

/**
 * Connects to one proxy behind an open jump host, which stays open when this connection is closed.
 * @throws SshError naming the hop
 */
export async function connectThrough(target: Hop, jump: Jump): Promise<Connection> {
  const [{ runOn }, { openWay }] = [await import('./ssh-run.ts'), await import('./ssh-link.ts')];
  const made = await link(target, jump);
  const own: Link = { ...made, lost: () => (made.lost() ? (jump.lost() ?? made.lost()) : undefined) };
  return {
    run: (command, input, onLine = () => {}, limitMs = LIMITS.run) =>
      runOn(own, command, input, onLine, limitMs),
    forward: (host, port) => openWay(own, { ...target, label: `${host} behind ${target.label}`, host, port }),
    close: () => end(made),
  };
}

const direct: Jump = { depth: 0, reach: dial, lost: () => undefined, close: () => {} };

async function through(made: Link, before: Jump): Promise<Jump> {
  const { openWay } = await import('./ssh-link.ts');
  return {
    depth: before.depth + 1,
    reach: (hop) => openWay(made, hop),
    lost: () => (made.lost() ? (before.lost() ?? made.lost()) : undefined),
    close: () => {
      end(made);
      before.close();
    },
  };
}

/** The way is opened while ssh2 is being loaded and the keys are read: at a distance, both are free. */
async function link(hop: Hop, jump: Jump): Promise<Link> {
  const reached = jump.reach(hop);
  reached.catch(() => {});
  try {
    const { prepare, logIn } = await import('./ssh-link.ts');
    const prepared = await prepare(hop);
    return await logIn(prepared, await reached, jump.depth);
  } catch (error) {
    reached.then((stream) => stream.destroy()).catch(() => {});
    throw (jump.lost() && error) ?? error;
  }
}

function dial(hop: Hop): Promise<Socket> {
  const socket = dialTcp({ host: hop.host, port: hop.port, noDelay: true });
  const opened = new Promise<Socket>((resolve, reject) => {
    socket.once('connect', () => resolve(socket));
    socket.on('error', (error) => reject(dialError(hop, error)));
  });
  opened.catch(() => socket.destroy());
  return within(opened, LIMITS.hop, () => {
    socket.destroy();
    return dialTimeout(hop);
  });
}

/** Says goodbye, then lets go: a dead line must not hold the process until its own timers run out. */
function end({ client }: Link): void {
  client.end();
  setTimeout(() => client.destroy(), 200).unref();
}

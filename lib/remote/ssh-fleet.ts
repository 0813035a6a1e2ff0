/** The proxies of a site over SSH, behind shared connections to jump hosts. */
import { judgeFiles, type SshAccess } from '../config/ssh-access.ts';
import { COMMAND } from '../program/program.ts';
import { askSshConfig, type Hop, resolveHops } from '../ssh/hops.ts';
import { type JumpPool, newJumpPool } from '../ssh/jump-pool.ts';
import type { Connection, Transport } from '../ssh/session.ts';
import { inParallel, remembering } from '../util/parallel.ts';
import type { Fleet, ProxyHost, Target } from './target.ts';
import { chooseTransport } from './transport.ts';

/** Each lookup runs `ssh -G`, a process. */
const LOOKUPS_AT_ONCE = 8;

const LOOPBACK = '127.0.0.1';

/** Every proxy with the hops to it, without making a connection. */
export async function sshFleet(access: SshAccess): Promise<Fleet> {
  // Loaded in parallel: ssh2 takes as long to load as `ssh -G` to run.
  if (access.transport !== 'openssh') import('../ssh/login.ts').catch(() => {});
  await judgeFiles(access);
  const { jump, isJumpExplicit, defaults, knownHosts, hosts, user, port, key } = access;
  const withKey = key ? { key } : {};
  const target = (host: string) => ({ host, ...(user && { user }), ...(port && { port }), ...withKey });
  const before = jump && { ...jump, ...withKey };
  const ask = remembering(askSshConfig);
  const routes = await inParallel(hosts, LOOKUPS_AT_ONCE, (host) =>
    resolveHops(target(host), before, isJumpExplicit, defaults, knownHosts, ask),
  );
  const { transport, notice } = await chooseTransport(access.transport, routes.flat());
  const jumps = newJumpPool(transport);
  const targets = routes.map((hops, index) => sshTarget(hosts[index] as string, hops, transport, jumps));
  return { targets, ...(notice && { notice }), close: jumps.close };
}

function sshTarget(host: string, hops: readonly Hop[], transport: Transport, jumps: JumpPool): Target {
  const before = hops.slice(0, -1);
  const last = hops.at(-1) as Hop;
  return {
    host,
    hops,
    connect: async (onBegin) => {
      const nearest = before.at(-1);
      if (nearest) onBegin(`connect to ${nearest.label}`);
      const opening = jumps.open(before);
      opening.then(() => onBegin('connect')).catch(() => {});
      const connection = await transport.connectThrough(last, opening);
      return sshProxy(host, connection, {
        again: () => transport.connectThrough(last, jumps.again(before)),
        ...(nearest && { jump: () => transport.connectThrough(nearest, jumps.open(before.slice(0, -1))) }),
      });
    },
  };
}

interface Dial {
  again(): Promise<Connection>;
  /** A separate connection to the jump host, for rare requests. */
  jump?: () => Promise<Connection>;
}

function sshProxy(host: string, first: Connection, { again, jump }: Dial): ProxyHost {
  const made = async (dial: () => Promise<Connection>) => {
    const connection = await dial();
    all.push(connection);
    return connection;
  };
  let current = first;
  const all = [first];
  return {
    host,
    run: (text, onLine) => current.run(COMMAND, text, onLine),
    reconnect: async () => {
      current = await made(again);
    },
    open: (port, address = LOOPBACK) => current.forward(address, port),
    ...(jump && { openFromJump: async (name, port) => (await made(jump)).forward(name, port) }),
    // An abandoned connection may still carry a running program: none is closed before the end.
    close: () => {
      for (const connection of all) connection.close();
    },
  };
}

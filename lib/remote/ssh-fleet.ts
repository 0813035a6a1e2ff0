/** The proxies of a site over SSH, behind shared connections to jump hosts. */
import { judgeFiles, type SshAccess } from '../config/ssh-access.ts';
import { COMMAND } from '../program/program.ts';
import { type Connection, connectThrough } from '../ssh/connection.ts';
import { askSshConfig, type Hop, resolveHops } from '../ssh/hops.ts';
import { type JumpPool, newJumpPool } from '../ssh/jump-pool.ts';
import { inParallel, remembering } from '../util/parallel.ts';
import type { Fleet, ProxyHost, Target } from './target.ts';

/** Each lookup runs `ssh -G`, a process. */
const LOOKUPS_AT_ONCE = 8;

const LOOPBACK = '127.0.0.1';

/** Every proxy with the hops to it; nothing is contacted yet. */
export async function sshFleet(access: SshAccess): Promise<Fleet> {
  // ssh2 takes as long to load as `ssh -G` to answer.
  import('../ssh/login.ts').catch(() => {});
  await judgeFiles(access);
  const { jump, defaults, knownHosts, hosts, user, port, key } = access;
  const withKey = key ? { key } : {};
  const target = (host: string) => ({ host, ...(user && { user }), ...(port && { port }), ...withKey });
  const before = jump && { ...jump, ...withKey };
  const ask = remembering(askSshConfig);
  const jumps = newJumpPool();
  const targets = await inParallel(hosts, LOOKUPS_AT_ONCE, async (host) => {
    const isExplicit = jump?.isExplicit ?? true;
    const hops = await resolveHops(target(host), before, isExplicit, defaults, knownHosts, ask);
    return sshTarget(host, hops, jumps);
  });
  return { targets, close: jumps.close };
}

function sshTarget(host: string, hops: readonly Hop[], jumps: JumpPool): Target {
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
      const connection = await connectThrough(last, opening);
      return sshProxy(host, connection, () => connectThrough(last, jumps.again(before)));
    },
  };
}

function sshProxy(host: string, first: Connection, dialAgain: () => Promise<Connection>): ProxyHost {
  let current = first;
  const all = [first];
  return {
    host,
    run: (text, onLine) => current.run(COMMAND, text, onLine),
    reconnect: async () => {
      current = await dialAgain();
      all.push(current);
    },
    open: (port) => current.forward(LOOPBACK, port),
    // A connection that was given up may still carry a running program: none is closed before the end.
    close: () => {
      for (const connection of all) connection.close();
    },
  };
}

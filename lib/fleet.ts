/** The proxies of a site: reached through one jump-host connection, each worked on by itself. */

import type { Access } from './access.ts';
import { SshError } from './errors.ts';
import { type HostReport, newReport } from './outcome.ts';
import { COMMAND } from './program.ts';
import type { Remote } from './remote.ts';
import { type Connection, connect, connectThrough, type Jump, openJump } from './ssh.ts';
import { type Hop, resolveHops } from './ssh-config.ts';

/** A proxy and the hops to it, itself the last. */
interface Route {
  readonly host: string;
  readonly hops: readonly Hop[];
}

/** The hops to every proxy; nothing is contacted yet. */
export function routes(access: Access): Promise<readonly Route[]> {
  const { jump, defaults, knownHosts, hosts, user, port, key } = access;
  const withKey = key ? { key } : {};
  const target = (host: string) => ({ host, ...(user && { user }), ...(port && { port }), ...withKey });
  const before = jump && { ...jump, ...withKey };
  return Promise.all(
    hosts.map(async (host) => ({
      host,
      hops: await resolveHops(target(host), before, jump?.isExplicit ?? true, defaults, knownHosts),
    })),
  );
}

/** Runs `work` on every proxy at once; one host's failure neither stops nor hides another's. */
export async function onEveryProxy(
  all: readonly Route[],
  work: (remote: Remote, connectedMs: number) => Promise<HostReport>,
): Promise<readonly HostReport[]> {
  const jumps = new Map<string, Promise<Jump>>();
  const reports = await Promise.all(all.map((route) => onOne(route, jumps, work)));
  for (const jump of jumps.values()) jump.then((open) => open.close()).catch(() => {});
  return reports;
}

async function onOne(
  route: Route,
  jumps: Map<string, Promise<Jump>>,
  work: (remote: Remote, connectedMs: number) => Promise<HostReport>,
): Promise<HostReport> {
  const start = performance.now();
  try {
    const remote = overSsh(route, await dial(route, jumps));
    const connected = Math.round(performance.now() - start);
    try {
      const report = await work(remote, connected);
      return { ...report, milliseconds: { connect: connected, ...report.milliseconds } };
    } finally {
      remote.close();
    }
  } catch (error) {
    if (!(error instanceof SshError)) throw error;
    return { ...newReport(route.host), failure: { code: 'ssh', text: error.message, advice: error.advice } };
  }
}

/** Proxies behind the same jump host share its connection. */
async function dial({ hops }: Route, jumps: Map<string, Promise<Jump>>): Promise<Connection> {
  const before = hops.slice(0, -1);
  const name = JSON.stringify(before);
  const jump = jumps.get(name) ?? openJump(before);
  jumps.set(name, jump);
  return connectThrough(hops.at(-1) as Hop, await jump);
}

function overSsh(route: Route, connection: Connection): Remote {
  return {
    host: route.host,
    run: (text, onLine) => connection.run(COMMAND, text, onLine),
    again: async () => overSsh(route, await connect(route.hops)),
    close: () => connection.close(),
  };
}

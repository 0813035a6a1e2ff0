/** The proxies of a site: reached through one jump-host connection, each worked on by itself. */
import type { Duplex } from 'node:stream';
import type { Flags } from '../config/flag-table.ts';
import { judgeFiles, type SshAccess } from '../config/ssh-access.ts';
import { type HostReport, isWell, NOT_TRIED, newReport } from '../model/host-report.ts';
import { COMMAND } from '../program/program.ts';
import { type Connection, connectThrough } from '../ssh/connection.ts';
import { askSshConfig, type Hop, resolveHops } from '../ssh/hops.ts';
import { type JumpPool, newJumpPool } from '../ssh/jump-pool.ts';
import { SshError, UsageError } from '../util/errors.ts';
import { inParallel, remembering } from '../util/parallel.ts';
import type { Remote } from './transact.ts';

/** A place where programs run, and whose own services can be asked. */
export interface ProxyHost extends Remote {
  /** A stream to this port of the host, as the host itself reaches it. */
  open(port: number): Promise<Duplex>;
}

/** What is done on one proxy; `connectedMs` is how long the login took. */
export type Work = (proxy: ProxyHost, connectedMs: number) => Promise<HostReport>;

/** Hears how it goes. */
export interface Listener {
  /** What begins on the way to a host. */
  readonly onBegin: (host: string, name: string) => void;
  /** What became of a host, as soon as it is known. */
  readonly onEnd: (report: HostReport) => void;
}

/** A proxy and the hops to it, itself the last. */
interface Route {
  readonly host: string;
  readonly hops: readonly Hop[];
}

/** Each asks `ssh -G`, a process. */
const LOOK_UPS_AT_ONCE = 8;

const LOOPBACK = '127.0.0.1';

/** The hops to every proxy; nothing is contacted yet. */
export async function routes(access: SshAccess): Promise<readonly Route[]> {
  // ssh2 takes as long to load as `ssh -G` to answer.
  import('../ssh/login.ts').catch(() => {});
  await judgeFiles(access);
  const { jump, defaults, knownHosts, hosts, user, port, key } = access;
  const withKey = key ? { key } : {};
  const target = (host: string) => ({ host, ...(user && { user }), ...(port && { port }), ...withKey });
  const before = jump && { ...jump, ...withKey };
  const ask = remembering(askSshConfig);
  return inParallel(hosts, LOOK_UPS_AT_ONCE, async (host) => ({
    host,
    hops: await resolveHops(target(host), before, jump?.isExplicit ?? true, defaults, knownHosts, ask),
  }));
}

/** Runs `work` on every proxy; one host's failure neither stops nor hides another's, unless the first one is the canary. */
export async function onEveryProxy(
  all: readonly Route[],
  work: Work,
  { atOnce = all.length, canary }: Pace,
  { onBegin, onEnd }: Listener,
): Promise<readonly HostReport[]> {
  const jumps = newJumpPool();
  const onOne = async (route: Route) => {
    const report = await diagnosed(await onProxy(route, jumps, work, onBegin));
    onEnd(report);
    return report;
  };
  try {
    if (!canary) return await inParallel(all, atOnce, onOne);
    const [first, others] = [await inParallel(all.slice(0, 1), 1, onOne), all.slice(1)];
    if (!first.every(isWell)) return [...first, ...(await Promise.all(others.map(notTried)))];
    return [...first, ...(await inParallel(others, atOnce, onOne))];
  } finally {
    jumps.close();
  }
}

const notTried = ({ host }: Route): Promise<HostReport> =>
  diagnosed({
    ...newReport(host),
    outcome: 'refused',
    meaning: 'not tried, since all was not well on the first proxy',
    failure: {
      code: NOT_TRIED,
      text: 'not tried: --canary, and all was not well on the first proxy',
      advice: 'Mend what the first proxy tells, then run the same command again.',
    },
  });

/** The report, its failure with cause and fix; the tables of those are loaded only where there is one. */
export async function diagnosed(report: HostReport): Promise<HostReport> {
  if (!report.failure) return report;
  const { withDiagnosis } = await import('../diagnosis/diagnose.ts');
  return withDiagnosis(report);
}

async function onProxy(
  route: Route,
  jumps: JumpPool,
  work: Work,
  onBegin: Listener['onBegin'],
): Promise<HostReport> {
  const start = performance.now();
  try {
    const proxy = overSsh(route, jumps, await dial(route, jumps, onBegin));
    const connected = Math.round(performance.now() - start);
    try {
      const report = await work(proxy, connected);
      return { ...report, milliseconds: { connect: connected, ...report.milliseconds } };
    } finally {
      proxy.close();
    }
  } catch (error) {
    if (!(error instanceof SshError)) throw error;
    return { ...newReport(route.host), failure: { code: 'ssh', text: error.message, advice: error.advice } };
  }
}

async function dial(
  { host, hops }: Route,
  jumps: JumpPool,
  onBegin: Listener['onBegin'],
): Promise<Connection> {
  const before = hops.slice(0, -1);
  const nearest = before.at(-1);
  if (nearest) onBegin(host, `connect to ${nearest.label}`);
  const opening = jumps.open(before);
  opening.then(() => onBegin(host, 'connect')).catch(() => {});
  return connectThrough(hops.at(-1) as Hop, opening);
}

function overSsh(route: Route, jumps: JumpPool, connection: Connection): ProxyHost {
  const again = async () => {
    const opening = jumps.again(route.hops.slice(0, -1));
    return overSsh(route, jumps, await connectThrough(route.hops.at(-1) as Hop, opening));
  };
  return {
    host: route.host,
    run: (text, onLine) => connection.run(COMMAND, text, onLine),
    again,
    open: (port) => connection.forward(LOOPBACK, port),
    close: () => connection.close(),
  };
}

export interface Pace {
  /** How many proxies at once; undefined: all. */
  readonly atOnce?: number;
  /** The first proxy alone first; unless all is well there, the others are left alone. */
  readonly canary: boolean;
}

const MOST = 100;

/** @throws UsageError for a number that none can be */
export function paceOf({ parallel, canary }: Pick<Flags, 'parallel' | 'canary'>): Pace {
  if (parallel === undefined) return { canary };
  const atOnce = /^[1-9]\d{0,2}$/.test(parallel) ? Number(parallel) : MOST + 1;
  if (atOnce > MOST) throw new UsageError([`--parallel: must be a number from 1 to ${MOST}`]);
  return { atOnce, canary };
}

/** Runs one change on every proxy of a site, and tells it as it happens. */
import type { Context } from './context.ts';
import { onEveryProxy, type ProxyHost, routes, type Work } from './fleet.ts';
import type { HostReport, RemoteEvent } from './outcome.ts';
import { type Pace, paceOf } from './pace.ts';
import { outcomeProgram } from './program.ts';
import { type Program, type Remote, transact } from './remote.ts';
import type { Run } from './run.ts';
import { newRun } from './run.ts';
import type { Hop } from './ssh/config.ts';

/**
 * Sends `text`, the program of `run`, to every proxy; the reports come in the order of the hosts.
 * @param changes is the program made to change anything? What changes nothing needs no second question.
 * @param then what follows on each proxy while its connection is open
 */
export async function change(
  context: Context,
  run: Run,
  text: string,
  changes = true,
  then = async (_proxy: ProxyHost, host: HostReport): Promise<HostReport> => host,
): Promise<readonly HostReport[]> {
  const program = { id: run.id, text };
  return onHosts(context, async (proxy) => then(proxy, await runOn(context, proxy, program, changes)));
}

/** Connects to every proxy, does `work` there, tells what became of each; one host's failure leaves the others at work. */
export async function onHosts(
  context: Context,
  work: (proxy: ProxyHost) => Promise<HostReport>,
): Promise<readonly HostReport[]> {
  const { report, flags } = context;
  const pace = paceOf(flags);
  if (flags.local) {
    const { onThisMachine } = await import('./local.ts');
    return [account(context, await onThisMachine(context, work))];
  }
  const reports = await onRoutes(context, pace, async (proxy, connected) => {
    report.tell({ kind: 'step', host: proxy.host, name: 'connect', milliseconds: connected, ok: true });
    return account(context, await work(proxy));
  });
  // Who could not be reached has no account yet.
  for (const host of reports) if (host.failure?.code === 'ssh') account(context, host);
  return reports;
}

async function onRoutes({ site, settings, report }: Context, pace: Pace, work: Work) {
  const all = await routes(settings.access);
  const hops = new Set(all.flatMap((route) => route.hops.map(describe)));
  for (const text of hops) report.tell({ kind: 'detail', text });
  const by = all[0]?.hops.length === 1 ? 'directly' : `through ${all[0]?.hops.at(-2)?.host}`;
  report.tell({ kind: 'title', text: `${site.name} on ${settings.access.hosts.join(', ')}, ${by}` });
  return onEveryProxy(all, work, pace);
}

/** Runs one program on one host; an interruption meanwhile tells of the host. */
export async function runOn(
  { site, settings, report, underWay }: Context,
  remote: Remote,
  program: Program,
  changes: boolean,
): Promise<HostReport> {
  const { host } = remote;
  const whose = named(settings.access.hosts, host);
  const tell = (event: RemoteEvent) =>
    report.tell(event.kind === 'step' ? { ...event, host } : { ...event, text: whose(event.text) });
  const ask = async () => {
    const asking = newRun();
    return { id: asking.id, text: await outcomeProgram(asking, site, program.id) };
  };
  underWay.hosts.add(host);
  try {
    return await transact(remote, program, changes ? ask : undefined, tell);
  } finally {
    underWay.hosts.delete(host);
  }
}

const describe = ({ label, host, user, port, keys }: Hop): string =>
  `${label}: ${user}@${host} port ${port}, ${keys.length > 0 ? keys.join(', ') : 'agent'}`;

/** Where several proxies are at work, what is told of one begins with its name. */
const named = (hosts: readonly string[], host: string) => (text: string) =>
  hosts.length > 1 ? `${host}: ${text}` : text;

/** Tells what became of a host, all at once: others are at work meanwhile. */
function account({ report, settings }: Context, done: HostReport): HostReport {
  const { host, outcome, failure, drift, files, todo } = done;
  const whose = named(settings.access.hosts, host);
  for (const { path, how } of drift)
    report.tell({ kind: 'warning', text: whose(`${path} was ${how} by hand since the last release`) });
  if (outcome === 'applied' || outcome === 'planned')
    for (const { path } of files.filter(({ changed }) => changed))
      report.tell({ kind: 'file', path: whose(path) });
  if (failure) report.tell({ kind: 'failure', host, failure, todo });
  return done;
}

/** Runs one change on every proxy of a site, and tells it as it happens. */
import { type Context, newRun } from './cli.ts';
import { onEveryProxy, routes } from './fleet.ts';
import type { HostReport, RemoteEvent } from './outcome.ts';
import { outcomeProgram, type Run } from './program.ts';
import { type Program, type Remote, transact } from './remote.ts';
import type { Hop } from './ssh-config.ts';

/**
 * Sends `text`, the program of `run`, to every proxy; the reports come in the order of the hosts.
 * @param changes is the program made to change anything? What changes nothing needs no second question.
 */
export async function change(
  context: Context,
  run: Run,
  text: string,
  changes = true,
): Promise<readonly HostReport[]> {
  return onHosts(context, (remote) => runOn(context, remote, { id: run.id, text }, changes));
}

/** Connects to every proxy, does `work` there, tells what became of each; one host's failure leaves the others at work. */
export async function onHosts(
  context: Context,
  work: (remote: Remote) => Promise<HostReport>,
): Promise<readonly HostReport[]> {
  const { site, settings, report } = context;
  const all = await routes(settings.access);
  for (const { hops } of all) for (const hop of hops) report.tell({ kind: 'detail', text: describe(hop) });
  const by = all[0]?.hops.length === 1 ? 'directly' : `through ${all[0]?.hops.at(-2)?.host}`;
  report.tell({ kind: 'title', text: `${site.name} on ${settings.access.hosts.join(', ')}, ${by}` });
  const reports = await onEveryProxy(all, (remote, connected) => {
    report.tell({ kind: 'step', host: remote.host, name: 'connect', milliseconds: connected, ok: true });
    return work(remote);
  });
  for (const host of reports) account(context, host);
  return reports;
}

/** Runs one program on one host; an interruption meanwhile tells of the host. */
export async function runOn(
  { site, report, underWay }: Context,
  remote: Remote,
  program: Program,
  changes: boolean,
): Promise<HostReport> {
  const { host } = remote;
  const tell = (event: RemoteEvent) => report.tell(event.kind === 'step' ? { ...event, host } : event);
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

/** What is told of a host once it is done. */
function account({ report }: Context, { host, outcome, failure, drift, files, todo }: HostReport): void {
  for (const { path, how } of drift)
    report.tell({ kind: 'warning', text: `${path} was ${how} by hand since the last release` });
  if (outcome === 'applied' || outcome === 'planned')
    for (const { path } of files.filter(({ changed }) => changed)) report.tell({ kind: 'file', path });
  if (failure) report.tell({ kind: 'failure', host, failure, todo });
}

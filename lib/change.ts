/** Runs one change on every proxy of a site, and tells it as it happens. */
import { type Context, newRun } from './cli.ts';
import { onEveryProxy, routes } from './fleet.ts';
import type { HostReport, RemoteEvent } from './outcome.ts';
import { outcomeProgram, type Run } from './program.ts';
import { transact } from './remote.ts';

/** Sends `text`, the program of `run`, to every proxy (`changes`: is it made to change anything there?); the reports come in the order of the hosts. */
export async function change(
  context: Context,
  run: Run,
  text: string,
  changes = true,
): Promise<readonly HostReport[]> {
  const { site, settings, report, underWay } = context;
  const all = await routes(settings.access);
  const { hosts } = settings.access;
  const by = all[0]?.hops.length === 1 ? 'directly' : `through ${all[0]?.hops.at(-2)?.host}`;
  report.tell({ kind: 'title', text: `${site.name} on ${hosts.join(', ')}, ${by}` });
  const reports = await onEveryProxy(all, async (remote, connected) => {
    const tell = teller(context, remote.host);
    tell({ kind: 'step', name: 'connect', milliseconds: connected, ok: true });
    underWay.add(remote.host);
    const ask = async () => {
      const asking = newRun();
      return { id: asking.id, text: await outcomeProgram(asking, site, run.id) };
    };
    return transact(remote, { id: run.id, text }, changes ? ask : undefined, tell).finally(() =>
      underWay.delete(remote.host),
    );
  });
  for (const host of reports) account(context, host);
  return reports;
}

const teller =
  ({ report }: Context, host: string) =>
  (event: RemoteEvent) =>
    report.tell(event.kind === 'step' ? { ...event, host } : event);

/** What is told of a host once it is done. */
function account({ report }: Context, { host, outcome, failure, drift, files, todo }: HostReport): void {
  for (const { path, how } of drift)
    report.tell({ kind: 'warning', text: `${path} was ${how} by hand since the last release` });
  if (outcome === 'applied' || outcome === 'planned')
    for (const { path } of files.filter(({ changed }) => changed)) report.tell({ kind: 'file', path });
  if (failure) report.tell({ kind: 'failure', host, failure, todo });
}

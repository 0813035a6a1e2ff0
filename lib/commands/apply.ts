/** Runs one change on every proxy of a site, and tells it as it happens. */
import type { HostReport } from '../model/host-report.ts';
import { newRun, type Program, type Run } from '../model/run.ts';
import { outcomeProgram } from '../program/program.ts';
import {
  diagnosed,
  onEveryProxy,
  type Pace,
  type ProxyHost,
  paceOf,
  routes,
  type Work,
} from '../remote/fleet.ts';
import { thisMachine } from '../remote/local.ts';
import type { RemoteEvent } from '../remote/protocol.ts';
import { type Remote, transact } from '../remote/transact.ts';
import { StopError } from '../util/errors.ts';
import type { Context } from './context.ts';
import { tellEnd, tellFiles, tellRoutes } from './views/apply-view.ts';

type OnProxy = (proxy: ProxyHost) => Promise<HostReport>;

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
  return onHosts(context, async (proxy) => then(proxy, await runProgram(context, proxy, program, changes)));
}

/** Connects to every proxy, does `work` there, tells what became of each; one host's failure leaves the others at work. */
export async function onHosts(context: Context, work: OnProxy): Promise<readonly HostReport[]> {
  const pace = paceOf(context.flags);
  const reports = context.flags.local ? await onThisOne(context, work) : await onRoutes(context, pace, work);
  tellFiles(context.report, reports);
  return reports;
}

async function onThisOne(context: Context, work: OnProxy): Promise<readonly HostReport[]> {
  context.report.tell({ kind: 'title', text: `${context.site.name} on this machine` });
  const done = await diagnosed(await work(thisMachine()));
  tellEnd(context, done);
  return [done];
}

async function onRoutes(context: Context, pace: Pace, work: OnProxy): Promise<readonly HostReport[]> {
  const { settings, report } = context;
  const all = await routes(settings.access);
  tellRoutes(context, all);
  const connected: Work = (proxy, milliseconds) => {
    report.tell({ kind: 'step', host: proxy.host, name: 'connect', milliseconds, ok: true });
    return work(proxy);
  };
  return onEveryProxy(all, connected, pace, {
    onBegin: (host, name) => report.tell({ kind: 'begin', host, name }),
    onEnd: (done) => tellEnd(context, done),
  });
}

/** Runs one program on one host; whatever ends the script from here on tells of the host. */
export async function runProgram(
  { site, report, underWay }: Context,
  remote: Remote,
  program: Program,
  changes: boolean,
): Promise<HostReport> {
  const { host } = remote;
  const tell = (event: RemoteEvent) => report.tell({ ...event, host });
  const ask = async () => {
    const asking = newRun();
    return { id: asking.id, text: await outcomeProgram(asking, site, program.id) };
  };
  if (!changes) return transact(remote, program, undefined, tell);
  underWay.hosts.set(host, undefined);
  try {
    const done = await transact(remote, program, ask, tell);
    underWay.hosts.set(host, done);
    return done;
  } catch (error) {
    // The host would run nothing. After any other error it may still be at work.
    if (error instanceof StopError) underWay.hosts.delete(host);
    throw error;
  }
}

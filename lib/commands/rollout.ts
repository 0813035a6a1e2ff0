/** One piece of work on every proxy of a site, over SSH or on this machine, reported as it happens. */
import type { HostReport } from '../model/host-report.ts';
import type { Program } from '../model/run.ts';
import { outcomeProgram, takingOver } from '../program/program.ts';
import { localFleet } from '../remote/local.ts';
import type { RemoteEvent } from '../remote/protocol.ts';
import { rollOut, strategyOf, workOn } from '../remote/rollout.ts';
import { sshFleet } from '../remote/ssh-fleet.ts';
import type { ProxyHost, Target } from '../remote/target.ts';
import { transact } from '../remote/transact.ts';
import { StopError } from '../util/errors.ts';
import type { Context } from './context.ts';
import { reportEnd, reportFiles, reportRoute, withDiffs } from './views/rollout-view.ts';
import { asRead } from './views/summary.ts';

/** A connected proxy as commands see it. */
export interface RolloutProxy extends Pick<ProxyHost, 'host' | 'open' | 'openFromJump'> {
  /** Runs a program that changes the host (except in a dry run), and learns its outcome even if the connection drops. */
  apply(program: Program): Promise<HostReport>;
  /** Runs a program that changes nothing; `isSilent`: without reporting its steps. */
  read(program: Program, options?: { readonly isSilent?: boolean }): Promise<HostReport>;
}

/**
 * Connects to every proxy and does `work` there: all at once, by --parallel, or the canary first. The failure of one host does
 * not stop the others; the reports are in the order of the hosts.
 */
export async function rollout(
  context: Context,
  work: (proxy: RolloutProxy) => Promise<HostReport>,
): Promise<readonly HostReport[]> {
  const { flags, settings } = context;
  const strategy = strategyOf(flags);
  const fleet = flags.local ? localFleet() : await sshFleet(settings.access);
  reportRoute(context, fleet);
  const hosts = await rollOut(fleet, strategy, async (target) => {
    const report = await workOn(target, listener(context, target), (proxy) =>
      work(rolloutProxy(context, proxy)),
    );
    reportEnd(context, report);
    return report;
  });
  reportFiles(context.report, hosts);
  return withDiffs(context, hosts);
}

/** Connects to every proxy and runs a program that changes nothing. */
export const readAll = (context: Context, program: Program): Promise<readonly HostReport[]> =>
  rollout(context, async (proxy) => asRead(await proxy.read(program)));

const listener = ({ report }: Context, { host }: Target) => ({
  onBegin: (name: string) => report.print({ kind: 'begin', host, name }),
  onConnect: (milliseconds: number) =>
    report.print({ kind: 'step', host, name: 'connect', milliseconds, ok: true }),
});

function rolloutProxy(context: Context, proxy: ProxyHost): RolloutProxy {
  const { host } = proxy;
  const onEvent = (event: RemoteEvent) => context.report.print({ ...event, host });
  const read: RolloutProxy['read'] = (program, { isSilent = false } = {}) =>
    transact(proxy, program, isSilent ? {} : { onEvent });
  return {
    host,
    open: (port, address) => proxy.open(port, address),
    ...(proxy.openFromJump && { openFromJump: proxy.openFromJump }),
    read,
    apply: (program) =>
      context.flags['dry-run'] ? read(program) : applied(context, proxy, program, onEvent),
  };
}

/** Until the outcome is known, an interruption or a crash of this script reports that the host may be changing. */
async function applied(
  context: Context,
  proxy: ProxyHost,
  program: Program,
  onEvent: (event: RemoteEvent) => void,
): Promise<HostReport> {
  const { site, underWay } = context;
  const ask = () => outcomeProgram(site, program.id);
  underWay.hosts.set(proxy.host, undefined);
  try {
    const wanted = context.flags['take-over-lock'] ? takingOver(program) : program;
    const report = await transact(proxy, wanted, { ask, onEvent });
    underWay.hosts.set(proxy.host, report);
    return report;
  } catch (error) {
    // The program was not started. After any other error it may still be running.
    if (error instanceof StopError) underWay.hosts.delete(proxy.host);
    throw error;
  }
}

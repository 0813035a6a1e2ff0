/**
 * The checks of one proxy by itself, by the way that it was reached: a public name leads to one of several only, and an
 * appliance without a name, in a LAN behind a jump host, is seen from nowhere else.
 */
import { issuedOn } from '../model/certificate.ts';
import type { CheckResult } from '../model/check.ts';
import { type Fault, type HostReport, isDone } from '../model/host-report.ts';
import { isNameless } from '../model/site.ts';
import type { ProxyHost } from '../remote/fleet.ts';
import { type Crowd, newCrowd } from '../util/parallel.ts';
import type { Secret } from '../util/secret.ts';
import type { Context } from './context.ts';
import { runSiteChecks } from './site-checks.ts';
import { clientFaults } from './views/client-views.ts';

const isVerified = ({ flags }: Context): boolean => !flags['no-verify'] && !flags['dry-run'];

/** Is each proxy to be asked by itself, beside the public name or in its place? */
const areAskedSingly = ({ site, flags, settings: { access } }: Context): boolean =>
  flags.local || access.hosts.length > 1 || (isNameless(site) && access.jump !== undefined);

/** After this change, is the site to be asked from here, by its name or (a single one without) by its address? */
export const isAskedFromHere = (context: Context, hosts: readonly HostReport[]): boolean =>
  isVerified(context) &&
  hosts.some(isDone) &&
  !context.flags.local &&
  !(isNameless(context.site) && areAskedSingly(context));

/** Warns of a gate without a live client, and returns what is wrong with it. */
export function warnOfClients({ site, report }: Context, host: HostReport): readonly Fault[] {
  const faults = isDone(host) ? clientFaults(host, site) : [];
  for (const { text } of faults) report.tell({ kind: 'warning', host: host.host, text });
  return faults;
}

/**
 * What follows a change on a proxy that is to be asked by itself: the site's checks.
 * @param tokenOn the bearer that opens this host's gate, as far as we know
 */
export function checksAfter(
  context: Context,
  tokenOn: (host: HostReport) => Secret | undefined,
): (proxy: ProxyHost, host: HostReport) => Promise<HostReport> {
  const crowd = newCrowd();
  return async (proxy, host) => {
    if (!isVerified(context) || !areAskedSingly(context) || !isDone(host)) return host;
    const start = performance.now();
    context.report.tell({ kind: 'begin', host: host.host, name: 'checks' });
    const checks = await runHostChecks(context, proxy, host, tokenOn(host), crowd);
    const milliseconds = Math.round(performance.now() - start);
    tellHostChecks(context, host, checks, milliseconds);
    return { ...host, checks, milliseconds: { ...host.milliseconds, checks: milliseconds } };
  };
}

/** Of several proxies only what is not well is told; what passed is counted in the summary. */
function tellHostChecks(
  { report, settings }: Context,
  { host }: HostReport,
  checks: readonly CheckResult[],
  milliseconds: number,
): void {
  report.tell({
    kind: 'step',
    host,
    name: 'checks',
    milliseconds,
    ok: checks.every(({ ok }) => ok),
  });
  const isOne = settings.access.hosts.length === 1;
  const named = (result: CheckResult) =>
    isOne ? result : { ...result, detail: `${host}: ${result.detail}` };
  for (const result of checks)
    if (isOne || result.status === 'failed' || result.status === 'warned')
      report.tell({ kind: 'check', result: named(result) });
}

async function runHostChecks(
  { site }: Context,
  proxy: ProxyHost,
  host: HostReport,
  token: Secret | undefined,
  { among, alone }: Crowd,
): Promise<readonly CheckResult[]> {
  const checks = await site.checks();
  // One that has no name is asked by its address.
  const serverName = isNameless(site) ? proxy.host : site.serverName;
  const open = (port: number) => proxy.open(port);
  const target = {
    serverName,
    isNameless: isNameless(site),
    open,
    issued: issuedOn(host),
    ...(token && { token }),
  };
  const results = await among(() => runSiteChecks(checks, target));
  const failed = checks.filter((_, i) => results[i]?.ok === false);
  if (failed.length === 0 || !failed.every(({ isTimed }) => isTimed)) return results;
  // Only the clock was against it, maybe because the other proxies were asked meanwhile.
  const again = await alone(() => runSiteChecks(failed, target));
  return results.map((result) => again.find(({ name }) => name === result.name) ?? result);
}

/** The checks of one proxy by itself, by the way that it was reached: a public name leads to one of several only. */
import { DEFAULT_CLIENT } from './bearers.ts';
import type { CheckResult } from './checks.ts';
import type { Context } from './context.ts';
import type { ProxyHost } from './fleet.ts';
import type { HostReport } from './outcome.ts';
import { type Crowd, newCrowd } from './parallel.ts';
import { Secret } from './secret.ts';
import { isNameless } from './sites.ts';
import { isDone } from './summary.ts';
import type { Bearer } from './tokens.ts';

/** Is each proxy to be asked by itself, beside the public name or in its place? */
export const areAskedSingly = ({ flags, settings }: Context): boolean =>
  !flags['no-verify'] && !flags['dry-run'] && (flags.local || settings.access.hosts.length > 1);

/** What follows a deploy on one of several proxies, or on this machine: its own services asked. */
export function checksAfter(
  context: Context,
  bearer: Bearer | undefined,
): (proxy: ProxyHost, host: HostReport) => Promise<HostReport> {
  const { report } = context;
  const crowd = newCrowd();
  return async (proxy, host) => {
    if (!areAskedSingly(context) || !isDone(host)) return host;
    const start = performance.now();
    const checks = await ask(context, proxy, tokenOf(context, bearer, host), crowd);
    const milliseconds = Math.round(performance.now() - start);
    const ok = checks.every((check) => check.ok);
    report.tell({ kind: 'step', host: host.host, name: 'checks', milliseconds, ok });
    // Those that passed are counted in the summary.
    for (const result of checks.filter(({ status }) => status === 'failed' || status === 'warned'))
      report.tell({ kind: 'check', result: { ...result, detail: `${host.host}: ${result.detail}` } });
    return { ...host, checks, milliseconds: { ...host.milliseconds, checks: milliseconds } };
  };
}

/** The bearer that opens this host's gate, as far as we know. */
function tokenOf({ site, settings }: Context, bearer: Bearer | undefined, host: HostReport) {
  if (bearer?.role === 'client' || host.generated === DEFAULT_CLIENT) return bearer?.token;
  const given = settings.values[site.checkToken ?? ''];
  return given instanceof Secret ? given : undefined;
}

async function ask(
  { site }: Context,
  proxy: ProxyHost,
  token: Secret | undefined,
  { among, alone }: Crowd,
): Promise<readonly CheckResult[]> {
  const { runChecks } = await import('./checks.ts');
  const checks = await site.checks();
  // One that has no name is asked by its address.
  const serverName = isNameless(site) ? proxy.host : site.serverName;
  const target = { serverName, open: (port: number) => proxy.open(port), ...(token && { token }) };
  const results = await among(() => runChecks(checks, target));
  const failed = checks.filter((_, i) => results[i]?.ok === false);
  if (failed.length === 0 || !failed.every(({ isTimed }) => isTimed)) return results;
  // Only the clock was against it, maybe because the other proxies were asked meanwhile.
  const again = await alone(() => runChecks(failed, target));
  return results.map((result) => again.find(({ name }) => name === result.name) ?? result);
}

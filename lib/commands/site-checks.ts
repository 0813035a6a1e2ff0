/** The checks of a site after a change: from here by its public name, and on each proxy through its own connection. */
import type { Duplex } from 'node:stream';
import { makeChecks } from '../checks/catalog.ts';
import { runChecks, Workload } from '../checks/run-checks.ts';
import { secretOf } from '../config/settings.ts';
import { issuedOn } from '../model/certificate.ts';
import type { Check, CheckResult, CheckTarget } from '../model/check.ts';
import { areWell, type HostReport, isDone } from '../model/host-report.ts';
import { isNameless, originsOf } from '../model/site.ts';
import type { Secret } from '../util/secret.ts';
import type { Context } from './context.ts';
import type { RolloutProxy } from './rollout.ts';

/** The token in the settings for checks. */
export const settingsToken = ({ site, settings }: Context): Secret | undefined =>
  secretOf(settings, site.gate?.token ?? site.checkToken);

/** The target of checks: the site under its public name, unless `via` overrides that. */
export function checkTarget({ site, settings }: Context, via: Partial<CheckTarget>): CheckTarget {
  const { hosts } = settings.access;
  return {
    // Without a name, it is checked by the address of its (first) proxy.
    serverName: (isNameless(site) && hosts[0]) || site.serverName,
    isNameless: isNameless(site),
    proxies: hosts,
    origins: originsOf(site, settings.values),
    inferenceToken: secretOf(settings, site.gate?.inferenceToken),
    ...via,
  };
}

/** The same for one proxy, through its connection, at the addresses that `report` has for the vhost. */
export const proxyTarget = (
  context: Context,
  proxy: RolloutProxy,
  { report, ...via }: Partial<CheckTarget> & { readonly report: HostReport },
): CheckTarget =>
  checkTarget(context, {
    ...(isNameless(context.site) && { serverName: proxy.host }),
    open: openVhost(report, proxy.open),
    ...via,
  });

/** What a client behind a load balancer would have sent first; nginx then keeps the address of the connection. */
const PROXY_PROTOCOL = 'PROXY UNKNOWN\r\n';

/**
 * Opens a port at the address on which the vhost listens: nginx gives a connection to the most specific address, so
 * 127.0.0.1 may belong to another vhost, or to none.
 */
function openVhost(
  { rows }: Pick<HostReport, 'rows'>,
  open: RolloutProxy['open'],
): (port: number) => Promise<Duplex> {
  const listens = rows.listen ?? [];
  return async (port) => {
    const [, address, option] = listens.find(([at]) => at === String(port)) ?? [];
    const stream = await open(port, address?.replace(/^\[|\]$/g, ''));
    if (option === 'proxy_protocol') stream.write(PROXY_PROTOCOL);
    return stream;
  };
}

const workload = new Workload();

/** Runs checks from this process, in which those of several proxies compete for time. */
export const runSiteChecks = (
  checks: readonly Check[],
  target: CheckTarget,
  onResult?: (result: CheckResult) => void,
): Promise<readonly CheckResult[]> => runChecks(checks, target, onResult, workload);

/** Runs checks from here, and reports those in progress and each result. */
export function runReported(
  context: Context,
  checks: readonly Check[],
  target: CheckTarget,
): Promise<readonly CheckResult[]> {
  const { print } = context.report;
  const watched = checks.map(
    (check): Check => ({
      ...check,
      run: (via) => {
        print({ kind: 'asking', check: check.name });
        return check.run(via).finally(() => print({ kind: 'answered', check: check.name }));
      },
    }),
  );
  return runSiteChecks(watched, target, (result) => reportCheck(context, result));
}

/** Reports one result; with --curl also the equivalent curl command. */
export function reportCheck({ report, flags }: Context, result: CheckResult): void {
  report.print({ kind: 'check', result });
  if (flags.curl && result.curl) report.print({ kind: 'text', text: `    ${result.curl}` });
}

/**
 * After a change, runs the site's checks from here, with the bearer that opens the gate, as far as is known; none if they are not
 * wanted or not possible.
 */
export async function verifySite(
  context: Context,
  { hosts, token }: { readonly hosts: readonly HostReport[]; readonly token: Secret | undefined },
): Promise<readonly CheckResult[]> {
  if (!isVerified(context) || !hosts.some(isUnderItsName) || !isSeenFromHere(context)) return [];
  const target = checkTarget(context, { token, issued: hosts.flatMap(issuedOn) });
  context.report.print({ kind: 'title', text: `Checks of https://${target.serverName} from here` });
  return runReported(context, await makeChecks(context.site.checks), target);
}

/** After a change, adds the checks of this proxy alone, if those by the public name are not enough. */
export async function verifyProxy(
  context: Context,
  proxy: RolloutProxy,
  { report, token }: { readonly report: HostReport; readonly token: Secret | undefined },
): Promise<HostReport> {
  if (!isVerified(context) || !isUnderItsName(report) || !isCheckedAlone(context)) return report;
  const target = proxyTarget(context, proxy, { report, token, issued: issuedOn(report) });
  return withChecks(context, report, async () =>
    runSiteChecks(await makeChecks(context.site.checks), target),
  );
}

/** The report of a proxy with the results of checks. For several proxies, only failures and warnings are reported. */
export async function withChecks(
  { report: { print }, settings }: Context,
  report: HostReport,
  run: () => Promise<readonly CheckResult[]>,
): Promise<HostReport> {
  const { host } = report;
  const start = performance.now();
  print({ kind: 'begin', host, name: 'checks' });
  const checks = await run();
  const milliseconds = Math.round(performance.now() - start);
  print({ kind: 'step', host, name: 'checks', milliseconds, ok: areWell(checks) });
  const isOne = settings.access.hosts.length === 1;
  for (const result of checks) {
    if (isOne) print({ kind: 'check', result });
    else if (result.status === 'failed' || result.status === 'warned')
      print({ kind: 'check', result: { ...result, detail: `${host}: ${result.detail}` } });
  }
  return { ...report, checks, milliseconds: { ...report.milliseconds, checks: milliseconds } };
}

/** Is the site served by the name in the settings? A release that was restored may be from before a renaming. */
const isUnderItsName = (report: HostReport): boolean => isDone(report) && report.facts.serves === undefined;

const isVerified = ({ flags }: Context): boolean => !flags['no-verify'] && !flags['dry-run'];

/**
 * Is each proxy checked individually? A public name resolves to only one of several, and an appliance without a name, on a LAN
 * behind a jump host, cannot be reached otherwise.
 */
const isCheckedAlone = ({ site, flags, settings: { access } }: Context): boolean =>
  flags.local || access.hosts.length > 1 || (isNameless(site) && access.jump !== undefined);

/** Can the site be checked from here, by its name or (a single one without) by its address? */
const isSeenFromHere = (context: Context): boolean =>
  !context.flags.local && !(isNameless(context.site) && isCheckedAlone(context));

/** Which checks verify.ts runs, and how it connects: by the public name, to another address, or through SSH to each proxy. */
import { makeChecks } from '../checks/catalog.ts';
import { backendMachines, gateClients } from '../checks/on-proxy.ts';
import { secretOf } from '../config/settings.ts';
import { host as hostForm, port as portForm } from '../config/validators.ts';
import { type Check, type CheckResult, type CheckTarget, checkCounts } from '../model/check.ts';
import { type HostReport, isDone, newReport, withVerdict } from '../model/host-report.ts';
import { isNameless } from '../model/site.ts';
import { statusProgram } from '../program/history-programs.ts';
import { UsageError } from '../util/errors.ts';
import type { Context } from './context.ts';
import type { RolloutProxy } from './rollout.ts';
import {
  checkTarget,
  proxyTarget,
  reportCheck,
  runReported,
  runSiteChecks,
  settingsToken,
} from './site-checks.ts';
import { backendFaults } from './views/backend-views.ts';
import { clientFaults } from './views/client-views.ts';

/**
 * The site's checks; with `--only NAME` those whose name contains NAME, ignoring case.
 * @throws UsageError that lists the names
 */
export async function chosenChecks(context: Context): Promise<readonly Check[]> {
  const { site, flags } = context;
  const checks = [
    ...(await makeChecks(site.checks)),
    ...(asksForClients(context) ? [gateClients] : []),
    ...(hasSeveralMachines(context) ? [backendMachines] : []),
  ];
  const { only } = flags;
  if (only === undefined) return checks;
  const wanted = only.trim().toLowerCase();
  const some = checks.filter(({ name }) => wanted !== '' && name.toLowerCase().includes(wanted));
  if (some.length > 0) return some;
  const names = checks.map(({ name }) => name).join(', ');
  throw new UsageError([`--only ${only}: no such check; there are: ${names}`]);
}

/** Is the proxy queried for the gate's clients? With a known token, a request is enough. */
const asksForClients = ({ site, settings, flags }: Context): boolean =>
  flags['via-ssh'] && site.gate !== undefined && !secretOf(settings, site.gate.token);

/** Are there several machines that report what they are? */
const hasSeveralMachines = ({ site: { backends = {} }, settings: { values } }: Context): boolean =>
  Object.entries(backends).some(([name, { reports }]) => reports && `${values[name] ?? ''}`.includes(','));

type Address = Pick<CheckTarget, 'address' | 'port'>;

/**
 * Parses `--connect-to HOST[:PORT]`; the port replaces 443, as with curl.
 * @throws UsageError if it has another form
 */
export function connectTo({ flags }: Pick<Context, 'flags'>): Address {
  const text = flags['connect-to'];
  if (text === undefined) return {};
  const [, bracketed, bare = '', digits] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(.*))?$/.exec(text) ?? [];
  const address = hostForm.read(bracketed ?? bare);
  const port = digits === undefined ? undefined : portForm.read(digits);
  if (address === undefined || (digits !== undefined && port === undefined))
    throw new UsageError([`--connect-to ${text}: it must be HOST, HOST:PORT or [IPV6]:PORT`]);
  return { address, port };
}

/** Runs the checks from here, by the public name or at another address. */
export async function verifyFromHere(
  context: Context,
  checks: readonly Check[],
  to: Address,
): Promise<HostReport> {
  const target = checkTarget(context, { token: settingsToken(context), ...to });
  context.report.print({ kind: 'title', text: titleOf(context, target.serverName) });
  const { hosts } = context.settings.access;
  if (hosts.length > 1 && to.address === undefined) {
    const text = `one of the ${hosts.length} proxies answers the public name; \`npx tsx scripts/verify.ts --via-ssh\` checks each of them`;
    context.report.print({ kind: 'note', text });
  }
  return checkedReport(target.serverName, () => runReported(context, checks, target));
}

/** Runs the checks through SSH on one proxy, on its own ports. */
export function verifyThroughSsh(
  context: Context,
  checks: readonly Check[],
  proxy: RolloutProxy,
): Promise<HostReport> {
  const { host } = proxy;
  context.report.print({ kind: 'begin', host, name: 'checks' });
  return checkedReport(host, async () => {
    const target = proxyTarget(context, proxy, {
      report: await proxy.read(await statusProgram(context.site, 'listens'), { isSilent: true }),
      token: settingsToken(context),
      faultsOnProxy: (about) => faultsOn(context, proxy, about),
    });
    const results = await runSiteChecks(checks, target);
    reportTogether(context, host, results);
    return results;
  });
}

/** What the proxy itself reports to be wrong with the gate's clients or with the backends. */
async function faultsOn(
  context: Context,
  proxy: RolloutProxy,
  about: 'backends' | 'clients',
): Promise<readonly string[]> {
  const report = await proxy.read(await statusProgram(context.site, about), { isSilent: true });
  if (!isDone(report)) throw new Error(report.failure?.text ?? report.outcome);
  const faults =
    about === 'clients' ? clientFaults(report, context.site) : backendFaults(report, context.site);
  return faults.map(({ text }) => text);
}

/** Title of the checks of a host: what was checked, and over which path. */
export function titleOf({ site, flags }: Context, host: string): string {
  const name = isNameless(site) ? host : site.serverName;
  if (flags['via-ssh']) return `Checks of https://${name} on ${host}, through SSH`;
  const { address } = connectTo({ flags });
  return `Checks of https://${name} ${address === undefined ? 'from here' : `at ${address}`}`;
}

/** In one piece, because the lines of several proxies would mix; for several, passed checks are only counted. */
function reportTogether(context: Context, host: string, results: readonly CheckResult[]): void {
  const { report, settings, flags } = context;
  const isWhole = settings.access.hosts.length === 1 || flags.verbose || flags.curl;
  const isWell = ({ status }: CheckResult) => status === 'passed' || status === 'skipped';
  report.print({ kind: 'title', text: titleOf(context, host) });
  for (const result of results) if (isWhole || !isWell(result)) reportCheck(context, result);
  const text = checkCounts(results.filter(isWell)).join();
  if (!isWhole && text !== '') report.print({ kind: 'point', status: 'passed', text });
}

async function checkedReport(host: string, run: () => Promise<readonly CheckResult[]>): Promise<HostReport> {
  const start = performance.now();
  const checks = await run();
  const milliseconds = { checks: Math.round(performance.now() - start) };
  const report: HostReport = { ...newReport(host), outcome: 'unchanged', checks, milliseconds };
  return withVerdict(report, { meaning: 'checked' });
}

/** Which checks are run, and by which way: by the public name, to another address, through SSH to each proxy. */
import { gateClients } from '../checks/gate/bearer-gate.ts';
import { secretOf } from '../config/settings.ts';
import { host as hostForm, port as portForm } from '../config/validators.ts';
import type { Check, CheckResult, CheckTarget } from '../model/check.ts';
import { checkCounts } from '../model/check.ts';
import { type HostReport, isDone, newReport, type VerifiedHost } from '../model/host-report.ts';
import { newRun } from '../model/run.ts';
import { isNameless } from '../model/site.ts';
import { statusProgram } from '../program/history-programs.ts';
import { onEveryProxy, type ProxyHost, routes } from '../remote/fleet.ts';
import { transact } from '../remote/transact.ts';
import { UsageError } from '../util/errors.ts';
import type { Context, Result } from './context.ts';
import { targetOf, tellCheck, verifyBy, withProgress } from './site-checks.ts';
import { clientFaults } from './views/client-views.ts';
import { conclude } from './views/summary.ts';

/**
 * The site's checks; with `--only NAME` those whose name has NAME in it, whatever its case.
 * @throws UsageError that lists the names
 */
export async function chosenChecks(context: Context): Promise<readonly Check[]> {
  const { site, flags } = context;
  const checks = [...(await site.checks()), ...(asksForClients(context) ? [gateClients] : [])];
  const { only } = flags;
  if (only === undefined) return checks;
  const wanted = only.trim().toLowerCase();
  const some = checks.filter(({ name }) => wanted !== '' && name.toLowerCase().includes(wanted));
  if (some.length > 0) return some;
  const names = checks.map(({ name }) => name).join(', ');
  throw new UsageError([`--only ${only}: no such check; there are: ${names}`]);
}

/** Is the proxy to be asked for the gate's clients? A known bearer finds out by a request. */
const asksForClients = ({ site, settings, flags }: Context): boolean =>
  flags['via-ssh'] && site.gate !== undefined && !secretOf(settings, site.gate.token);

/** What the proxy itself reports to be wrong with the gate's clients. */
async function clientFaultsOn({ site }: Context, proxy: ProxyHost): Promise<readonly string[]> {
  const run = newRun();
  const program = { id: run.id, text: await statusProgram(run, site, 'clients') };
  const report = await transact(proxy, program, undefined, () => {});
  if (!isDone(report)) throw new Error(report.failure?.text ?? report.outcome);
  return clientFaults(report, site).map(({ text }) => text);
}

/**
 * What `--connect-to HOST[:PORT]` says: the port stands for 443, as with curl.
 * @throws UsageError when it says nothing of the kind
 */
export function connectTo({ flags }: Pick<Context, 'flags'>): Pick<CheckTarget, 'address' | 'port'> {
  const text = flags['connect-to'];
  if (text === undefined) return {};
  const [, bracketed, bare = '', digits] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(.*))?$/.exec(text) ?? [];
  const address = hostForm.read(bracketed ?? bare);
  const port = digits === undefined ? undefined : portForm.read(digits);
  if (address === undefined || (digits !== undefined && port === undefined))
    throw new UsageError([`--connect-to ${text}: it must be HOST, HOST:PORT or [IPV6]:PORT`]);
  return { address, port };
}

/** Runs the checks from here. */
export async function fromHere(
  context: Context,
  checks: readonly Check[],
  way: Pick<CheckTarget, 'address' | 'port'>,
): Promise<VerifiedHost> {
  const { serverName } = targetOf(context);
  const by = way.address === undefined ? 'from here' : `at ${way.address}`;
  const title = `Checks of https://${serverName} ${by}`;
  context.report.tell({ kind: 'title', text: title });
  const start = performance.now();
  const results = await verifyBy(context, withProgress(checks, context.report), way);
  return { report: checked(serverName, results, since(start)), title, checks: results };
}

/** Runs the checks through SSH to each proxy, on its own ports; all proxies side by side, by one jump-host connection. */
export async function throughSsh(
  context: Context,
  checks: readonly Check[],
): Promise<readonly VerifiedHost[]> {
  const all = await routes(context.settings.access);
  const { tell } = context.report;
  tell({ kind: 'hosts', hosts: all.map(({ host }) => host) });
  const listener = {
    onBegin: (host: string, name: string) => tell({ kind: 'begin', host, name }),
    onEnd: ({ host }: HostReport) => tell({ kind: 'over', host }),
  };
  const work = (proxy: ProxyHost) => throughOne(context, checks, proxy);
  const reports = await onEveryProxy(all, work, { canary: false }, listener);
  return reports.map((report) => ({
    report: report.failure ? unreached(context, report) : report,
    title: titleOn(context, report.host),
    checks: report.checks ?? [],
  }));
}

const nameOn = (context: Context, host: string): string =>
  isNameless(context.site) ? host : targetOf(context).serverName;

const titleOn = (context: Context, host: string): string =>
  `Checks of https://${nameOn(context, host)} on ${host}, through SSH`;

async function throughOne(context: Context, checks: readonly Check[], proxy: ProxyHost): Promise<HostReport> {
  const { tell } = context.report;
  const { host, open } = proxy;
  const start = performance.now();
  tell({ kind: 'begin', host, name: 'checks' });
  const way = {
    serverName: nameOn(context, host),
    open,
    clientFaults: () => clientFaultsOn(context, proxy),
  };
  const results = await verifyBy(context, checks, way, () => {});
  tellTogether(context, titleOn(context, host), results);
  return checked(host, results, since(start));
}

/** Told in one go, as the lines of several proxies would mix; of several, what is well is only counted. */
function tellTogether(context: Context, title: string, results: readonly CheckResult[]): void {
  const { report, settings, flags } = context;
  const isWhole = settings.access.hosts.length === 1 || flags.verbose || flags.curl;
  const isWell = ({ status }: CheckResult) => status === 'passed' || status === 'skipped';
  report.tell({ kind: 'title', text: title });
  for (const result of results) if (isWhole || !isWell(result)) tellCheck(context, result);
  if (!isWhole && results.some(isWell))
    report.tell({
      kind: 'point',
      status: 'passed',
      text: checkCounts(results.filter(isWell)).join(),
    });
}

/** Who could not be reached has told nothing yet. */
function unreached({ report }: Context, unasked: HostReport): HostReport {
  const { host, failure } = unasked;
  if (failure) report.tell({ kind: 'failure', host, failure });
  return { ...unasked, meaning: 'not reached' };
}

const since = (start: number): number => Math.round(performance.now() - start);

const checked = (host: string, checks: readonly CheckResult[], milliseconds: number): HostReport => ({
  ...newReport(host),
  outcome: 'unchanged',
  meaning: 'checked',
  checks,
  milliseconds: { checks: milliseconds },
});

/** The summary line, the exit status, the JSON with each host's own checks. */
export function concludeChecks(context: Context, all: readonly VerifiedHost[]): Result {
  const reports = all.map(({ report }) => report);
  return conclude(context, reports, [], undefined, (host) => ({
    checks: all.find(({ report }) => report === host)?.checks ?? [],
  }));
}

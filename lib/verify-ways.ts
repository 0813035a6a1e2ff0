/** Which checks are run, and by which way: by the public name, to another address, through SSH to each proxy. */
import type { Check, CheckResult, CheckTarget } from './checks.ts';
import type { Context, Result } from './context.ts';
import { SshError, UsageError } from './errors.ts';
import { routes } from './fleet.ts';
import { host as hostForm, port as portForm } from './forms.ts';
import { type HostReport, newReport } from './outcome.ts';
import { isNameless } from './sites.ts';
import { connect } from './ssh.ts';
import { conclude, counted } from './summary.ts';
import { targetOf, tellCheck, verifyBy } from './verify.ts';
import { watched } from './watched.ts';

/** A host, or the public name, with what its checks found. */
export interface Verified {
  readonly report: HostReport;
  /** What was asked, and by which way. */
  readonly title: string;
  readonly checks: readonly CheckResult[];
}

/**
 * The site's checks; with `--only NAME` those whose name has NAME in it, whatever its case.
 * @throws UsageError that lists the names
 */
export async function chosenChecks({ site, flags }: Context): Promise<readonly Check[]> {
  const checks = await site.checks();
  const { only } = flags;
  if (only === undefined) return checks;
  const wanted = only.trim().toLowerCase();
  const some = checks.filter(({ name }) => wanted !== '' && name.toLowerCase().includes(wanted));
  if (some.length > 0) return some;
  const names = checks.map(({ name }) => name).join(', ');
  throw new UsageError([`--only ${only}: no such check; there are: ${names}`]);
}

/**
 * What `--connect-to HOST[:PORT]` says: the port stands for 443, as with curl.
 * @throws UsageError when it says nothing of the kind, or beside --via-ssh
 */
export function connectTo({ flags }: Pick<Context, 'flags'>): Pick<CheckTarget, 'address' | 'port'> {
  const text = flags['connect-to'];
  if (text === undefined) return {};
  if (flags['via-ssh']) throw new UsageError(['--connect-to and --via-ssh are two ways: give one of them']);
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
): Promise<Verified> {
  const { serverName } = targetOf(context);
  const by = way.address === undefined ? 'from here' : `at ${way.address}`;
  const title = `Checks of https://${serverName} ${by}`;
  context.report.tell({ kind: 'title', text: title });
  const start = performance.now();
  const results = await verifyBy(context, watched(checks, context.report), way);
  return verified(serverName, title, results, { checks: since(start) });
}

/** Runs the checks through one SSH connection to each proxy, on its own ports; all proxies side by side. */
export async function throughSsh(context: Context, checks: readonly Check[]): Promise<readonly Verified[]> {
  const all = await routes(context.settings.access);
  context.report.tell({ kind: 'hosts', hosts: all.map(({ host }) => host) });
  return Promise.all(all.map((route) => throughOne(context, checks, route)));
}

type Route = Awaited<ReturnType<typeof routes>>[number];

async function throughOne(
  context: Context,
  checks: readonly Check[],
  { host, hops }: Route,
): Promise<Verified> {
  const start = performance.now();
  const serverName = isNameless(context.site) ? host : targetOf(context).serverName;
  const title = `Checks of https://${serverName} on ${host}, through SSH`;
  const { tell } = context.report;
  try {
    tell({ kind: 'begin', host, name: 'connect' });
    const connection = await connect(hops);
    const connected = since(start);
    try {
      tell({ kind: 'begin', host, name: 'checks' });
      const open = (port: number) => connection.forward('127.0.0.1', port);
      const results = await verifyBy(context, checks, { serverName, open }, () => {});
      tellTogether(context, title, results);
      return verified(host, title, results, { connect: connected, checks: since(start) - connected });
    } finally {
      connection.close();
    }
  } catch (error) {
    if (!(error instanceof SshError)) throw error;
    return unreached(context, host, title, error);
  } finally {
    tell({ kind: 'over', host });
  }
}

/** Told in one go, as the lines of several proxies would mix; of several, what is well is only counted. */
function tellTogether(context: Context, title: string, results: readonly CheckResult[]): void {
  const { report, settings, flags } = context;
  const isWhole = settings.access.hosts.length === 1 || flags.verbose || flags.curl;
  const isWell = ({ status }: CheckResult) => status === 'passed' || status === 'skipped';
  report.tell({ kind: 'title', text: title });
  for (const result of results) if (isWhole || !isWell(result)) tellCheck(context, result);
  if (!isWhole && results.some(isWell))
    report.tell({ kind: 'point', status: 'passed', text: counted(results.filter(isWell)).join() });
}

function unreached(
  { report }: Context,
  host: string,
  title: string,
  { message, advice }: SshError,
): Verified {
  const failure = { code: 'ssh', text: message, advice };
  report.tell({ kind: 'failure', host, failure });
  return { report: { ...newReport(host), failure, meaning: 'not reached' }, title, checks: [] };
}

const since = (start: number): number => Math.round(performance.now() - start);

function verified(
  host: string,
  title: string,
  checks: readonly CheckResult[],
  milliseconds: Record<string, number>,
): Verified {
  const report: HostReport = {
    ...newReport(host),
    outcome: 'unchanged',
    meaning: 'checked',
    checks,
    milliseconds,
  };
  return { report, title, checks };
}

/** The summary line, the exit status, the JSON with each host's own checks. */
export function concludeChecks(context: Context, all: readonly Verified[]): Result {
  const reports = all.map(({ report }) => report);
  return conclude(context, reports, [], undefined, (host) => ({
    checks: all.find(({ report }) => report === host)?.checks ?? [],
  }));
}

/** Steps of a deploy: the program with the site's files, the gate's clients afterwards, the new token. */
import { secretOf } from '../config/settings.ts';
import { DEFAULT_CLIENT } from '../model/bearer.ts';
import { type Fault, type HostReport, isDone, withVerdict } from '../model/host-report.ts';
import type { Program } from '../model/run.ts';
import { clientFile, render } from '../nginx/render.ts';
import { type Bearer, bearerFor } from '../nginx/tokens.ts';
import { siteProgram } from '../program/program.ts';
import { EXIT } from '../util/errors.ts';
import type { Secret } from '../util/secret.ts';
import type { Context, Result } from './context.ts';
import { clientFaults } from './views/client-views.ts';
import { defaultServerFaults, selinuxFaults } from './views/proxy-faults.ts';

export interface DeployPlan {
  readonly program: Program;
  readonly bearer?: Bearer;
}

/** The program that deploys the site on a host (in a dry run, reports what that would change), with its bearer. */
export async function planDeploy(context: Context, verb: 'apply' | 'bundle' = 'apply'): Promise<DeployPlan> {
  const { site, settings, flags, report, underWay } = context;
  const [files, bearer] = await Promise.all([render(site, settings), bearerFor(site, settings)]);
  if (bearer) {
    report.hide(bearer.token);
    if (bearer.role === 'first-client') underWay.tokens.set(DEFAULT_CLIENT, bearer.token);
    files.push(clientFile(bearer.role, bearer.token));
  }
  const program = await siteProgram(flags['dry-run'] ? 'plan' : verb, site, files);
  return { program, ...(bearer && { bearer }) };
}

/** The token that this host accepts after the deploy, if it is known. */
export function tokenOn(
  { site, settings }: Context,
  { bearer }: DeployPlan,
  report: HostReport,
): Secret | undefined {
  if (bearer?.role === 'client' || report.generated === DEFAULT_CLIENT) return bearer?.token;
  return secretOf(settings, site.checkToken);
}

/** Warns of a gate without a live client, and returns what is wrong with it. */
export function warnOfClients({ site, report: { print } }: Context, report: HostReport): readonly Fault[] {
  const faults = isDone(report) ? clientFaults(report, site) : [];
  for (const { text } of faults) print({ kind: 'warning', host: report.host, text });
  return faults;
}

/** Warns of problems on the proxy that a deploy cannot fix. */
function warnOfProxy({ site, report: { print } }: Context, report: HostReport): void {
  if (!isDone(report)) return;
  for (const { text } of [...selinuxFaults(report), ...defaultServerFaults(report, site)])
    print({ kind: 'warning', host: report.host, text });
}

/** The report after a deploy, with what needs attention: does the gate accept anyone? A dry run only warns. */
export function judgeDeploy(context: Context, report: HostReport): HostReport {
  const attention = warnOfClients(context, report);
  warnOfProxy(context, report);
  return attention.length > 0 && report.outcome !== 'planned' ? withVerdict(report, { attention }) : report;
}

/** Shows a new token that a host has, or may have. */
export function showNewToken(
  context: Context,
  { bearer }: DeployPlan,
  hosts: readonly HostReport[],
): Secret | undefined {
  if (bearer?.role !== 'first-client' || !hosts.some(mayHaveNewClient)) return undefined;
  if (!context.flags.json) context.report.showToken(DEFAULT_CLIENT, bearer.token);
  warnOfOthers(context, hosts);
  return bearer.token;
}

const mayHaveNewClient = ({ generated, outcome }: HostReport): boolean =>
  outcome === 'unknown' || (generated !== undefined && outcome !== 'rolled-back');

/** Behind one name, every proxy should know the same tokens. */
function warnOfOthers({ report, site }: Context, hosts: readonly HostReport[]): void {
  const others = hosts.filter((host) => isDone(host) && host.generated === undefined);
  if (others.length === 0) return;
  const names = others.map(({ host }) => host).join(', ');
  const text = `${names}: already had clients and does not accept the new token; to use one token on all proxies, set ${site.gate?.token}`;
  report.print({ kind: 'warning', text });
}

/** With --exit-code, a dry run with pending changes exits with 3; a worse status stays. */
export function judgePending(
  { flags }: Pick<Context, 'flags'>,
  hosts: readonly HostReport[],
  result: Result,
): Result {
  const isPending = flags['exit-code'] && hosts.some(wouldChange);
  return isPending && result.exit === EXIT.done ? { ...result, exit: EXIT.checkFailed } : result;
}

/** Without an earlier release, a deploy records one even if every file is already there. */
const wouldChange = ({ outcome, files, drift, before }: HostReport): boolean =>
  outcome === 'planned' && (files.some(({ changed }) => changed) || drift.length > 0 || before === undefined);

/** The bearer for the checks from here: the new token, the settings', or where there is no gate the one for checks. */
export function tokenOutside(
  { site, settings }: Context,
  { bearer }: DeployPlan,
  newToken: Secret | undefined,
): Secret | undefined {
  if (bearer) return bearer.role === 'client' ? bearer.token : newToken;
  return secretOf(settings, site.checkToken);
}

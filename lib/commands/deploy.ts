/** A whole deploy but for its way to the hosts: the program with the site's files, and what follows once it ran. */
import { secretOf } from '../config/settings.ts';
import { DEFAULT_CLIENT } from '../model/bearer.ts';
import type { Issued } from '../model/check.ts';
import { type HostReport, isDone } from '../model/host-report.ts';
import type { Run } from '../model/run.ts';
import { clientFile, render } from '../nginx/render.ts';
import { type Bearer, bearerFor } from '../nginx/tokens.ts';
import { siteProgram } from '../program/program.ts';
import type { Secret } from '../util/secret.ts';
import type { Context, Result } from './context.ts';
import { verify } from './site-checks.ts';
import { checksAfter, isAskedFromHere, warnOfClients } from './verify-hosts.ts';
import { tellDiffs } from './views/apply-view.ts';
import { conclude } from './views/summary.ts';

export interface Deploy {
  readonly run: Run;
  readonly program: string;
  readonly bearer?: Bearer;
}

/** The program that puts the site on a host (or, in a dry run, tells what that would change), with its bearer. */
export async function prepareDeploy(
  context: Context,
  run: Run,
  verb: 'apply' | 'bundle' = 'apply',
): Promise<Deploy> {
  const { site, settings, flags, report, underWay } = context;
  const [files, bearer] = await Promise.all([render(site, settings), bearerFor(site, settings)]);
  if (bearer) {
    report.hide(bearer.token);
    if (bearer.role === 'first-client') underWay.tokens.set(DEFAULT_CLIENT, bearer.token);
    files.push(clientFile(bearer.role, bearer.token, run.now));
  }
  const program = await siteProgram(flags['dry-run'] ? 'plan' : verb, run, site, files);
  return { run, program, ...(bearer && { bearer }) };
}

/** The bearer that opens this host's gate after the deploy, as far as we know. */
const tokenAfter =
  ({ site, settings }: Context, { bearer }: Deploy) =>
  (host: HostReport): Secret | undefined => {
    if (bearer?.role === 'client' || host.generated === DEFAULT_CLIENT) return bearer?.token;
    return secretOf(settings, site.checkToken);
  };

/** What follows a deploy on a proxy: does its gate accept anyone (a dry run only warns), and do its services answer? */
export function afterDeploy(context: Context, deploy: Deploy): ReturnType<typeof checksAfter> {
  const checks = checksAfter(context, tokenAfter(context, deploy));
  return (proxy, host) => {
    const attention = warnOfClients(context, host);
    const needsAttention = attention.length > 0 && host.outcome !== 'planned';
    return checks(proxy, needsAttention ? { ...host, attention } : host);
  };
}

const mayHaveNewClient = ({ generated, outcome }: HostReport): boolean =>
  outcome === 'unknown' || (generated !== undefined && outcome !== 'rolled-back');

/** Behind one name, every proxy should know the same tokens. */
function warnOfOthers({ report, site }: Context, hosts: readonly HostReport[]): void {
  const others = hosts.filter((host) => isDone(host) && host.generated === undefined);
  if (others.length === 0) return;
  const names = others.map(({ host }) => host).join(', ');
  const text = `${names}: had clients already, so the new token does not open it; one token for all: ${site.gate?.token}`;
  report.tell({ kind: 'warning', text });
}

/** Shows a new token, makes the checks, gives the result. `issued` are the certificates that the hosts hold, where known. */
export async function concludeDeploy(
  context: Context,
  { bearer }: Deploy,
  hosts: readonly HostReport[],
  issued: readonly Issued[] = [],
): Promise<Result> {
  const { flags, report } = context;
  if (flags['dry-run']) await tellDiffs(hosts, report);

  // A lost connection may have left it live: better shown in vain than lost.
  const isNew = bearer?.role === 'first-client' && hosts.some(mayHaveNewClient);
  const known = isNew || bearer?.role === 'client' ? bearer.token : undefined;
  if (isNew && !flags.json) report.showToken(DEFAULT_CLIENT, bearer.token);

  if (isNew) warnOfOthers(context, hosts);

  const checks = isAskedFromHere(context, hosts) ? await verify(context, known, issued) : [];
  return conclude(context, hosts, checks, isNew ? bearer.token : undefined);
}

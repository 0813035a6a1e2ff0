/** Runs a site's checks from here, and tells each result. */
import { secretOf } from '../config/settings.ts';
import type { Check, CheckResult, CheckTarget, Issued } from '../model/check.ts';
import { isNameless } from '../model/site.ts';
import type { Report } from '../output/report.ts';
import type { Secret } from '../util/secret.ts';
import type { Context } from './context.ts';

type RunChecks = typeof import('../checks/run-checks.ts').runChecks;

/** Runs checks; what does is loaded as late as they are, since many runs make none. */
export const runSiteChecks: RunChecks = async (...checks) =>
  (await import('../checks/run-checks.ts')).runChecks(...checks);

/**
 * Every check of the site, as `gateToken` is let in by the gate; without one, what needs it is skipped.
 * @param issued the certificates that the hosts hold, where known: one of them must be served
 */
export async function verify(
  context: Context,
  gateToken?: Secret,
  issued: readonly Issued[] = [],
): Promise<readonly CheckResult[]> {
  const target = { ...targetOf(context), issued, ...(gateToken && { token: gateToken }) };
  context.report.tell({ kind: 'title', text: `Checks of https://${target.serverName} from here` });
  const checks = withProgress(await context.site.checks(), context.report);
  return runSiteChecks(checks, target, (result) => tellCheck(context, result));
}

/** The same checks with the bearer from the settings, for who changed nothing. */
export async function verifyBy(
  context: Context,
  checks: readonly Check[],
  way: Partial<CheckTarget>,
  tell = (result: CheckResult) => tellCheck(context, result),
): Promise<readonly CheckResult[]> {
  const token = secretOf(context.settings, context.site.gate?.token);
  return runSiteChecks(checks, { ...targetOf(context), ...(token && { token }), ...way }, tell);
}

/** Tells one result; with --curl also how to ask the same by hand. */
export function tellCheck({ report, flags }: Context, result: CheckResult): void {
  report.tell({ kind: 'check', result });
  if (flags.curl && result.curl) report.tell({ kind: 'text', text: `    ${result.curl}` });
}

/** The site as its settings know it. One that has no name is asked by the address of its (first) proxy. */
export function targetOf(context: Context): CheckTarget {
  const { site, settings } = context;
  const { hosts } = settings.access;
  const serverName = (isNameless(site) && hosts[0]) || site.serverName;
  const token = secretOf(settings, site.checkToken);
  const inferenceToken = secretOf(settings, site.gate?.inferenceToken);
  return {
    serverName,
    isNameless: isNameless(site),
    proxies: hosts,
    ...(token && { token }),
    ...(inferenceToken && { inferenceToken }),
  };
}

/** The same checks, heard by `report`. */
export const withProgress = (checks: readonly Check[], { tell }: Report): readonly Check[] =>
  checks.map((check) => ({
    ...check,
    run: (target) => {
      tell({ kind: 'asking', check: check.name });
      return check.run(target).finally(() => tell({ kind: 'answered', check: check.name }));
    },
  }));

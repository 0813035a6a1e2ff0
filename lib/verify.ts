/** Runs a site's checks from here, and tells each result. */
import { type CheckResult, type Issued, runChecks } from './checks.ts';
import type { Context } from './cli.ts';
import { Secret } from './secret.ts';
import { isNameless } from './sites.ts';

/**
 * Every check of the site, as `gateToken` is let in by the gate; without one, what needs it is skipped.
 * @param issued the certificates that the hosts hold, where known: one of them must be served
 */
export async function verify(
  { site, settings, report }: Context,
  gateToken?: Secret,
  issued: readonly Issued[] = [],
): Promise<readonly CheckResult[]> {
  // One that has no name is asked by the address of its (first) proxy.
  const serverName = (isNameless(site) && settings.access.hosts[0]) || site.serverName;
  report.tell({ kind: 'title', text: `Checks of https://${serverName} from here` });
  const given = settings.values[site.checkToken ?? ''];
  const token = gateToken ?? (given instanceof Secret ? given : undefined);
  const target = { serverName, issued, ...(token && { token }) };
  return runChecks(await site.checks(), target, (result) => report.tell({ kind: 'check', result }));
}

/** Runs a site's checks from here, and tells each result. */
import { type CheckResult, type Issued, runChecks } from './checks.ts';
import type { Context } from './cli.ts';
import type { Secret } from './secret.ts';

/**
 * Every check of the site, as `token` is let in by the gate; without one, what needs it is skipped.
 * @param issued the certificates that the hosts hold, where known: one of them must be served
 */
export async function verify(
  { site, report }: Context,
  token?: Secret,
  issued: readonly Issued[] = [],
): Promise<readonly CheckResult[]> {
  report.tell({ kind: 'title', text: `Checks of https://${site.serverName} from here` });
  const target = { serverName: site.serverName, issued, ...(token && { token }) };
  return runChecks(await site.checks(), target, (result) => report.tell({ kind: 'check', result }));
}

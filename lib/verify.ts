/** Runs a site's checks from here, and tells each result. */
import { type CheckResult, runChecks } from './checks.ts';
import type { Context } from './cli.ts';
import type { Secret } from './secret.ts';

/** Every check of the site, as `token` is let in by the gate; without one, what needs it is skipped. */
export async function verify({ site, report }: Context, token?: Secret): Promise<readonly CheckResult[]> {
  report.tell({ kind: 'title', text: `Checks of https://${site.serverName} from here` });
  const target = { serverName: site.serverName, ...(token && { token }) };
  return runChecks(await site.checks(), target, (result) => report.tell({ kind: 'check', result }));
}

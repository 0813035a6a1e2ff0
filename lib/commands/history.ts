/** The programs of rollback and removal, by the flags. */
import type { HostReport } from '../model/host-report.ts';
import type { Program } from '../model/run.ts';
import { titleOf } from '../model/site.ts';
import { removalProgram, rollbackProgram } from '../program/history-programs.ts';
import { UsageError } from '../util/errors.ts';
import type { Context } from './context.ts';

/**
 * Restores the previous release, or that of --to ID.
 * @throws UsageError for an invalid id
 */
export async function planRollback(context: Context): Promise<Program> {
  const { to, 'dry-run': isDry } = context.flags;
  if (to !== undefined && !/^[\w.-]{1,100}$/.test(to))
    throw new UsageError(['--to: must be the id of a release'], 'List the ids: `npx tsx scripts/status.ts`');
  return rollbackProgram(context, to, isDry);
}

/** Warns of a release with an earlier name of the site: its checks, and the token, would go to the wrong server. */
export function warnOfName(
  { site, report: { print } }: Context,
  { host, facts: { serves } }: HostReport,
): void {
  if (serves === undefined) return;
  const set = `set ${site.nameFrom ?? 'the name of the site'} to it, then run \`npx tsx scripts/verify.ts\``;
  const text = `this release serves ${serves.trim()}, not ${titleOf(site)}; it was not checked. To keep it, ${set}`;
  print({ kind: 'warning', host, text });
}

/** Removes the site. */
export const planRemoval = ({ site, flags }: Context): Promise<Program> =>
  removalProgram(site, { dryRun: flags['dry-run'], purge: flags.purge });

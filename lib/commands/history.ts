/** The programs of rollback, removal and status, by the flags. */
import type { HostReport } from '../model/host-report.ts';
import { newProgram, type Program } from '../model/run.ts';
import { titleOf } from '../model/site.ts';
import {
  removalProgram,
  rollbackProgram,
  type StatusOf,
  statusProgram,
} from '../program/history-programs.ts';
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
  return newProgram((run) => rollbackProgram(run, context, to, isDry));
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
export async function planRemoval({ site, flags }: Context): Promise<Program> {
  return newProgram((run) => removalProgram(run, site, { dryRun: flags['dry-run'], purge: flags.purge }));
}

/** Reports what is on a host, or only that part of it; changes nothing. */
export async function planStatus({ site }: Context, only: StatusOf): Promise<Program> {
  return newProgram((run) => statusProgram(run, site, only));
}

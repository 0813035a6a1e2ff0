/** Programs of rollback, removal and status, as the command line wants them. */
import { newRun, type Program } from '../model/run.ts';
import { removalProgram, rollbackProgram, statusProgram } from '../program/history-programs.ts';
import { UsageError } from '../util/errors.ts';
import type { Context } from './context.ts';

/**
 * Restores the release before, or that of --to ID.
 * @throws UsageError for what cannot be an id
 */
export async function planRollback({ site, flags: { to, 'dry-run': isDry } }: Context): Promise<Program> {
  if (to !== undefined && !/^[\w.-]{1,100}$/.test(to))
    throw new UsageError(['--to: must be the id of a release'], 'List the ids: `npx tsx scripts/status.ts`');
  const run = newRun();
  return { id: run.id, text: await rollbackProgram(run, site, to, isDry) };
}

/** Removes the site. */
export async function planRemoval({ site, flags }: Context): Promise<Program> {
  const run = newRun();
  return { id: run.id, text: await removalProgram(run, site, flags['dry-run']) };
}

/** Reports what is on a host, or the gate's clients only; changes nothing. */
export async function planStatus({ site }: Context, only: 'clients' | 'everything'): Promise<Program> {
  const run = newRun();
  return { id: run.id, text: await statusProgram(run, site, only) };
}

/** Brings back the vhost and the maps of an earlier release; clients and their tokens stay as they are. */
import { change } from '../lib/change.ts';
import { main } from '../lib/cli.ts';
import { UsageError } from '../lib/errors.ts';
import { rollbackProgram } from '../lib/history-programs.ts';
import { checksAfter, isAskedFromHere, warnOfClients } from '../lib/host-checks.ts';
import { newRun } from '../lib/run.ts';
import { secretOf } from '../lib/settings.ts';
import { conclude } from '../lib/summary.ts';

await main({
  name: 'rollback',
  does: 'Brings back the vhost and the maps of the release before (again: of the one before that), or of --to ID; clients and tokens stay.',
  flags: ['to', 'dry-run', 'no-verify', 'parallel', 'canary', 'local'],
  run: async (context) => {
    const { site, settings, flags, report } = context;
    if (flags.to !== undefined && !/^[\w.-]{1,100}$/.test(flags.to))
      throw new UsageError(
        ['--to: must be the id of a release'],
        'The ids are in: `npx tsx scripts/status.ts`',
      );
    const run = newRun();
    const program = await rollbackProgram(run, site, flags.to, flags['dry-run']);
    const token = secretOf(settings, site.gate?.token ?? site.checkToken);
    const checksOn = checksAfter(context, () => token);
    const hosts = await change(context, run, program, !flags['dry-run'], (proxy, host) => {
      warnOfClients(context, host);
      return checksOn(proxy, host);
    });
    if (flags['dry-run']) (await import('../lib/diffs.ts')).tellDiffs(hosts, report);
    const checks = isAskedFromHere(context, hosts)
      ? await (await import('../lib/verify.ts')).verify(context, token)
      : [];
    return conclude(context, hosts, checks);
  },
});

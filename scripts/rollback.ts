/** Brings back the vhost and the maps of an earlier release; clients and their tokens stay as they are. */
import { main } from '../lib/cli/main.ts';
import { change } from '../lib/commands/apply.ts';
import { verify } from '../lib/commands/site-checks.ts';
import { checksAfter, isAskedFromHere, warnOfClients } from '../lib/commands/verify-hosts.ts';
import { tellDiffs } from '../lib/commands/views/apply-view.ts';
import { conclude } from '../lib/commands/views/summary.ts';
import { secretOf } from '../lib/config/settings.ts';
import { newRun } from '../lib/model/run.ts';
import { rollbackProgram } from '../lib/program/history-programs.ts';
import { UsageError } from '../lib/util/errors.ts';

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
    if (flags['dry-run']) await tellDiffs(hosts, report);
    const checks = isAskedFromHere(context, hosts) ? await verify(context, token) : [];
    return conclude(context, hosts, checks);
  },
});

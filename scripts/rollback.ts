/** Restores the vhost and the maps of an earlier release; clients and tokens stay. */
import { main } from '../lib/cli/main.ts';
import { warnOfClients } from '../lib/commands/deploy.ts';
import { planRollback, warnOfName } from '../lib/commands/history.ts';
import { rollout } from '../lib/commands/rollout.ts';
import { settingsToken, verifyProxy, verifySite } from '../lib/commands/site-checks.ts';
import { summarize } from '../lib/commands/views/summary.ts';

await main({
  name: 'rollback',
  does: 'Restores the vhost and the maps of the previous release (again: of the one before that), or of --to ID; clients and tokens stay.',
  flags: ['to', 'dry-run', 'no-verify', 'take-over-lock', 'parallel', 'canary', 'local'],
  run: async (context) => {
    const program = await planRollback(context);
    const token = settingsToken(context);

    const hosts = await rollout(context, async (proxy) => {
      const report = await proxy.apply(program);
      warnOfClients(context, report);
      warnOfName(context, report);
      return verifyProxy(context, proxy, { report, token });
    });

    const checks = await verifySite(context, { hosts, token });
    return summarize(context, { hosts, checks });
  },
});

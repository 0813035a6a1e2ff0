/** Removes a site from its proxies: vhost, maps and clients; certificates and history stay. */
import { main } from '../lib/cli/main.ts';
import { confirmRemoval } from '../lib/commands/confirm.ts';
import { planRemoval } from '../lib/commands/history.ts';
import { rollout } from '../lib/commands/rollout.ts';
import { inWords, summarize } from '../lib/commands/views/summary.ts';

await main({
  name: 'remove',
  does: 'Removes a site from its proxies: vhost, maps and clients; certificates and history stay, and with them (without --purge) the clients for a rollback.',
  flags: ['yes', 'purge', 'dry-run', 'take-over-lock', 'parallel', 'canary', 'local'],
  run: async (context) => {
    await confirmRemoval(context);
    const program = await planRemoval(context);

    const hosts = await rollout(context, async (proxy) => {
      const report = await proxy.apply(program);
      return inWords(report, { applied: 'removed', unchanged: 'nothing to remove' });
    });

    return summarize(context, { hosts });
  },
});

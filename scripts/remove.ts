/** Takes a site off its proxies: vhost, maps and clients; certificates and history stay. */
import { change } from '../lib/change.ts';
import { main } from '../lib/cli.ts';
import { removalProgram } from '../lib/removal.ts';
import { newRun } from '../lib/run.ts';
import { conclude } from '../lib/summary.ts';

await main({
  name: 'remove',
  does: 'Takes a site off its proxies: vhost, maps, clients and their tokens; certificates and history stay.',
  flags: ['dry-run', 'parallel', 'canary', 'local'],
  run: async (context) => {
    const { site, flags, report } = context;
    const run = newRun();
    const program = await removalProgram(run, site, flags['dry-run']);
    const hosts = await change(context, run, program, !flags['dry-run']);
    if (flags['dry-run']) (await import('../lib/diffs.ts')).tellDiffs(hosts, report);
    for (const host of hosts) {
      if (host.outcome === 'applied') host.meaning = 'removed';
      if (host.outcome === 'unchanged') host.meaning = 'nothing of it was there';
    }
    return conclude(context, hosts, []);
  },
});

/** Takes a site off its proxies: vhost, maps and clients; certificates and history stay. */
import { main } from '../lib/cli/main.ts';
import { change } from '../lib/commands/apply.ts';
import { confirmRemoval } from '../lib/commands/confirm.ts';
import { tellDiffs } from '../lib/commands/views/apply-view.ts';
import { conclude } from '../lib/commands/views/summary.ts';
import type { HostReport } from '../lib/model/host-report.ts';
import { newRun } from '../lib/model/run.ts';
import { removalProgram } from '../lib/program/history-programs.ts';

/** What became of a host, in the words of a removal. */
async function named(_proxy: unknown, host: HostReport): Promise<HostReport> {
  if (host.outcome === 'applied') host.meaning = 'removed';
  if (host.outcome === 'unchanged') host.meaning = 'nothing of it was there';
  return host;
}

await main({
  name: 'remove',
  does: 'Takes a site off its proxies: vhost, maps, clients and their tokens; certificates and history stay.',
  flags: ['yes', 'dry-run', 'parallel', 'canary', 'local'],
  run: async (context) => {
    await confirmRemoval(context);
    const { site, flags, report } = context;
    const run = newRun();
    const program = await removalProgram(run, site, flags['dry-run']);
    const hosts = await change(context, run, program, !flags['dry-run'], named);
    if (flags['dry-run']) await tellDiffs(hosts, report);
    return conclude(context, hosts, []);
  },
});

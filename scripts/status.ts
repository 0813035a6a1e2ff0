/** Reports what is on the proxies, and whether it is healthy: releases, drift, nginx, certificate, clients, backends. Read-only. */
import { main } from '../lib/cli/main.ts';
import { change } from '../lib/commands/apply.ts';
import { judged, statusEntries, verdictOn } from '../lib/commands/views/status-view.ts';
import { conclude } from '../lib/commands/views/summary.ts';
import { isDone } from '../lib/model/host-report.ts';
import { newRun } from '../lib/model/run.ts';
import { statusProgram } from '../lib/program/history-programs.ts';
import { statusOf } from '../lib/remote/status.ts';

await main({
  name: 'status',
  does: 'Reports what is on the proxies: releases, drift, nginx, certificate, clients, backends. Read-only. Exits with 0 (healthy), 3 (needs attention) or 1 (could not be checked).',
  flags: ['parallel', 'local'],
  run: async (context) => {
    const run = newRun();
    const { site, report } = context;
    const program = await statusProgram(run, site, 'everything');
    const hosts = await change(context, run, program, false, async (_proxy, host) =>
      isDone(host) ? judged(host, site, run.now) : host,
    );
    for (const host of hosts.filter(isDone))
      for (const entry of statusEntries(host, site, run.now)) report.tell(entry);
    return conclude(context, hosts, [], undefined, (host) => ({
      verdict: verdictOn(host),
      ...(isDone(host) && statusOf(host, site, run.now)),
    }));
  },
});

/** Tells what is on the proxies: releases, drift, nginx, certificate, clients, backends. Changes nothing. */
import { change } from '../lib/change.ts';
import { main } from '../lib/cli.ts';
import { statusProgram } from '../lib/history-programs.ts';
import type { HostReport } from '../lib/outcome.ts';
import { newRun } from '../lib/run.ts';
import { statusOf } from '../lib/status.ts';
import { statusEntries, verdict } from '../lib/status-text.ts';
import { conclude, isDone } from '../lib/summary.ts';

await main({
  name: 'status',
  does: 'Tells what is on the proxies: releases, drift, nginx, certificate, clients, backends. Changes nothing.',
  flags: ['parallel', 'local'],
  run: async (context) => {
    const run = newRun();
    const program = await statusProgram(run, context.site, 'everything');
    const judged = async (_proxy: unknown, host: HostReport) =>
      isDone(host) ? { ...host, meaning: verdict(host, run.now) } : host;
    const hosts = await change(context, run, program, false, judged);
    for (const host of hosts.filter(isDone))
      for (const entry of statusEntries(host, run.now)) context.report.tell(entry);
    return conclude(context, hosts, [], undefined, (host) => ({ ...statusOf(host, run.now) }));
  },
});

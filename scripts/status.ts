/** Reports what is on the proxies, and whether it is healthy: releases, drift, nginx, certificate, clients, backends. Read-only. */
import { main } from '../lib/cli/main.ts';
import { rollout } from '../lib/commands/rollout.ts';
import { clientDifferences, withDifferences } from '../lib/commands/views/client-differences.ts';
import { judgeStatus, reportStatus, statusJson } from '../lib/commands/views/status-view.ts';
import { summarize } from '../lib/commands/views/summary.ts';
import { statusProgram } from '../lib/program/history-programs.ts';

await main({
  name: 'status',
  does: 'Reports what is on the proxies: releases, drift, nginx, certificate, clients, backends. Read-only. Exits with 0 (healthy), 3 (needs attention) or 1 (could not be checked).',
  flags: ['parallel', 'local'],
  run: async (context) => {
    const program = await statusProgram(context.site, 'everything');
    const read = await rollout(context, async (proxy) => judgeStatus(context, await proxy.read(program)));
    const differences = clientDifferences(context, read);
    const hosts = withDifferences(read, differences);
    reportStatus(context, hosts, differences);
    return summarize(context, {
      hosts,
      details: statusJson(context, hosts),
      json: { ...(hosts.length > 1 && { clientDifferences: differences }) },
    });
  },
});

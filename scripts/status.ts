/** Reports the state and health of the proxies: releases, drift, nginx, certificate, clients, backends. Read-only. */
import { main } from '../lib/cli/main.ts';
import { readStatus, summarizeStatus } from '../lib/commands/status.ts';

await main({
  name: 'status',
  does: 'Reports what is on the proxies: releases, drift, nginx, certificate, clients, backends. Read-only. Exits with 0 (healthy), 3 (needs attention) or 1 (could not be checked).',
  flags: ['parallel', 'local'],
  run: async (context) => summarizeStatus(context, await readStatus(context)),
});

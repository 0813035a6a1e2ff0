/** The clients of the gate: lists them, adds one, changes what one may do, suspends, resumes or revokes one. */
import { main } from '../lib/cli/main.ts';
import * as changes from '../lib/commands/client-changes.ts';
import { argumentsOf, CLIENT_FLAGS, summarizeClients } from '../lib/commands/clients.ts';
import { copyClients } from '../lib/commands/copy-clients.ts';
import { readAll, rollout } from '../lib/commands/rollout.ts';
import { planUsage, summarizeUsage } from '../lib/commands/usage.ts';
import { reportDiffs } from '../lib/commands/views/rollout-view.ts';
import { statusProgram } from '../lib/program/history-programs.ts';

await main({
  name: 'bearers',
  does: 'Lists the clients of the gate, adds one (its token is shown only once), changes what one may do, suspends, resumes or revokes one, copies them to another proxy, or evaluates their use.',
  takes: '(list | add NAME | set NAME | suspend NAME | resume NAME | revoke NAME | copy [NAME] | usage)',
  flags: [...CLIENT_FLAGS, 'dry-run', 'no-verify', 'take-over-lock', 'parallel', 'local'],
  run: async (context) => {
    const { verb, name } = argumentsOf(context);
    if (verb === 'list')
      return summarizeClients(context, await readAll(context, await statusProgram(context.site, 'clients')));
    if (verb === 'usage') return summarizeUsage(context, await readAll(context, await planUsage(context)));
    if (verb === 'copy') return copyClients(context, name);
    const plan = await changes.planClientChange(context, verb, name);
    const hosts = await rollout(context, async (proxy) =>
      changes.judgeEnding(await proxy.apply(plan.program)),
    );
    await reportDiffs(context, hosts);
    const token = changes.showClientToken(context, plan, hosts);
    const checks = await changes.proveChange(context, plan, hosts);
    return changes.summarizeChange(context, plan, { hosts, checks, token });
  },
});

/** Manages the clients of the gate: lists, adds, changes, suspends, resumes and revokes them. */
import { main } from '../lib/cli/main.ts';
import * as changes from '../lib/commands/client-changes.ts';
import { argumentsOf, CLIENT_FLAGS, listClients } from '../lib/commands/clients.ts';
import { copyClients } from '../lib/commands/copy-clients.ts';
import { rollout } from '../lib/commands/rollout.ts';
import { evaluateUsage } from '../lib/commands/usage.ts';

await main({
  name: 'bearers',
  does: 'Lists the clients of the gate, adds one (its token is shown only once), changes what one may do, suspends, resumes or revokes one, copies them to another proxy, or evaluates their use.',
  takes: '(list | add NAME | set NAME | suspend NAME | resume NAME | revoke NAME | copy [NAME] | usage)',
  flags: [...CLIENT_FLAGS, 'dry-run', 'no-verify', 'take-over-lock', 'parallel', 'local'],
  run: async (context) => {
    const { verb, name } = argumentsOf(context);
    if (verb === 'list') return listClients(context);
    if (verb === 'usage') return evaluateUsage(context);
    if (verb === 'copy') return copyClients(context, name);
    const plan = await changes.planClientChange(context, verb, name);
    const hosts = await rollout(context, async (proxy) =>
      changes.judgeEnding(await proxy.apply(plan.program)),
    );
    const token = changes.showClientToken(context, plan, hosts);
    const checks = await changes.proveChange(context, plan, hosts);
    return changes.summarizeChange(context, plan, { hosts, checks, token });
  },
});

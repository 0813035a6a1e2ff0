/** Deploys a site on its proxies: on each, tests the configuration, reloads nginx and checks the site, or rolls back. */
import { main } from '../lib/cli/main.ts';
import { writeBundle } from '../lib/commands/bundle.ts';
import {
  judgeDeploy,
  judgePending,
  planDeploy,
  showNewToken,
  tokenOn,
  tokenOutside,
} from '../lib/commands/deploy.ts';
import { writeRendered } from '../lib/commands/rendered.ts';
import { rollout } from '../lib/commands/rollout.ts';
import { verifyProxy, verifySite } from '../lib/commands/site-checks.ts';
import { summarize } from '../lib/commands/views/summary.ts';
import { CHANGE_FLAGS } from '../lib/config/flag-table.ts';

await main({
  name: 'deploy',
  does: 'Renders a site, uploads it to its proxies, tests the configuration, reloads nginx and checks the site; rolls back on failure.',
  flags: [...CHANGE_FLAGS, 'local', 'canary', 'exit-code', 'show-token', 'bundle', 'render'],
  run: async (context) => {
    if (context.flags.bundle !== undefined) return writeBundle(context, context.flags.bundle);
    if (context.flags.render !== undefined) return writeRendered(context, context.flags.render);
    const plan = await planDeploy(context);

    const hosts = await rollout(context, async (proxy) => {
      const applied = await proxy.apply(plan.program);
      const report = judgeDeploy(context, applied);
      return verifyProxy(context, proxy, { report, token: tokenOn(context, plan, report) });
    });

    const newToken = showNewToken(context, plan, hosts);
    const checks = await verifySite(context, { hosts, token: tokenOutside(context, plan, newToken) });
    return judgePending(context, hosts, summarize(context, { hosts, checks, token: newToken }));
  },
});

/** Gets the first certificate of a site, sets up its renewal, and deploys the full site. */
import { main } from '../lib/cli/main.ts';
import { orderCertificate, placeHttpOnly, preflight } from '../lib/commands/certificates/acme-order.ts';
import * as bootstrap from '../lib/commands/certificates/bootstrap.ts';
import { judgeDeploy, showNewToken, tokenOn, tokenOutside } from '../lib/commands/deploy.ts';
import { rollout } from '../lib/commands/rollout.ts';
import { verifyProxy, verifySite } from '../lib/commands/site-checks.ts';
import { summarize } from '../lib/commands/views/summary.ts';
import { CHANGE_FLAGS } from '../lib/config/flag-table.ts';

await main({
  name: 'bootstrap-tls',
  does: 'Gets the first certificate of a site, sets up its renewal, and deploys the full site.',
  flags: [...CHANGE_FLAGS, 'local', 'canary', 'show-token', ...bootstrap.OWN_FLAGS],
  run: async (context) => {
    const plan = await bootstrap.planBootstrap(context);

    // Each step does nothing if it is not needed, or after a failed one.
    const hosts = await rollout(context, async (proxy) => {
      const session = await bootstrap.inspect(context, proxy, plan);
      await placeHttpOnly(session);
      await preflight(session); // the CA's own request, from here or from the jump host
      await orderCertificate(session); // certbot, renewal hook, reload
      await bootstrap.useOtherCertificate(session);
      await bootstrap.selfSign(session);
      await bootstrap.repairRenewalHook(session);
      const report = judgeDeploy(context, await bootstrap.deployFullSite(session));
      return verifyProxy(context, proxy, { report, token: tokenOn(context, plan.deploy, report) });
    });

    const newToken = showNewToken(context, plan.deploy, hosts);
    const checks = await verifySite(context, { hosts, token: tokenOutside(context, plan.deploy, newToken) });
    return summarize(context, { hosts, checks, token: newToken });
  },
});

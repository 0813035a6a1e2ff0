/** Gets a site its first certificate, sees that it renews itself, and deploys the whole site. */
import { wishOf } from '../lib/acme.ts';
import { bootstrap } from '../lib/bootstrap.ts';
import { issuedOn } from '../lib/certificate.ts';
import { onHosts } from '../lib/change.ts';
import { main } from '../lib/cli.ts';
import { afterDeploy, concludeDeploy, prepareDeploy } from '../lib/deploy.ts';
import { renderHttpOnly } from '../lib/render.ts';
import { newRun } from '../lib/run.ts';
import { httpOnlyProgram } from '../lib/tls-programs.ts';

await main({
  name: 'bootstrap-tls',
  does: 'Gets a site its first certificate, sees that it renews itself, and deploys the whole site.',
  flags: ['dry-run', 'no-verify', 'staging', 'force-renewal', 'self-signed', 'parallel', 'canary'],
  run: async (context) => {
    const wish = wishOf(context);
    if (wish.way === 'order') await renderHttpOnly(context.site, context.settings);
    const deploy = await prepareDeploy(context, newRun());
    const plan = {
      ...deploy,
      ...(wish.way === 'order' && { httpOnly: await httpOnlyProgram(context.site, context.settings) }),
    };
    const checks = afterDeploy(context, deploy);
    const hosts = await onHosts(context, async (proxy) =>
      checks(proxy, await bootstrap(context, wish, plan, proxy)),
    );
    return concludeDeploy(context, deploy, hosts, hosts.flatMap(issuedOn));
  },
});

/** Gets a site its first certificate, sees that it renews itself, and deploys the whole site. */
import { main } from '../lib/cli/main.ts';
import { onHosts } from '../lib/commands/apply.ts';
import { bootstrap } from '../lib/commands/certificates/bootstrap.ts';
import { certificateRequestOf } from '../lib/commands/certificates/options.ts';
import { afterDeploy, concludeDeploy, prepareDeploy } from '../lib/commands/deploy.ts';
import { issuedOn } from '../lib/model/certificate.ts';
import { newRun } from '../lib/model/run.ts';
import { renderHttpOnly } from '../lib/nginx/render.ts';
import { httpOnlyProgram } from '../lib/program/certificate-programs.ts';

await main({
  name: 'bootstrap-tls',
  does: 'Gets a site its first certificate, sees that it renews itself, and deploys the whole site.',
  flags: ['dry-run', 'no-verify', 'staging', 'force-renewal', 'self-signed', 'parallel', 'canary'],
  run: async (context) => {
    const wish = certificateRequestOf(context);
    if (wish.method === 'order') await renderHttpOnly(context.site, context.settings);
    const deploy = await prepareDeploy(context, newRun());
    const plan = {
      ...deploy,
      ...(wish.method === 'order' && { httpOnly: await httpOnlyProgram(context.site, context.settings) }),
    };
    const checks = afterDeploy(context, deploy);
    const hosts = await onHosts(context, async (proxy) =>
      checks(proxy, await bootstrap(context, wish, plan, proxy)),
    );
    return concludeDeploy(context, deploy, hosts, hosts.flatMap(issuedOn));
  },
});

/** Puts a site on its proxies, proves it and checks it from outside; or restores what was there. */
import { change } from '../lib/change.ts';
import { main, newRun } from '../lib/cli.ts';
import { concludeDeploy, prepareDeploy } from '../lib/deploy.ts';

await main({
  name: 'deploy',
  does: 'Renders a site, sends it to its proxies, tests, reloads, proves and checks it; or restores what was there.',
  flags: ['dry-run', 'no-verify'],
  run: async (context) => {
    const deploy = await prepareDeploy(context, newRun());
    const hosts = await change(context, deploy.run, deploy.program, !context.flags['dry-run']);
    return concludeDeploy(context, deploy, hosts);
  },
});

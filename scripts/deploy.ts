/** Puts a site on its proxies, proves it and checks it from outside; or restores what was there. */
import { main } from '../lib/cli/main.ts';
import { change } from '../lib/commands/apply.ts';
import { writeBundle } from '../lib/commands/bundle.ts';
import { afterDeploy, concludeDeploy, prepareDeploy } from '../lib/commands/deploy.ts';
import { newRun } from '../lib/model/run.ts';

await main({
  name: 'deploy',
  does: 'Renders a site, sends it to its proxies, tests, reloads, proves and checks it; or restores what was there.',
  flags: ['dry-run', 'no-verify', 'parallel', 'canary', 'local', 'bundle'],
  run: async (context) => {
    const { flags } = context;
    if (flags.bundle !== undefined) return writeBundle(context, flags.bundle);

    const deploy = await prepareDeploy(context, newRun());
    const isChange = !flags['dry-run'];
    const hosts = await change(context, deploy.run, deploy.program, isChange, afterDeploy(context, deploy));
    return concludeDeploy(context, deploy, hosts);
  },
});

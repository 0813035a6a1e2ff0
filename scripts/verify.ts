/** Asks everything of a site that its clients will, from outside, and tells what it found. Changes nothing. */
import { main } from '../lib/cli/main.ts';
import { htmlPageWriter } from '../lib/commands/html-page.ts';
import { chosenChecks, concludeChecks, connectTo, fromHere, throughSsh } from '../lib/commands/verify.ts';

await main({
  name: 'verify',
  does: 'Asks everything of a site that its clients will, from outside. Changes nothing.',
  flags: ['curl', 'only', 'connect-to', 'via-ssh', 'html'],
  run: async (context) => {
    const way = connectTo(context);
    const checks = await chosenChecks(context);
    const writePage = await htmlPageWriter(context);
    const hosts = context.flags['via-ssh']
      ? await throughSsh(context, checks)
      : [await fromHere(context, checks, way)];
    return writePage(hosts, concludeChecks(context, hosts));
  },
});

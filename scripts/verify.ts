/** Sends a site the requests that its clients will send, from outside, and reports the results. Changes nothing. */
import { main } from '../lib/cli/main.ts';
import { openPage, writePage } from '../lib/commands/html-page.ts';
import { rollout } from '../lib/commands/rollout.ts';
import { chosenChecks, connectTo, verifyFromHere, verifyThroughSsh } from '../lib/commands/verify.ts';
import { summarize } from '../lib/commands/views/summary.ts';

await main({
  name: 'verify',
  does: 'Sends a site the requests that its clients will send, from outside. Changes nothing.',
  flags: ['curl', 'only', 'connect-to', 'via-ssh', 'html'],
  run: async (context) => {
    const address = connectTo(context);
    const checks = await chosenChecks(context);
    const page = await openPage(context);
    const hosts = context.flags['via-ssh']
      ? await rollout(context, (proxy) => verifyThroughSsh(context, checks, proxy))
      : [await verifyFromHere(context, checks, address)];
    const result = summarize(context, { hosts });
    return writePage(context, page, { hosts, result });
  },
});

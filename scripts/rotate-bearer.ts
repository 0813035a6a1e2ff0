/** Gives a client of the gate a new token: live, proven by requests, the old one refused. */
import { main } from '../lib/cli/main.ts';
import { changeClient, concludeClient } from '../lib/commands/change-client.ts';
import { keepInEnv, rotationOf } from '../lib/commands/rotate.ts';

await main({
  name: 'rotate-bearer',
  does: 'Gives a client of the gate a new token (the one set, or a generated one), and proves that it opens and the old one does not.',
  flags: [
    'client',
    'keep-previous',
    'revoke-previous',
    'write-env',
    'dry-run',
    'no-verify',
    'parallel',
    'local',
  ],
  run: async (context) => {
    const rotation = await rotationOf(context);
    const hosts = await keepInEnv(context, rotation, () => changeClient(context, rotation.change));
    return concludeClient(context, hosts, rotation);
  },
});

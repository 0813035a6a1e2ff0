/** The clients of the gate: who they are, a new one, one less. */
import { main } from '../lib/cli/main.ts';
import { addClient, listClients, revokeClient, wordsOf } from '../lib/commands/clients.ts';

await main({
  name: 'bearers',
  does: 'Lists the clients of the gate, adds one (its token is shown once), or revokes one.',
  takes: '(list | add NAME | revoke NAME)',
  flags: ['scope', 'limit', 'dry-run', 'no-verify', 'parallel', 'local'],
  run: (context) => {
    const { verb, name } = wordsOf(context);
    if (verb === 'list') return listClients(context);
    return verb === 'add' ? addClient(context, name) : revokeClient(context, name);
  },
});

/** Writes the list of programs that root approves for a proxy, so that the login user needs no root shell. */
import { main } from '../lib/cli/main.ts';
import { writeApproval } from '../lib/commands/approve.ts';

await main({
  name: 'approve',
  does: "Writes, as --bundle FILE, what root runs on a proxy so that sudo need only allow gatepost's own programs. Makes no connection.",
  flags: ['bundle'],
  run: writeApproval,
});

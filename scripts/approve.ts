/** Writes what root runs on a proxy, so that the login user need not be able to become root. */
import { writeApproval } from '../lib/approve.ts';
import { main } from '../lib/cli.ts';

await main({
  name: 'approve',
  does: "Writes, as --bundle FILE, what root runs on a proxy so that sudo need only allow this suite's own programs. Contacts nothing.",
  flags: ['bundle'],
  run: writeApproval,
});

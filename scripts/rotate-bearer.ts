/** Gives a client of the gate a new token, and verifies with requests that it is accepted and the old one is not. */
import { main } from '../lib/cli/main.ts';
import { proveChange, showClientToken, summarizeChange } from '../lib/commands/client-changes.ts';
import { rollout } from '../lib/commands/rollout.ts';
import { planRotation, settleEnv, writeEnv } from '../lib/commands/rotate.ts';
import type { HostReport } from '../lib/model/host-report.ts';

await main({
  name: 'rotate-bearer',
  does: 'Gives a client of the gate a new token (the configured one, or a generated one), and verifies that it is accepted and the old one is not.',
  flags: [
    'client',
    'keep-previous',
    'revoke-previous',
    'write-env',
    'show-token',
    'dry-run',
    'no-verify',
    'take-over-lock',
    'parallel',
    'local',
  ],
  run: async (context) => {
    const plan = await planRotation(context);
    const written = await writeEnv(context, plan); // only with --write-env, before the token is live anywhere
    let hosts: readonly HostReport[] = [];
    try {
      hosts = await rollout(context, (proxy) => proxy.apply(plan.program));
    } finally {
      await settleEnv(context, written, hosts); // restored if the token is not live anywhere
    }
    const token = showClientToken(context, plan, hosts);
    const checks = await proveChange(context, plan, hosts);
    return summarizeChange(context, plan, { hosts, checks, token });
  },
});

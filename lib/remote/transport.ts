/** Chooses the SSH transport of a run: ssh2, or the ssh program of the system for what ssh2 cannot do. */
import type { TransportSetting } from '../config/schema.ts';
import * as ssh2Transport from '../ssh/connection.ts';
import type { Hop } from '../ssh/hops.ts';
import type { Transport } from '../ssh/session.ts';
import { whyNotSsh2 } from '../ssh/why-openssh.ts';
import { UsageError } from '../util/errors.ts';

/**
 * The transport for all hops of a run: the one that is set, or OpenSSH as soon as one hop needs what ssh2 cannot do; `notice`
 * says why.
 * @throws UsageError if OpenSSH is needed and not installed
 */
export async function chooseTransport(
  setting: TransportSetting,
  hops: readonly Hop[],
): Promise<{ readonly transport: Transport; readonly notice?: string }> {
  if (setting === 'ssh2') return { transport: ssh2Transport };
  const isInstalled = hops.every((hop) => hop.beyondSsh2 !== undefined);
  if (setting === 'openssh') {
    if (!isInstalled) throw noProgram();
    return { transport: await openssh() };
  }
  const why = isInstalled ? await whyNotSsh2(hops) : undefined;
  if (why === undefined) return { transport: ssh2Transport };
  return { transport: await openssh(), notice: `connecting with the ssh program, not ssh2: ${why}` };
}

const openssh = (): Promise<Transport> => import('../ssh/openssh/transport.ts');

const noProgram = () =>
  new UsageError(
    ['SSH_TRANSPORT: is "openssh", but there is no ssh program in PATH'],
    'No connection was made. Install OpenSSH (package openssh-client), or set SSH_TRANSPORT=ssh2.',
  );

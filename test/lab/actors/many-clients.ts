/** A gate with many clients: writes their files directly instead of running the suite once per client. */
import type { Host } from '../namespaces/host.ts';
import { BEARERS, clientFileText, LIVE } from './client-files.ts';

/** The token of client `client-NUMBER`. */
export const tokenOf = (number: number): string => `${`${number}`.padStart(8, '0')}${'f0e1'.repeat(14)}`;

const WRITE = `awk -F '\\t' '
  { print $3 >(bearers "/" $1 ".map"); close(bearers "/" $1 ".map"); printf "" >(live "/" $2); close(live "/" $2) }
' bearers=${BEARERS} live=${LIVE} -
chmod 600 ${BEARERS}/*.map`;

/** Adds clients to a host's gate until it has `count` (client-2 is the first), and reloads nginx. */
export async function installClients(host: Host, count: number): Promise<void> {
  const lines = Array.from({ length: count - 1 }, (_, i) => {
    const { text, live } = clientFileText({
      name: `client-${i + 2}`,
      scope: 'full',
      tokens: [tokenOf(i + 2)],
    });
    return `client-${i + 2}\t${live[0]}\t${text.trimEnd().split('\n').at(-1)}\n`;
  });
  const { status, stderr } = await host.sh(`set -e\n${WRITE}\nnginx -s reload\nsleep 1`, {
    input: lines.join(''),
  });
  if (status !== 0) throw new Error(stderr);
}

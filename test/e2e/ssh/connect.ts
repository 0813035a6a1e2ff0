/** One connection including its jump hosts, for tests of the transport itself. */

import * as ssh2 from '../../../lib/ssh/connection.ts';
import type { Hop } from '../../../lib/ssh/hops.ts';
import type { Connection, Transport } from '../../../lib/ssh/session.ts';

/** Connects to the last hop through the others; closing it closes all. */
export async function connect(hops: readonly Hop[], transport: Transport = ssh2): Promise<Connection> {
  const jump = await transport.openJump(hops.slice(0, -1));
  try {
    const connection = await transport.connectThrough(hops.at(-1) as Hop, jump);
    const close = () => {
      connection.close();
      jump.close();
    };
    return { ...connection, close };
  } catch (error) {
    jump.close();
    throw error;
  }
}

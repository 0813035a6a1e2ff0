/** Where a vhost answers connections from its own host: the rows `listen` that a proxy reports. */
import type { Duplex } from 'node:stream';
import type { HostReport } from './host-report.ts';

/** Opens a stream to a port of a host, as the host itself reaches it at that address (127.0.0.1 unless given). */
export type Open = (port: number, address?: string) => Promise<Duplex>;

/** What a client behind a load balancer would have sent first; nginx then keeps the address of the connection. */
const PROXY_PROTOCOL = 'PROXY UNKNOWN\r\n';

/**
 * Opens a port at the address on which the vhost listens: nginx gives a connection to the most specific address, so
 * 127.0.0.1 may belong to another vhost, or to none.
 */
export function openVhost({ rows }: Pick<HostReport, 'rows'>, open: Open): (port: number) => Promise<Duplex> {
  const listens = rows.listen ?? [];
  return async (port) => {
    const [, address, option] = listens.find(([at]) => at === String(port)) ?? [];
    const stream = await open(port, address?.replace(/^\[|\]$/g, ''));
    if (option === 'proxy_protocol') stream.write(PROXY_PROTOCOL);
    return stream;
  };
}

/** An address whose packets are dropped, as by a firewall. */
import { execFileSync } from 'node:child_process';

const LINK = `ip link add vanish type veth peer name void
  ip link set void up
  ip link set vanish up
  ip addr add 198.51.100.2/24 dev vanish
  ip neigh add 198.51.100.1 lladdr 02:00:00:00:00:01 dev vanish`;

/** Creates it in this process's network namespace; returns the address. */
export function droppingAddress(): string {
  execFileSync('sh', ['-ec', LINK]);
  return '198.51.100.1';
}

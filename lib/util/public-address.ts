/** Which addresses are reachable from the internet. */
import { BlockList, isIPv6 } from 'node:net';

const NOT_PUBLIC = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  NOT_PUBLIC.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::', 128],
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
] as const)
  NOT_PUBLIC.addSubnet(network, prefix, 'ipv6');

/** RFC 1918, loopback, link-local, 100.64/10, unique local and unspecified addresses are not public; documentation ranges count as public. */
export function isPublicAddress(address: string): boolean {
  const [bare = ''] = address.split('%');
  return !NOT_PUBLIC.check(bare, isIPv6(bare) ? 'ipv6' : 'ipv4');
}

/** Which addresses are reachable from the internet. */
import { BlockList, isIPv6 } from 'node:net';

/** Networks, separated by spaces. */
function blockList(v4: string, v6: string): BlockList {
  const list = new BlockList();
  for (const [family, networks] of [
    ['ipv4', v4],
    ['ipv6', v6],
  ] as const)
    for (const network of networks.split(' ')) {
      const [address = '', prefix] = network.split('/');
      list.addSubnet(address, Number(prefix), family);
    }
  return list;
}

const NOT_PUBLIC = blockList(
  '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16',
  '::/128 ::1/128 fc00::/7 fe80::/10',
);

/**
 * RFC 1918, loopback, link-local, 100.64/10, unique local and unspecified addresses are not public; documentation
 * ranges count as public.
 */
export function isPublicAddress(address: string): boolean {
  const [bare = ''] = address.split('%');
  return !NOT_PUBLIC.check(bare, isIPv6(bare) ? 'ipv6' : 'ipv4');
}

/** From https://www.cloudflare.com/ips/, as of 2026. */
const CLOUDFLARE = blockList(
  '173.245.48.0/20 103.21.244.0/22 103.22.200.0/22 103.31.4.0/22 141.101.64.0/18 108.162.192.0/18 190.93.240.0/20 188.114.96.0/20 197.234.240.0/22 198.41.128.0/17 162.158.0.0/15 104.16.0.0/13 104.24.0.0/14 172.64.0.0/13 131.0.72.0/22',
  '2400:cb00::/32 2606:4700::/32 2803:f800::/32 2405:b500::/32 2405:8100::/32 2a06:98c0::/29 2c0f:f248::/32',
);

/** Whether the address belongs to Cloudflare, in front of a customer's server. */
export const isCloudflare = (address: string): boolean =>
  CLOUDFLARE.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');

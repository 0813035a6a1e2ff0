/** The backend ports are not reachable from the internet. */
import { once } from 'node:events';
import { connect, isIP } from 'node:net';
import { type Check, type CheckTarget, type Finding, failed, passed, skipped } from '../../model/check.ts';
import { resolved } from './public-name.ts';

/** A firewall that drops packets never responds: a port that does not open within this time counts as closed. */
const OPENS_WITHIN_MS = 1_500;

interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** None of the ports is open on any address of the public name. */
export function closedPorts(ports: readonly number[]): Check {
  return {
    name: 'backend ports',
    run: (target) => check(ports, target),
    curl: ({ serverName }) => `curl -sS -m 2 'http://${serverName}:${ports[0]}/'`,
  };
}

async function check(ports: readonly number[], target: CheckTarget): Promise<Finding> {
  const where = await resolved(target);
  if ('skipReason' in where) return skipped(where.skipReason);
  const endpoints = where.addresses.flatMap((address) => ports.map((port) => ({ address, port })));
  const states = await Promise.all(endpoints.map(isOpen));
  const open = endpoints.filter((_, index) => states[index]);
  return judgePorts(ports, open, target);
}

/** Judges the open ports. */
export function judgePorts(
  ports: readonly number[],
  open: readonly Endpoint[],
  { serverName, proxies = [] }: CheckTarget,
): Finding {
  if (open.length === 0)
    return passed(
      `${ports.length === 1 ? 'Port' : 'Ports'} ${ports.join(' and ')} ${ports.length === 1 ? 'is' : 'are'} not reachable on ${serverName}.`,
    );
  const seen = open.map(({ address, port }) => `${isIP(address) === 6 ? `[${address}]` : address}:${port}`);
  return failed(
    `${seen.join(' and ')} ${open.length > 1 ? 'are' : 'is'} reachable from the internet, without a token and without encryption. Remove the port forwarding on the router, and allow only the proxy on the machine that listens: ${firewall(ports, proxies)}`,
  );
}

/** Packets that come neither from the machine itself nor from its containers. */
const OTHERS = "iifname != lo iifname != 'docker*' iifname != 'br-*'";

/** The commands in docs/firewall.md. */
function firewall(ports: readonly number[], proxies: readonly string[]): string {
  const known = proxies.filter((host) => isIP(host) === 4);
  const from = known.length > 0 ? known : ['PROXY'];
  const list = ports.join(',');
  const allow = from.map((proxy) => `ufw allow from ${proxy} to any port ${list} proto tcp`);
  const ufw = [...allow, `ufw deny proto tcp to any port ${list}`].join(' && ');
  const nft = `nft add table inet gatepost && nft add chain inet gatepost backend '{ type filter hook prerouting priority -150; }' && nft add rule inet gatepost backend ${OTHERS} ip saddr != '{ ${from.join(', ')} }' tcp dport '{ ${ports.join(', ')} }' drop && nft add rule inet gatepost backend ${OTHERS} meta nfproto ipv6 tcp dport '{ ${ports.join(', ')} }' drop`;
  const hint = known.length > 0 ? '' : ' (PROXY: the LAN address of the proxy)';
  return `\`${ufw}\`. If Docker publishes the ports, ufw does not see them: \`${nft}\`${hint}.`;
}

async function isOpen({ address, port }: Endpoint): Promise<boolean> {
  const socket = connect({ host: address, port });
  socket.on('error', () => {});
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(OPENS_WITHIN_MS) });
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** The backends' own ports are not open to the world. */
import { once } from 'node:events';
import { connect, isIP } from 'node:net';
import { type Check, type CheckTarget, type Finding, failed, passed, skipped } from '../../model/check.ts';
import { resolved } from './public-name.ts';

/** A firewall that drops packets answers never: what does not open in this time is taken for shut. */
const OPENS_WITHIN_MS = 1_500;

interface Place {
  readonly address: string;
  readonly port: number;
}

/** None of the ports opens on any address of the public name. */
export function closedPorts(ports: readonly number[]): Check {
  return {
    name: 'backend ports',
    run: (target) => check(ports, target),
    curl: ({ serverName }) => `curl -sS -m 2 'http://${serverName}:${ports[0]}/'`,
  };
}

async function check(ports: readonly number[], target: CheckTarget): Promise<Finding> {
  const where = await resolved(target);
  if ('untried' in where) return skipped(where.untried);
  const places = where.addresses.flatMap((address) => ports.map((port) => ({ address, port })));
  const states = await Promise.all(places.map(isOpen));
  const open = places.filter((_, index) => states[index]);
  return judgePorts(ports, open, target);
}

/** Judges what was found open. */
export function judgePorts(
  ports: readonly number[],
  open: readonly Place[],
  { serverName, proxies = [] }: CheckTarget,
): Finding {
  if (open.length === 0) return passed(`${ports.join(' and ')} are not open on ${serverName}.`);
  const seen = open.map(({ address, port }) => `${isIP(address) === 6 ? `[${address}]` : address}:${port}`);
  return failed(
    `${seen.join(' and ')} ${open.length > 1 ? 'are' : 'is'} open to the world: whoever finds it needs no bearer, and gets no encryption. Take the port off the router's forwarding, and let only the proxy in, on the machine that listens: ${firewall(ports, proxies)}`,
  );
}

/** The commands of docs/firewall.md. */
function firewall(ports: readonly number[], proxies: readonly string[]): string {
  const known = proxies.filter((host) => isIP(host) === 4);
  const from = known.length > 0 ? known : ['PROXY'];
  const list = ports.join(',');
  const allow = from.map((proxy) => `ufw allow from ${proxy} to any port ${list} proto tcp`);
  const ufw = [...allow, `ufw deny proto tcp to any port ${list}`].join(' && ');
  const accept = `nft add rule inet filter input ip saddr '{ ${from.join(', ')} }' tcp dport '{ ${ports.join(', ')} }' accept`;
  const drop = `nft add rule inet filter input tcp dport '{ ${ports.join(', ')} }' drop`;
  const who = known.length > 0 ? '' : ' (PROXY: its address in the LAN)';
  return `\`${ufw}\`, or \`${accept} && ${drop}\`${who}.`;
}

async function isOpen({ address, port }: Place): Promise<boolean> {
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

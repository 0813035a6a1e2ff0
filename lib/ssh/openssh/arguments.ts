/** The command lines of ssh. Everything that the operator did not set is left to the SSH configuration. */
import { quote } from '../../util/shell.ts';
import type { Hop } from '../hops.ts';
import { LIMITS } from '../timeouts.ts';

/** Options that no SSH configuration may change: no prompts, no unknown host keys, no other forwardings or commands. */
const FIXED: Readonly<Record<string, string>> = {
  BatchMode: 'yes',
  StrictHostKeyChecking: 'yes',
  NoHostAuthenticationForLocalhost: 'no',
  UpdateHostKeys: 'no',
  AddKeysToAgent: 'no',
  ControlMaster: 'yes',
  ControlPersist: 'no',
  ForwardAgent: 'no',
  ForwardX11: 'no',
  ClearAllForwardings: 'yes',
  PermitLocalCommand: 'no',
  RemoteCommand: 'none',
  Tunnel: 'no',
  ConnectionAttempts: '1',
  ConnectTimeout: String(LIMITS.hop / 1000),
  ServerAliveInterval: String(LIMITS.keepalive / 1000),
};

/** ssh expands `%` tokens in most values, and splits some at blanks. */
const literal = (path: string) => `"${path.replaceAll('%', '%%').replace(/["\\]/g, '\\$&')}"`;

const options = (values: Readonly<Record<string, string>>): string[] =>
  Object.entries(values).flatMap(([name, value]) => ['-o', `${name}=${value}`]);

/** The route to a hop. */
export interface Route {
  /** The control socket of the previous jump host. */
  readonly through: string | undefined;
  /** Number of jump hosts before it: the nearest connection must detect a dead network path first. */
  readonly depth: number;
  /**
   * Whether the configured key's certificate is only in the agent: ssh then offers it only together with all other
   * keys.
   */
  readonly offersAgent: boolean;
}

/**
 * The arguments of the connection that others share (ssh_config(5), ControlMaster): runs no command; -v logs its
 * progress.
 */
export function masterArguments(hop: Hop, { through, depth, offersAgent }: Route, socket: string): string[] {
  const { name = hop.host, user, port, keys, keyIsExplicit, agent, knownHosts, hostKeyName } = hop;
  const values = {
    ...FIXED,
    ServerAliveCountMax: String(missedKeepalives(depth)),
    // A ProxyJump was already resolved to a hop; a ProxyCommand is left to ssh.
    ...(through ? { ProxyCommand: proxyCommand(through, hop) } : { ProxyJump: 'none' }),
    UserKnownHostsFile: knownHosts.map(literal).join(' ') || '/dev/null',
    GlobalKnownHostsFile: '/dev/null',
    ...(hostKeyName !== hop.host && { HostKeyAlias: hostKeyName }),
    IdentityAgent: agent === undefined ? 'none' : literal(agent),
    ...(keyIsExplicit && { IdentitiesOnly: offersAgent ? 'no' : 'yes' }),
  };
  const identities = keyIsExplicit ? keys.flatMap((key) => ['-i', key.replaceAll('%', '%%')]) : [];
  const to = ['-l', user, '-p', String(port), '--', name];
  return ['-v', '-M', '-N', '-T', '-S', socket, ...options(values), ...identities, ...to];
}

export const missedKeepalives = (depth: number): number => LIMITS.missed + depth;

/** ssh runs it in the operator's shell, which can be any. @throws Error for a host that is not a name or an address */
function proxyCommand(through: string, { host, port }: Hop): string {
  if (!/^[\w.:%-]+$/.test(host)) throw new Error(`not a host: ${host}`);
  const words = ['ssh', ...sharedArguments(through), ...streamArguments(host, port)];
  return words.map((word) => quote(word.replaceAll('%', '%%'))).join(' ');
}

/** Arguments for a stream to an address as seen from the host; -v logs when it is open. */
export const streamArguments = (host: string, port: number): string[] => [
  '-v',
  '-W',
  `${host.includes(':') ? `[${host}]` : host}:${port}`,
  '--',
  NO_HOST,
];

/** Arguments for a command that runs without a pty. */
export const commandArguments = (command: string): string[] => [
  '-T',
  '-o',
  'LogLevel=ERROR',
  '--',
  NO_HOST,
  command,
];

/** Never contacted: if the shared connection is gone, ssh must not open its own. */
const NO_HOST = 'shared.invalid';

/** Arguments for an ssh that uses the connection of this control socket, without any configuration. */
export const sharedArguments = (socket: string): string[] => [
  '-F',
  'none',
  '-S',
  socket,
  ...options({ BatchMode: 'yes', ProxyCommand: 'false' }),
];

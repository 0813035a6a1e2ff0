/** Failures of a hop, put into words: what happened and what to do next. */
import { SshError } from '../errors.ts';
import type { Hop } from './config.ts';
import { LIMITS } from './limits.ts';

const seconds = (milliseconds: number) => `${milliseconds / 1000} s`;
const at = (hop: Hop) => `${hop.host} port ${hop.port}`;
const tryByHand = (hop: Hop) => `ssh -v -p ${hop.port} ${hop.user}@${hop.host}`;

/** Why no TCP connection came about. */
export function dialError(hop: Hop, cause: NodeJS.ErrnoException): SshError {
  const [what, advice] = DIAL[codeOf(cause)] ?? [cause.message, 'Check address, port and network.'];
  return new SshError(hop.label, `${at(hop)}: ${what}`, advice, { cause });
}

/** Several addresses tried give an AggregateError, whose first part tells more. */
const codeOf = (cause: NodeJS.ErrnoException): string =>
  cause.code ?? (cause instanceof AggregateError ? (cause.errors[0]?.code ?? '') : '');

const NO_NAME = [
  'the name does not resolve',
  'Check the spelling and DNS (`getent hosts NAME`), or set the address.',
] as const;
const NO_WAY = ['no route to the host', 'Check the network, the VPN and the address.'] as const;
const DIAL: Readonly<Record<string, readonly [string, string]>> = {
  ENOTFOUND: NO_NAME,
  EAI_AGAIN: ['the name does not resolve: the DNS server does not answer', 'Check the network and DNS.'],
  ECONNREFUSED: ['connection refused', 'Check the port, and that sshd runs there (`systemctl status ssh`).'],
  ETIMEDOUT: ['connection timed out', 'Check address and port; a firewall may drop the packets.'],
  EHOSTUNREACH: NO_WAY,
  ENETUNREACH: NO_WAY,
  ECONNRESET: ['connection reset', 'Something between may be closing SSH connections: a firewall, a ban.'],
};

export const dialTimeout = (hop: Hop): SshError =>
  dialError(hop, Object.assign(new Error(`no answer within ${seconds(LIMITS.hop)}`), { code: 'ETIMEDOUT' }));

/** Why a jump host did not open the way to the next hop (RFC 4254, 5.1). */
export function openError(jump: Hop, next: Hop, cause: Error & { reason?: unknown }): SshError {
  const words = cause.message.replace('(SSH) Channel open failure: ', '');
  if (cause.reason === 1)
    return new SshError(
      jump.label,
      `forwarding to ${at(next)} is prohibited (${words})`,
      `Allow it in sshd_config of ${jump.host}: AllowTcpForwarding yes, and PermitOpen ${next.host}:${next.port} where it is set.`,
      { cause },
    );
  return new SshError(
    next.label,
    `${at(next)} cannot be reached from the ${jump.label}: ${words}`,
    `Check on the jump host: nc -vz ${next.host} ${next.port}`,
    { cause },
  );
}

export const openTimeout = (jump: Hop, next: Hop): SshError =>
  openError(jump, next, new Error(`timed out, no answer within ${seconds(LIMITS.open)}`));

/** How far a handshake came: what the other side sent first, and what we offered. */
export interface Stage {
  readonly said: string;
  readonly handshake: boolean;
  readonly offered: readonly string[];
  readonly accepts: readonly string[];
}

/** Why a hop that answered did not let us in. */
export function handshakeError(hop: Hop, stage: Stage, cause: Error & { level?: string }): SshError {
  const timedOut = cause.level === 'client-timeout';
  if (stage.said === '' && timedOut) return mute(hop, cause);
  if (stage.said !== '' && !/^SSH-|\nSSH-/.test(stage.said)) return notSsh(hop, stage, cause);
  if (cause.level === 'client-authentication') return notAccepted(hop, stage, cause);
  if (/no matching/.test(cause.message)) return nothingInCommon(hop, cause);
  const how = timedOut ? `timed out, no answer within ${seconds(LIMITS.hop)}` : cause.message;
  return new SshError(
    hop.label,
    `${at(hop)}: connection lost during ${stage.handshake ? 'login' : 'the handshake'}: ${how}`,
    `Try it by hand: ${tryByHand(hop)}`,
    { cause },
  );
}

const mute = (hop: Hop, cause: Error) =>
  new SshError(
    hop.label,
    `${at(hop)} timed out: it accepts connections but says nothing (no SSH banner within ${seconds(LIMITS.hop)})`,
    `Check that the port is sshd's, and the load of the host: ${tryByHand(hop)}`,
    { cause },
  );

const notSsh = (hop: Hop, stage: Stage, cause: Error) =>
  new SshError(
    hop.label,
    `${at(hop)} is not an SSH server, or turns us away: it says "${firstLine(stage.said)}"`,
    'Check the port. "MaxStartups" or "Not allowed at this time" mean: wait a minute, then try again.',
    { cause },
  );

const nothingInCommon = (hop: Hop, cause: Error) =>
  new SshError(
    hop.label,
    `${at(hop)}: unsupported: ${cause.message}`,
    'No algorithm in common. Allow curve25519-sha256, aes128-gcm@openssh.com and an ed25519, ECDSA or RSA host key in its sshd_config; host certificates and FIDO host keys are not supported.',
    { cause },
  );

const firstLine = (text: string) => (text.split('\n')[0] ?? '').replace(/[^ -~]/g, '').slice(0, 80);

function notAccepted(hop: Hop, stage: Stage, cause: Error): SshError {
  const wants = stage.accepts.includes('publickey') ? '' : `; it accepts only ${stage.accepts.join(', ')}`;
  return new SshError(
    hop.label,
    `no key accepted for user ${hop.user}${wants}; offered: ${stage.offered.join(', ')}`,
    `Check the user, and that the public key stands in ~${hop.user}/.ssh/authorized_keys there: ssh-copy-id -p ${hop.port} ${hop.user}@${hop.host}`,
    { cause },
  );
}

/** How an established connection went away. */
export function lostError(hop: Hop, cause?: Error & { level?: string; code?: unknown }): SshError {
  const silent = `no answer to keepalives for ${seconds(LIMITS.keepalive * LIMITS.missed)}`;
  const how = !cause
    ? 'closed by the other side'
    : cause.level === 'client-timeout'
      ? silent
      : cause.code === 'ECONNRESET'
        ? 'reset by the other side'
        : cause.message;
  return new SshError(
    hop.label,
    `connection lost: ${how}`,
    'Check the network. What had arrived whole runs to its end there without us; run it again to see where it stands.',
    cause && { cause },
  );
}

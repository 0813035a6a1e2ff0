/** A hop's error messages: what happened and the fix, from the table in lib/diagnosis/ssh-failures.ts. */
import { filled, type Row, rowFor } from '../diagnosis/row.ts';
import { HANDSHAKE, SESSION, UNREACHABLE } from '../diagnosis/ssh-failures.ts';
import { SshError } from '../util/errors.ts';
import type { Hop } from './hops.ts';
import { whyUnusable } from './identity-files.ts';
import { LIMITS } from './timeouts.ts';

const seconds = (milliseconds: number) => `${milliseconds / 1000} s`;
const at = (hop: Hop) => `${hop.host} port ${hop.port}`;
const namesOf = ({ host, port, user }: Hop) => ({ HOST: host, PORT: String(port), USER: user });

/** An error at `hop`, with the row's fix and its placeholders filled in. */
const sshError = (hop: Hop, row: Row, what: string, cause?: unknown, names = {}): SshError =>
  new SshError(hop.label, what, filled(row.fix, { ...namesOf(hop), ...names }), { cause });

/** Why the TCP connection failed. */
export function dialError(hop: Hop, cause: NodeJS.ErrnoException): SshError {
  const row = DIAL[codeOf(cause)];
  return sshError(hop, row ?? UNREACHABLE.noRoute, `${at(hop)}: ${row?.error ?? cause.message}`, cause);
}

/** If several addresses were tried, the error is an AggregateError; its first part has the code. */
const codeOf = (cause: NodeJS.ErrnoException): string =>
  cause.code ?? (cause instanceof AggregateError ? (cause.errors[0]?.code ?? '') : '');

const DIAL: Readonly<Record<string, Row>> = {
  ENOTFOUND: UNREACHABLE.noName,
  EAI_AGAIN: UNREACHABLE.noDns,
  ECONNREFUSED: UNREACHABLE.refused,
  ETIMEDOUT: UNREACHABLE.timedOut,
  EHOSTUNREACH: UNREACHABLE.noRoute,
  ENETUNREACH: UNREACHABLE.noRoute,
  ECONNRESET: HANDSHAKE.reset,
};

export const dialTimeout = (hop: Hop): SshError =>
  dialError(hop, Object.assign(new Error(`no answer within ${seconds(LIMITS.hop)}`), { code: 'ETIMEDOUT' }));

/** Why a jump host did not forward to the next hop (RFC 4254, 5.1). */
export function openError(jump: Hop, next: Hop, cause: Error & { reason?: unknown }): SshError {
  const reason = cause.message.replace('(SSH) Channel open failure: ', '');
  const names = { ...namesOf(next), JUMP: jump.host };
  if (cause.reason === 1)
    return sshError(
      jump,
      UNREACHABLE.prohibited,
      `forwarding to ${at(next)} is prohibited (${reason})`,
      cause,
      names,
    );
  const what = `${at(next)} cannot be reached from the ${jump.label}: ${reason}`;
  return sshError(next, UNREACHABLE.beyondJump, what, cause);
}

export const openTimeout = (jump: Hop, next: Hop): SshError =>
  openError(jump, next, new Error(`timed out, no answer within ${seconds(LIMITS.open)}`));

/** The progress of a handshake: the first bytes from the other side, and the keys that were offered. */
export interface Stage {
  readonly firstBytes: string;
  readonly handshake: boolean;
  readonly offered: readonly string[];
  readonly accepts: readonly string[];
  /** Why a key did not sign, for example in the agent. */
  readonly unsigned?: string;
  /** Why other keys were not offered. */
  readonly skipped: readonly SshError[];
}

/** Why the login to a hop that answered failed. */
export function handshakeError(hop: Hop, stage: Stage, cause: Error & { level?: string }): SshError {
  const timedOut = cause.level === 'client-timeout';
  if (stage.firstBytes === '' && timedOut) return noBanner(hop, cause);
  if (stage.firstBytes !== '' && !/^SSH-|\nSSH-/.test(stage.firstBytes)) return notSsh(hop, stage, cause);
  if (/SSH-2\.0-Tailscale/.test(stage.firstBytes) && stage.handshake)
    return sshError(hop, HANDSHAKE.tailscale, `${HANDSHAKE.tailscale.error} ${hop.user}`, cause);
  if (cause.level === 'client-authentication') return notAccepted(hop, stage, cause);
  const how = timedOut ? `timed out, no answer within ${seconds(LIMITS.hop)}` : textOf(cause);
  const row = rowFor(Object.values(HANDSHAKE), how);
  if (row && /no matching/.test(how)) return sshError(hop, row, `${at(hop)}: unsupported: ${how}`, cause);
  const when = stage.handshake ? 'login' : 'the handshake';
  const keys = row === HANDSHAKE.tooManyKeys ? `; keys: ${stage.offered.join(', ')}` : '';
  const what = `${at(hop)}: connection lost during ${when}: ${how}${keys}`;
  return sshError(hop, row ?? HANDSHAKE.aborted, what, cause);
}

const textOf = (cause: Error & { code?: unknown }): string =>
  cause.code === 'ECONNRESET' ? HANDSHAKE.reset.error : cause.message;

const noBanner = (hop: Hop, cause: Error) =>
  sshError(
    hop,
    HANDSHAKE.silent,
    `${at(hop)} timed out: it ${HANDSHAKE.silent.error} (no SSH banner within ${seconds(LIMITS.hop)})`,
    cause,
  );

const notSsh = (hop: Hop, { firstBytes }: Stage, cause: Error) =>
  sshError(
    hop,
    HANDSHAKE.notSsh,
    `${at(hop)} ${HANDSHAKE.notSsh.error}; it sent "${firstLine(firstBytes)}"`,
    cause,
  );

const firstLine = (text: string) => (text.split('\n')[0] ?? '').replace(/[^ -~]/g, '').slice(0, 80);

function notAccepted(hop: Hop, stage: Stage, cause: Error): SshError {
  const { accepts, offered, unsigned, skipped } = stage;
  if (offered.length === 0) return skipped[0] ?? noKey(hop);
  const wants = accepts.includes('publickey') ? '' : `; it accepts only ${accepts.join(', ')}`;
  const notSigned = unsigned === undefined ? '' : `; not signed: ${unsigned}`;
  const others = skipped.map(({ message }) => `; not offered: ${message.replace(`${hop.label}: `, '')}`);
  const what = `${HANDSHAKE.notAccepted.error} ${hop.user}${wants}; offered: ${offered.join(', ')}${notSigned}${others.join('')}`;
  const row = rowFor([HANDSHAKE.sha1Only], what) ?? HANDSHAKE.notAccepted;
  const fix = [row.fix, ...skipped.map(({ advice }) => advice)].join('\n');
  return sshError(hop, { ...row, fix }, what, cause);
}

function agentState({ agent }: Hop): string {
  if (!agent) return 'no SSH agent is running';
  const why = whyUnusable(agent);
  return why
    ? `the SSH agent at ${agent} cannot be used: ${why}`
    : `the SSH agent at ${agent} has no supported key`;
}

const noKey = (hop: Hop) =>
  new SshError(
    hop.label,
    `no key to log in with: ${hop.keys.join(', ')} ${hop.keys.length > 1 ? 'do' : 'does'} not exist, and ${agentState(hop)}`,
    'Set a private key in the settings, or add one to the agent: `eval "$(ssh-agent)"; ssh-add KEY`. FIDO keys and certificates need the ssh program (SSH_TRANSPORT=openssh).',
  );

/**
 * How an established connection was lost.
 * @param missed keepalives that may go unanswered on this hop
 */
export function lostError(hop: Hop, cause?: Broken, missed: number = LIMITS.missed): SshError {
  return sshError(hop, SESSION.lost, `connection lost: ${how(cause, missed)}`, cause);
}

type Broken = Error & { level?: string; code?: unknown };

function how(cause: Broken | undefined, missed: number): string {
  if (!cause) return 'closed by the other side';
  if (cause.level === 'client-timeout')
    return `no answer to keepalives for ${seconds(LIMITS.keepalive * missed)}`;
  return cause.code === 'ECONNRESET' ? 'reset by the other side' : cause.message;
}

/** Why a host refuses to run a command after the login. */
export const commandError = (hop: Hop, cause?: Error): SshError =>
  sshError(hop, SESSION.refused, `${SESSION.refused.error}: ${cause?.message}`, cause);

/** The command did not finish in time. */
export const unfinishedError = (hop: Hop, why: string): SshError =>
  sshError(hop, SESSION.unfinished, `${SESSION.unfinished.error}: ${why}`);

/** A key file that OpenSSH could not use; `why` is ssh's own reason. */
export function keyFileError(hop: Hop, path: string, why: string): SshError {
  if (/passphrase/.test(why))
    return new SshError(
      hop.label,
      `the key ${path} is encrypted, and no agent holds it`,
      `gatepost never prompts for a passphrase. Add the key to the agent once: \`ssh-add ${path}\``,
    );
  const isOpen = /permissions/.test(why);
  return new SshError(
    hop.label,
    isOpen
      ? `the key ${path} has wrong mode: users other than its owner can access it`
      : `the key ${path} cannot be used: ${why}`,
    isOpen
      ? `OpenSSH rejects such a key. Run: \`chmod 600 ${path}\``
      : `Set a private key in the settings; \`ssh-keygen -yf ${path}\` shows the same error.`,
  );
}

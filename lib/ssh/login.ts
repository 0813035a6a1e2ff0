/** Logs in to one hop: verifies the host key, offers keys, keeps the connection alive. Only this file, agent.ts and key-file.ts use ssh2. */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import ssh2, {
  type AgentAuthMethod,
  type AuthHandlerMiddleware,
  type Client,
  type NoAuthMethod,
  type PublicKeyAuthMethod,
  type ServerHostKeyAlgorithm,
} from 'ssh2';
import { HANDSHAKE } from '../diagnosis/ssh-failures.ts';
import { SshError } from '../util/errors.ts';
import { sendLoginEarly, signWithoutProbe } from './auth-shortcuts.ts';
import { openStream } from './dial.ts';
import type { Hop } from './hops.ts';
import { type HostKeyCheck, hostKeyCheck, hostKeyError } from './host-key.ts';
import { findIdentities, type Identities, type Offer } from './identities.ts';
import type { Verdict } from './known-hosts.ts';
import { ProxyStream } from './proxy-command.ts';
import { handshakeError, lostError, type Stage } from './ssh-errors.ts';
import { LIMITS } from './timeouts.ts';

/** Limit for sending the disconnect message over a congested connection. */
const DISCONNECT_MS = 200;

/** Everything that can be prepared before the hop answers. */
export interface Prepared {
  readonly hop: Hop;
  readonly check: HostKeyCheck;
  readonly identities: Identities;
}

export interface Link {
  readonly hop: Hop;
  readonly client: Client;
  /** How the connection was lost; undefined while it is open. */
  readonly lost: () => SshError | undefined;
  /** Opens a stream from this hop to another address: the next hop, or a service there. */
  readonly open: (next: Hop) => Promise<Duplex>;
  readonly close: () => void;
}

/** @throws SshError if known_hosts or the keys cannot be used */
export async function prepare(hop: Hop): Promise<Prepared> {
  refuseCommand(hop);
  const [check, identities] = await Promise.all([hostKeyCheck(hop), findIdentities(hop)]);
  return { hop, check, identities };
}

/** KnownHostsCommand may revoke keys that known_hosts trusts, so it must not be ignored. */
function refuseCommand({ label, beyondSsh2 = [] }: Hop): void {
  const command = beyondSsh2.find((each) => each.startsWith('KnownHostsCommand '));
  if (command === undefined) return;
  throw new SshError(
    label,
    `the SSH configuration sets ${command}, which ssh2 cannot run`,
    'No connection was made. Unset SSH_TRANSPORT, or set it to openssh.',
  );
}

type AuthMethod = PublicKeyAuthMethod | AgentAuthMethod | NoAuthMethod;

interface LoginState extends Stage {
  firstBytes: string;
  handshake: boolean;
  accepts: readonly string[];
  unsigned?: string;
  refused?: SshError;
}

/**
 * Logs in over a stream to the hop.
 * @param depth number of jump hosts before it: the nearest connection should be the first to detect a dead network path
 * @throws SshError that names the hop
 */
export function logIn({ hop, check, identities }: Prepared, sock: Duplex, depth: number): Promise<Link> {
  const client = new ssh2.Client();
  const { offers, skipped } = identities;
  const offered = offers.map(({ description }) => description);
  const progress: LoginState = { firstBytes: '', handshake: false, accepts: ['publickey'], offered, skipped };
  const missed = LIMITS.missed + depth;
  const ready = untilReady({ client, sock, hop, missed }, progress);
  // ssh2 would wait forever on a stream that ended before its listeners were attached.
  if (sock.errored) client.emit('error', sock.errored);
  if ((sock.readableEnded || sock.destroyed) && client.emit('close')) return ready;
  client.connect({
    sock,
    username: hop.user,
    readyTimeout: LIMITS.hop,
    keepaliveInterval: LIMITS.keepalive,
    keepaliveCountMax: missed,
    algorithms: { serverHostKey: [...check.algorithms] as ServerHostKeyAlgorithm[] },
    hostVerifier: (key: Buffer) => isRightHost(hop, key, verdictOn(key, { hop, check, sock }), progress),
    authHandler: offerOneByOne(hop, offers, progress),
  });
  signWithoutProbe(client, {
    agent: offers.length === 1 ? offers[0]?.agent : undefined,
    refuse: (algorithm) => sha1Error(hop, algorithm),
    skipped: (why) => noteUnsigned(progress, why),
  });
  if (offers[0]?.key.type !== RSA) sendLoginEarly(client);
  // A forwarded stream stays half open after the other side ends it; ssh2 would wait on it forever.
  client.on('end', () => sock.destroy());
  keepFirstBytes(sock, progress);
  return ready;
}

/** A host announces its RSA signature algorithms right before it accepts the login service (RFC 8308). */
const RSA = 'ssh-rsa';

/** The signature algorithm `ssh-rsa` is RSA with SHA-1, which OpenSSH uses only if configured. */
const sha1Error = ({ keyAlgorithms }: Hop, algorithm: string): Error | undefined =>
  algorithm !== RSA || keyAlgorithms?.includes(RSA) ? undefined : new Error(HANDSHAKE.sha1Only.error);

/** An agent that does not answer ends the login; one that refuses a key may sign with another. */
function noteUnsigned(progress: LoginState, why: Error): void {
  if (why instanceof SshError) progress.refused ??= why;
  else progress.unsigned = why.message;
}

/** The first bytes distinguish sshd from other servers. */
function keepFirstBytes(sock: Duplex, progress: LoginState): void {
  sock.on('data', (data: Buffer) => {
    if (progress.firstBytes.length < 1024) progress.firstBytes += data.toString('latin1');
  });
}

/**
 * With CheckHostIP, the IP address must not be listed with another key; applies only to our own TCP connection to a
 * name.
 */
function verdictOn(key: Buffer, connection: { hop: Hop; check: HostKeyCheck; sock: Duplex }): Verdict {
  const { hop, check, sock } = connection;
  const verdict = check.judge(key);
  const address =
    sock instanceof Socket && !/^127\.|^::1$/.test(sock.remoteAddress ?? '') && sock.remoteAddress;
  if (verdict.kind !== 'match' || !hop.checksAddress || !address || hop.hostKeyName !== hop.host)
    return verdict;
  const ofAddress = check.judgeAddress(key, address);
  return ofAddress.kind === 'changed' || ofAddress.kind === 'revoked' ? ofAddress : verdict;
}

/** ssh2 continues unless the result is a literal, synchronous `false`. */
function isRightHost(hop: Hop, key: Buffer, verdict: Verdict, progress: LoginState): boolean {
  if (verdict.kind === 'match') return true;
  progress.refused = hostKeyError(hop, key, verdict);
  return false;
}

/**
 * Tries keys first. ssh2 by default starts with `none`, which costs a round trip per hop; here it comes last, for hosts
 * that accept it, such as Tailscale's.
 */
function offerOneByOne(hop: Hop, offers: readonly Offer[], progress: LoginState): AuthHandlerMiddleware {
  const remaining: AuthMethod[] = [
    ...offers.map((offer) => methodOf(hop, offer)),
    { type: 'none', username: hop.user },
  ];
  return (accepts, _partial, next) => {
    progress.accepts = accepts ?? progress.accepts;
    // @ts-expect-error ssh2 documents `false` for "none left"; its types do not.
    next(remaining.shift() ?? false);
  };
}

const methodOf = ({ user: username }: Hop, { key, agent }: Offer): AuthMethod =>
  agent ? { type: 'agent', username, agent } : { type: 'publickey', username, key };

interface Login {
  readonly client: Client;
  readonly sock: Duplex;
  readonly hop: Hop;
  /** Keepalives that may remain unanswered. */
  readonly missed: number;
}

/** The listeners stay attached: ssh2 may emit several errors, and an unhandled one would crash the process. */
function untilReady({ client, sock, hop, missed }: Login, progress: LoginState): Promise<Link> {
  let lost: SshError | undefined;
  return new Promise((resolve, reject) => {
    const fail = (error: Error & { level?: string }) => {
      if (error instanceof SshError) progress.refused ??= error;
      else if (error.level === 'agent') return noteUnsigned(progress, error);
      lost ??= lostError(hop, error, missed);
      reject(progress.refused ?? handshakeError(hop, progress, error));
    };
    client.on('error', fail);
    client.on('handshake', () => {
      progress.handshake = true;
    });
    client.on('close', () => {
      lost ??= lostError(hop);
      reject(progress.refused ?? handshakeError(hop, progress, new Error('closed by the other side')));
    });
    client.on('ready', () => resolve(toLink({ client, sock, hop }, () => lost)));
  });
}

const toLink = ({ hop, client, sock }: Omit<Login, 'missed'>, lost: Link['lost']): Link => ({
  hop,
  client,
  lost,
  open: (next) => openStream({ hop, client, lost }, next),
  close: () => end(client, sock),
});

/**
 * Sends the disconnect message and closes without waiting for the reply, which takes a round trip and never arrives
 * over a dead network path. After `end`, ssh2's `destroy` does nothing.
 */
function end(client: Client, sock: Duplex): void {
  client.end();
  if (sock instanceof Socket || sock instanceof ProxyStream) sock.destroySoon();
  setTimeout(() => sock.destroy(), DISCONNECT_MS).unref();
}

/** One hop, logged in: host key checked, key offered, kept alive. With agent.ts and key-file.ts the only user of ssh2. */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import ssh2, { type AuthHandlerMiddleware, type Client, type ServerHostKeyAlgorithm } from 'ssh2';
import { SshError } from '../util/errors.ts';
import { logInAhead, signAtOnce } from './auth-shortcuts.ts';
import { openStream } from './forward.ts';
import type { Hop } from './hops.ts';
import { type HostKeyCheck, hostKeyCheck, hostKeyError } from './host-key.ts';
import { findOffers, type Offer } from './identities.ts';
import type { Verdict } from './known-hosts.ts';
import { handshakeError, lostError, type Stage } from './ssh-errors.ts';
import { LIMITS } from './timeouts.ts';

/** How long a full line may keep the goodbye waiting. */
const GOODBYE_MS = 200;

/** What can be made ready before the hop answers. */
export interface Prepared {
  readonly hop: Hop;
  readonly check: HostKeyCheck;
  readonly offers: readonly Offer[];
}

export interface Link {
  readonly hop: Hop;
  readonly client: Client;
  /** How the connection went away; undefined while it stands. */
  readonly lost: () => SshError | undefined;
  /** A stream from this hop to another address: the next hop, or a service there. */
  readonly open: (next: Hop) => Promise<Duplex>;
  readonly close: () => void;
}

/** @throws SshError when known_hosts or the keys cannot be used */
export async function prepare(hop: Hop): Promise<Prepared> {
  const [check, offers] = await Promise.all([hostKeyCheck(hop), findOffers(hop)]);
  return { hop, check, offers };
}

interface LoginState extends Stage {
  said: string;
  handshake: boolean;
  accepts: readonly string[];
  unsigned?: string;
  refused?: SshError;
}

/**
 * Logs in over a stream that reaches the hop.
 * @param depth how many jump hosts lie before: the nearest connection should be the first to notice a dead line
 * @throws SshError naming the hop
 */
export function logIn({ hop, check, offers }: Prepared, sock: Duplex, depth: number): Promise<Link> {
  const client = new ssh2.Client();
  const offered = offers.flatMap((offer) => offer.shown);
  const progress: LoginState = { said: '', handshake: false, accepts: ['publickey'], offered };
  const missed = LIMITS.missed + depth;
  const ready = untilReady({ client, sock, hop, missed }, progress);
  // ssh2 would wait for a stream that ended before it listened, and not hear why.
  if (sock.errored) client.emit('error', sock.errored);
  if ((sock.readableEnded || sock.destroyed) && client.emit('close')) return ready;
  client.connect({
    sock,
    username: hop.user,
    readyTimeout: LIMITS.hop,
    keepaliveInterval: LIMITS.keepalive,
    keepaliveCountMax: missed,
    algorithms: { serverHostKey: [...check.algorithms] as ServerHostKeyAlgorithm[] },
    hostVerifier: (key: Buffer) => isRightHost(hop, key, check.judge(key), progress),
    authHandler: offerOneByOne(offers, progress),
  });
  signAtOnce(client);
  if (offers[0] && !needsAnswer(offers[0])) logInAhead(client);
  // A jump host's stream stays half open after the other side's end, and ssh2 would wait on it for ever.
  client.on('end', () => sock.destroy());
  keepFirstWords(sock, progress);
  return ready;
}

/** Which signatures of an RSA key a host takes, it tells right before it accepts the login service (RFC 8308). */
const needsAnswer = ({ shown }: Offer): boolean => shown.some((key) => key.startsWith('ssh-rsa '));

/** What the other side says first tells sshd from other servers. */
function keepFirstWords(sock: Duplex, progress: LoginState): void {
  sock.on('data', (data: Buffer) => {
    if (progress.said.length < 1024) progress.said += data.toString('latin1');
  });
}

/** Anything but a literal, synchronous `false` would let ssh2 go on. */
function isRightHost(hop: Hop, key: Buffer, verdict: Verdict, progress: LoginState): boolean {
  if (verdict.kind === 'match') return true;
  progress.refused = hostKeyError(hop, key, verdict);
  return false;
}

/** Keys at once: ssh2's own order begins with a `none` probe, a round trip lost on every hop. */
function offerOneByOne(offers: readonly Offer[], progress: LoginState): AuthHandlerMiddleware {
  const left = [...offers];
  return (accepts, _partial, next) => {
    progress.accepts = accepts ?? progress.accepts;
    const offer = left.shift();
    // @ts-expect-error ssh2 documents `false` for "none left"; its types do not.
    next(offer ? offer.method : false);
  };
}

interface Login {
  readonly client: Client;
  readonly sock: Duplex;
  readonly hop: Hop;
  /** How many keepalives may go unanswered. */
  readonly missed: number;
}

/** The handlers stay on: ssh2 may send several errors, and one nobody hears would end the process. */
function untilReady({ client, sock, hop, missed }: Login, progress: LoginState): Promise<Link> {
  let lost: SshError | undefined;
  return new Promise((resolve, reject) => {
    const fail = (error: Error & { level?: string }) => {
      // An agent that does not answer ends the login; one that refuses a key may hold another.
      if (error instanceof SshError) progress.refused ??= error;
      else if (error.level === 'agent') {
        progress.unsigned = error.message;
        return;
      }
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
 * Says goodbye and lets go once that is on its way: an answer would come a round trip later, and from a dead line never.
 * ssh2's own `destroy` does nothing after its `end`.
 */
function end(client: Client, sock: Duplex): void {
  client.end();
  if (sock instanceof Socket) sock.destroySoon();
  setTimeout(() => sock.destroy(), GOODBYE_MS).unref();
}

/** Saves two round trips per hop: sends the login request right after the service request, and signs without probing first. */
import type { BaseAgent, Client, ParsedKey } from 'ssh2';

type Accepted = (protocol: unknown, name: string) => void;

interface Protocol {
  service?: (name: string) => void;
  authPK?: AuthPK;
  readonly _handlers?: {
    SERVICE_ACCEPT?: Accepted;
    USERAUTH_FAILURE?: (protocol: unknown, accepts: readonly string[], isPartial: boolean) => void;
  };
}

const LOGIN = 'ssh-userauth';

/**
 * ssh2 has no option for this: its protocol object is made to assume that the host has accepted the service, without
 * waiting for the reply. A host that refuses the service still closes the connection (RFC 4253, 10). At this point, its
 * host key has been verified.
 */
export function sendLoginEarly(client: Client): void {
  const protocol = Reflect.get(client, '_protocol') as Protocol | undefined;
  const send = protocol?.service;
  const handlers = protocol?._handlers;
  const accepted = handlers?.SERVICE_ACCEPT;
  if (!protocol || !send || !handlers || !accepted) return;
  protocol.service = (name) => {
    send.call(protocol, name);
    if (name !== LOGIN) return;
    handlers.SERVICE_ACCEPT = () => {};
    accepted(protocol, name);
  };
}

type AuthPK = (user: string, key: ParsedKey, algorithm?: string, sign?: Sign) => void;

type Sign = (data: Buffer, done: (signature: Buffer) => void) => void;

const HASHES: Readonly<Record<string, 'sha256' | 'sha512'>> = {
  'rsa-sha2-256': 'sha256',
  'rsa-sha2-512': 'sha512',
};

interface Shortcuts {
  /** Signs for an agent's key, if that is not to be probed either. */
  readonly agent?: BaseAgent | undefined;
  /** Why a key must not be used for this signature algorithm; undefined if it may. */
  readonly refuse: (algorithm: string) => Error | undefined;
  /** Called with the reason why a key was skipped. */
  readonly skipped: (why: Error) => void;
}

/**
 * ssh2 has no option for this: its protocol object is made to sign instead of probing a key. Keys in an agent are
 * probed unless there is only one: a probe costs a round trip, a signature may require the operator's confirmation.
 */
export function signWithoutProbe(client: Client, { agent, refuse, skipped }: Shortcuts): void {
  const protocol = Reflect.get(client, '_protocol') as Protocol | undefined;
  const authenticate = protocol?.authPK;
  if (!protocol || !authenticate) return;
  const skip = (why: Error) => {
    skipped(why);
    process.nextTick(() => protocol._handlers?.USERAUTH_FAILURE?.(protocol, ['publickey'], false));
  };
  protocol.authPK = (user, key, algorithm = key.type, sign) => {
    const why = refuse(algorithm);
    if (why) return skip(why);
    const own = key.isPrivateKey()
      ? signer(key, algorithm, skip)
      : agent && agentSigner(agent, key, algorithm, skip);
    authenticate.call(protocol, user, key, algorithm, sign ?? own);
  };
}

const signer =
  (key: ParsedKey, algorithm: string, skip: (why: Error) => void): Sign =>
  (data, done) => {
    // Its type omits that it returns an Error for a damaged key.
    const signature: Buffer | Error = key.sign(data, HASHES[algorithm]);
    if (signature instanceof Error) skip(signature);
    else done(signature);
  };

const agentSigner =
  (agent: BaseAgent, key: ParsedKey, algorithm: string, skip: (why: Error) => void): Sign =>
  (data, done) => {
    const hash = HASHES[algorithm];
    agent.sign(key, data, hash ? { hash } : {}, (error, signature) =>
      signature ? done(signature) : skip(error ?? new Error('no signature')),
    );
  };

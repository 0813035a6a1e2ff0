/** Saves two round trips per hop: sends the login request right after the service request, and signs without probing first. */
import type { Client, ParsedKey } from 'ssh2';

type Accepted = (protocol: unknown, name: string) => void;

interface Protocol {
  service?: (name: string) => void;
  readonly _handlers?: { SERVICE_ACCEPT?: Accepted };
}

const LOGIN = 'ssh-userauth';

/**
 * ssh2 has no option for this: its protocol object is made to assume that the service was accepted, without waiting for
 * the reply. A host that refuses the service still closes the connection (RFC 4253, 10). By then its host key was verified.
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

const HASHES: Readonly<Record<string, string>> = { 'rsa-sha2-256': 'sha256', 'rsa-sha2-512': 'sha512' };

/** ssh2 has no option for this: its protocol object signs where it would only probe a key. Keys in an agent are still probed. */
export function signWithoutProbe(client: Client): void {
  const protocol = Reflect.get(client, '_protocol') as { authPK?: AuthPK } | undefined;
  const authenticate = protocol?.authPK;
  if (!protocol || !authenticate) return;
  protocol.authPK = (user, key, algorithm, sign) =>
    authenticate.call(
      protocol,
      user,
      key,
      algorithm,
      sign ?? (key.isPrivateKey() ? signer(key, algorithm) : undefined),
    );
}

const signer =
  (key: ParsedKey, algorithm = ''): Sign =>
  (data, done) =>
    done(key.sign(data, HASHES[algorithm]));

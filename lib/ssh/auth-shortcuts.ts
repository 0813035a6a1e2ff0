/** Two round trips less on every hop: the login is asked for behind the request for its service, and a key signs at once. */
import type { Client, ParsedKey } from 'ssh2';

type Accepted = (protocol: unknown, name: string) => void;

interface Protocol {
  service?: (name: string) => void;
  readonly _handlers?: { SERVICE_ACCEPT?: Accepted };
}

const LOGIN = 'ssh-userauth';

/**
 * ssh2 has no option for it: its protocol is told at once that the service was accepted, and not when that is heard. A
 * host that refuses the service ends the connection all the same (RFC 4253, 10). By then its key was judged.
 */
export function logInAhead(client: Client): void {
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

/** ssh2 has no option for it: its protocol is told to sign where it would ask. Agents' keys are asked for as before. */
export function signAtOnce(client: Client): void {
  const protocol = Reflect.get(client, '_protocol') as { authPK?: AuthPK } | undefined;
  const ask = protocol?.authPK;
  if (!protocol || !ask) return;
  protocol.authPK = (user, key, algorithm, sign) =>
    ask.call(
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

/** Signs with a key at once, instead of first asking whether it would do: a round trip less on every hop. */
import type { Client, ParsedKey } from 'ssh2';

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

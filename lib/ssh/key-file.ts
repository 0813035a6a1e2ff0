/** Reads a private key file, or reports why it is unusable. */
import { AssertionError } from 'node:assert';
import { createPrivateKey } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import ssh2, { type ParsedKey } from 'ssh2';
import { SshError } from '../util/errors.ts';
import type { Hop } from './hops.ts';

/** `locked` keys can be used only through an agent; `blob` is the public half, if readable. */
export type KeyFile =
  | { readonly kind: 'ready'; readonly path: string; readonly key: ParsedKey; readonly blob: Buffer }
  | { readonly kind: 'locked'; readonly path: string; readonly blob?: Buffer; readonly problem: SshError };

const MAX_BYTES = 65_536;

/** @throws SshError if neither the file nor its public half can be used */
export async function readKeyFile(hop: Hop, path: string): Promise<KeyFile> {
  try {
    return await readPrivateKey(hop, path);
  } catch (problem) {
    const blob = await readPublicKey(path);
    if (!blob || !(problem instanceof SshError)) throw problem;
    return { kind: 'locked', path, blob, problem };
  }
}

async function readPrivateKey(hop: Hop, path: string): Promise<KeyFile> {
  const text = await readText(hop, path);
  const publicHalf = publicBlob(text);
  if (publicHalf) return { kind: 'locked', path, blob: publicHalf, problem: isPublic(hop, path) };
  if (text.startsWith('PuTTY-User-Key-File-')) throw putty(hop, path);
  if (!text.includes('-----BEGIN')) throw malformed(hop, path, new Error('not a private key'));
  const open = await openMode(hop, path);
  const parsed: ParsedKey | ParsedKey[] | Error = open ?? parseKeyText(text);
  if (!(parsed instanceof Error)) {
    const key = privateHalf(hop, path, parsed);
    return { kind: 'ready', path, key, blob: key.getPublicSSH() };
  }
  if (!open && !/encrypted/i.test(parsed.message)) throw malformed(hop, path, parsed);
  const blob = containerOf(hop, path, text) ?? (await readPublicKey(path));
  return { kind: 'locked', path, ...(blob && { blob }), problem: open ?? encrypted(hop, path) };
}

/**
 * ssh2 does not read PKCS#8; OpenSSH does. RSA and EC keys also have an older format. Parsing throws for some damaged
 * keys.
 */
function parseKeyText(text: string): ParsedKey | ParsedKey[] | Error {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----/.test(text)) return new Error('encrypted');
  try {
    if (!/-----BEGIN PRIVATE KEY-----/.test(text)) return ssh2.utils.parseKey(text);
    const key = createPrivateKey(text);
    const type = key.asymmetricKeyType === 'ec' ? 'sec1' : 'pkcs1';
    return ssh2.utils.parseKey(key.export({ type, format: 'pem' }));
  } catch (error) {
    return error instanceof AssertionError ? new Error('a field is empty') : (error as Error);
  }
}

/** @throws SshError if there is none: a damaged container may have no key at all */
function privateHalf(hop: Hop, path: string, parsed: ParsedKey | ParsedKey[]): ParsedKey {
  const [key] = [parsed].flat();
  if (!key?.isPrivateKey()) throw malformed(hop, path, new Error('it contains no private key'));
  try {
    createPrivateKey(key.getPrivatePEM());
  } catch {
    throw malformed(hop, path, new Error('its private half is damaged'));
  }
  return key;
}

/** The public key next to a private one, `KEY.pub`; undefined if there is none. */
async function readPublicKey(path: string): Promise<Buffer | undefined> {
  return publicBlob(await readFile(`${path}.pub`, 'utf8').catch(() => ''));
}

async function readText(hop: Hop, path: string): Promise<string> {
  const fail = (why: string, cause?: unknown) =>
    new SshError(hop.label, `the key ${path} cannot be used: ${why}`, keyAdvice(path), { cause });
  const facts = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw fail(cause.code === 'ENOENT' ? 'there is no such file' : cause.message, cause);
  });
  if (!facts.isFile()) throw fail(facts.isDirectory() ? 'it is a directory' : 'it is not a file');
  if (facts.size > MAX_BYTES) throw fail('it is too large for a key');
  return await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw fail(cause.code === 'EACCES' ? 'it is unreadable: permission denied' : cause.message, cause);
  });
}

const keyAdvice = (path: string) =>
  `Set a private key in the settings, or generate one: \`ssh-keygen -t ed25519 -f ${path}\`, and add its .pub to authorized_keys there.`;

/** Like OpenSSH, refuses a key file of the operator's that others can read. */
async function openMode(hop: Hop, path: string): Promise<SshError | undefined> {
  const { uid, mode } = await stat(path);
  if (uid !== process.getuid?.() || (mode & 0o077) === 0) return undefined;
  return new SshError(
    hop.label,
    `the key ${path} has wrong mode ${(mode & 0o7777).toString(8).padStart(4, '0')}: users other than its owner can access it`,
    `OpenSSH rejects such a key as well. Run: \`chmod 600 ${path}\``,
  );
}

const putty = (hop: Hop, path: string) =>
  new SshError(
    hop.label,
    `the key ${path} cannot be used: it is a PuTTY key (PPK)`,
    `OpenSSH cannot read it either. Convert it: \`puttygen ${path} -O private-openssh -o ${path.replace(/\.ppk$/i, '')}.key\` (in PuTTYgen on Windows: Conversions, Export OpenSSH key), then set the new file.`,
  );

const isPublic = (hop: Hop, path: string) =>
  new SshError(
    hop.label,
    `${path} is a public key, and no agent holds its private half`,
    `Set the private key in the settings (usually the same name without .pub).`,
  );

const encrypted = (hop: Hop, path: string) =>
  new SshError(
    hop.label,
    `the key ${path} is encrypted, and no agent holds it`,
    `gatepost never prompts for a passphrase. Add the key to the agent once: \`ssh-add ${path}\``,
  );

function malformed(hop: Hop, path: string, cause: Error): SshError {
  const unsupported = /unsupported/i.test(cause.message);
  return new SshError(
    hop.label,
    `the key ${path} cannot be used: ${unsupported ? 'unsupported' : 'malformed'} (${cause.message})`,
    `Supported are ed25519, ECDSA and RSA keys in the OpenSSH or the older PEM format; not FIDO keys (sk-…) or certificates. Generate one: \`ssh-keygen -t ed25519\``,
    { cause },
  );
}

/** `ssh-ed25519 AAAA… comment`. */
function publicBlob(text: string): Buffer | undefined {
  const encoded = /^\s*(?:ssh-|ecdsa-|sk-)\S+[ \t]+(AAAA[A-Za-z0-9+/=]+)/.exec(text)?.[1];
  return encoded ? Buffer.from(encoded, 'base64') : undefined;
}

/** @throws SshError if the container is damaged */
function containerOf(hop: Hop, path: string, text: string): Buffer | undefined {
  try {
    return containerBlob(text);
  } catch (error) {
    throw malformed(hop, path, error as Error);
  }
}

/** The OpenSSH format stores the public half unencrypted (PROTOCOL.key): magic, three strings, a count, the blob. */
function containerBlob(text: string): Buffer | undefined {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([^-]+)/.exec(text)?.[1];
  if (!body) return undefined;
  const bytes = Buffer.from(body, 'base64');
  const after = (at: number) => at + 4 + bytes.readUInt32BE(at);
  const start = after(after(after('openssh-key-v1\0'.length))) + 4;
  return bytes.subarray(start + 4, after(start));
}

/** Verifies a host key against known_hosts by OpenSSH's rules. */
import { createHash, createHmac } from 'node:crypto';

export interface KnownHostsFile {
  readonly path: string;
  readonly text: string;
}

export interface Place {
  readonly file: string;
  readonly line: number;
}

/** `unknown` includes the host's @cert-authority line, if there is one: certificates are not supported. */
export type Verdict =
  | { readonly kind: 'match' }
  | { readonly kind: 'unknown'; readonly authority?: Place }
  | ({ readonly kind: 'changed'; readonly expected: readonly string[] } & Place)
  | ({ readonly kind: 'revoked' } & Place)
  /** Listed in RevokedHostKeys. */
  | { readonly kind: 'listed'; readonly file: string }
  /** An RSA key with fewer bits than RequiredRSASize. */
  | { readonly kind: 'short'; readonly bits: number };

interface Entry extends Place {
  readonly marker: string;
  readonly hosts: string;
  readonly type: string;
  readonly key: Buffer;
}

// OpenSSH ends a marker at the first space of the line, or at a tab if the line has no spaces.
const LINE =
  /^[ \t]*(?:(@revoked|@cert-authority)(?: |\t(?=[^ ]*$))[ \t]*)?([^ \t@#][^ \t]*)[ \t]+([^ \t]+)[ \t]+([^ \t]+)/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The number of strings in a key's blob. */
const STRINGS: Readonly<Record<string, number>> = {
  'ssh-ed25519': 2,
  'ssh-rsa': 3,
  'ecdsa-sha2-nistp': 3,
};

/** A host's name in known_hosts: lower case, and `[host]:port` unless the port is 22. */
export const knownName = (host: string, port: number): string =>
  (port === 22 ? host : `[${host}]:${port}`).toLowerCase();

/** In the format of `ssh-keygen -l`: `SHA256:…`. */
export const hostKeyFingerprint = (key: Buffer): string =>
  `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;

/** A key's type, the first string of its blob; empty if the blob is truncated. */
export function keyType(key: Buffer): string {
  const length = key.length < 4 ? 0 : key.readUInt32BE(0);
  return key.subarray(4, 4 + length).toString('latin1');
}

/**
 * The verdict on a host's key (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"). A host on another port that is not listed as
 * `[host]:port` can match by its plain name.
 */
export function judgeHostKey(
  files: readonly KnownHostsFile[],
  host: string,
  port: number,
  key: Buffer,
): Verdict {
  const named = judgeName(entriesFor(files, knownName(host, port)), key);
  if (named.kind !== 'unknown' || port === 22) return named;
  const bare = judgeName(entriesFor(files, knownName(host, 22)), key);
  return bare.kind === 'changed' || (bare.kind === 'unknown' && named.authority) ? named : bare;
}

/** The host's keys in known_hosts, under either of its names. */
export const knownKeys = (files: readonly KnownHostsFile[], host: string, port: number): Buffer[] =>
  [knownName(host, port), knownName(host, 22)].flatMap((name) =>
    plain(entriesFor(files, name)).map(({ key }) => key),
  );

/** The modulus length of an RSA key, in bits; undefined for other keys (RFC 4253, 6.6: type, e, n). */
export function rsaBits(key: Buffer): number | undefined {
  if (keyType(key) !== 'ssh-rsa') return undefined;
  let at = 4 + key.readUInt32BE(0);
  at += 4 + key.readUInt32BE(at);
  const modulus = key.subarray(at + 4);
  const first = modulus.findIndex((byte) => byte !== 0);
  return first < 0 ? 0 : (modulus.length - first) * 8 - Math.clz32(modulus[first] ?? 0) + 24;
}

/** The host's key types in known_hosts, so that they are negotiated first. */
export function knownKeyTypes(files: readonly KnownHostsFile[], host: string, port: number): string[] {
  const types = (name: string) => plain(entriesFor(files, name)).map((entry) => entry.type);
  const named = types(knownName(host, port));
  return [...new Set(named.length > 0 ? named : types(knownName(host, 22)))];
}

/** Whether a @cert-authority line of the file matches the host, by either of its names. */
export const hasAuthority = (file: KnownHostsFile, host: string, port: number): boolean =>
  [knownName(host, port), knownName(host, 22)].some((name) =>
    entriesFor([file], name).some((entry) => entry.marker === '@cert-authority'),
  );

const plain = (entries: readonly Entry[]) => entries.filter((entry) => entry.marker === '');

function judgeName(entries: readonly Entry[], key: Buffer): Verdict {
  const revoked = entries.find((entry) => entry.marker === '@revoked' && entry.key.equals(key));
  if (revoked) return { kind: 'revoked', ...place(revoked) };
  const known = plain(entries);
  if (known.some((entry) => entry.key.equals(key))) return { kind: 'match' };
  const last = known.at(-1);
  if (last)
    return { kind: 'changed', expected: known.map((entry) => hostKeyFingerprint(entry.key)), ...place(last) };
  const authority = entries.find((entry) => entry.marker === '@cert-authority');
  return authority ? { kind: 'unknown', authority: place(authority) } : { kind: 'unknown' };
}

const place = ({ file, line }: Place): Place => ({ file, line });

function entriesFor(files: readonly KnownHostsFile[], name: string): Entry[] {
  return files.flatMap(({ path, text }) =>
    text
      .split('\n')
      .map((line, index) => parseLine(line, path, index + 1))
      .filter((entry) => entry !== undefined)
      .filter((entry) => matches(entry.hosts, name)),
  );
}

/** Parses one line; undefined if OpenSSH would skip it: a comment, an unknown marker, an invalid key. */
function parseLine(text: string, file: string, line: number): Entry | undefined {
  const [, marker = '', hosts = '', type = '', keyText = ''] = LINE.exec(text) ?? [];
  // OpenSSH's decoder ignores whitespace, such as the \r of Windows line endings.
  const encoded = keyText.replace(/[\r\v\f]/g, '');
  if (!BASE64.test(encoded)) return undefined;
  const key = Buffer.from(encoded, 'base64');
  if (canonicalType(type) !== keyType(key) || !isComplete(key)) return undefined;
  return { file, line, marker, hosts, type: keyType(key), key };
}

/** `TYPE BASE64 COMMENT`; undefined if OpenSSH would not read it as a key. */
export const parsePublicKey = (line: string): Buffer | undefined => parseLine(`* ${line}`, '', 0)?.key;

/** A blob consists of length-prefixed strings (RFC 4253, 6.6); nothing may follow them. */
function isComplete(key: Buffer): boolean {
  let [at, count] = [0, 0];
  for (; at + 4 <= key.length; count += 1) at += 4 + key.readUInt32BE(at);
  return at === key.length && count === (STRINGS[keyType(key).replace(/nistp\d+/, 'nistp')] ?? count);
}

/** OpenSSH also accepts the names of RSA signature algorithms as the type. */
const canonicalType = (type: string) => (/^rsa-sha2-(256|512)$/.test(type) ? 'ssh-rsa' : type);

function matches(hosts: string, name: string): boolean {
  if (hosts.startsWith('|')) return matchesHash(hosts, name);
  const patterns = hosts.toLowerCase().split(',');
  const isMatch = (pattern: string) => glob(pattern).test(name);
  if (patterns.some((pattern) => pattern.startsWith('!') && isMatch(pattern.slice(1)))) return false;
  return patterns.some((pattern) => !pattern.startsWith('!') && isMatch(pattern));
}

function matchesHash(hosts: string, name: string): boolean {
  const [, salt = '', hash = ''] = /^\|1\|([^|]+)\|([^|]+)$/.exec(hosts) ?? [];
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash;
}

function glob(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replace(/\*+/g, '.*').replace(/\?/g, '.')}$`, 's');
}

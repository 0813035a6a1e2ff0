/** known_hosts, judged as OpenSSH judges it: is this key the one that belongs to this host? */
import { createHash, createHmac } from 'node:crypto';

export interface KnownHostsFile {
  readonly path: string;
  readonly text: string;
}

export interface Place {
  readonly file: string;
  readonly line: number;
}

/** `unknown` carries the @cert-authority line for the host, if there is one: certificates are not supported. */
export type Verdict =
  | { readonly kind: 'match' }
  | { readonly kind: 'unknown'; readonly authority?: Place }
  | ({ readonly kind: 'changed'; readonly expected: readonly string[] } & Place)
  | ({ readonly kind: 'revoked' } & Place);

interface Entry extends Place {
  readonly marker: string;
  readonly hosts: string;
  readonly type: string;
  readonly key: Buffer;
}

// OpenSSH ends a marker at the line's first space, and at a tab only in a line without spaces.
const LINE =
  /^[ \t]*(?:(@revoked|@cert-authority)(?: |\t(?=[^ ]*$))[ \t]*)?([^ \t@#][^ \t]*)[ \t]+([^ \t]+)[ \t]+([^ \t]+)/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** How many strings the blob of a key has. */
const STRINGS: Readonly<Record<string, number>> = {
  'ssh-ed25519': 2,
  'ssh-rsa': 3,
  'ecdsa-sha2-nistp': 3,
};

/** The name under which a host stands in known_hosts: `[host]:port` when the port is not 22, in lower case. */
export const knownName = (host: string, port: number): string =>
  (port === 22 ? host : `[${host}]:${port}`).toLowerCase();

/** As `ssh-keygen -l` shows it: `SHA256:…`. */
export const hostKeyFingerprint = (key: Buffer): string =>
  `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;

/** The key's type, which is the first string of its blob; empty when the blob is cut. */
export function keyType(key: Buffer): string {
  const length = key.length < 4 ? 0 : key.readUInt32BE(0);
  return key.subarray(4, 4 + length).toString('latin1');
}

/**
 * The verdict on a key that a host presented (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT").
 * A host on another port that is not listed under `[host]:port` may match by its bare name.
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

/** The types of the keys that known_hosts holds for a host, so that these are asked for first. */
export function knownKeyTypes(files: readonly KnownHostsFile[], host: string, port: number): string[] {
  const types = (name: string) => plain(entriesFor(files, name)).map((entry) => entry.type);
  const named = types(knownName(host, port));
  return [...new Set(named.length > 0 ? named : types(knownName(host, 22)))];
}

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

/** One line; undefined when OpenSSH would skip it: a comment, a strange marker, no such key. */
function parseLine(text: string, file: string, line: number): Entry | undefined {
  const [, marker = '', hosts = '', type = '', written = ''] = LINE.exec(text) ?? [];
  // OpenSSH's decoder passes over all that is blank, such as the \r of Windows' line ends.
  const encoded = written.replace(/[\r\v\f]/g, '');
  if (!BASE64.test(encoded)) return undefined;
  const key = Buffer.from(encoded, 'base64');
  if (canonicalType(type) !== keyType(key) || !isWhole(key)) return undefined;
  return { file, line, marker, hosts, type: keyType(key), key };
}

/** A blob is strings to its end, each after its length (RFC 4253, 6.6); nothing may follow. */
function isWhole(key: Buffer): boolean {
  let [at, count] = [0, 0];
  for (; at + 4 <= key.length; count += 1) at += 4 + key.readUInt32BE(at);
  return at === key.length && count === (STRINGS[keyType(key).replace(/nistp\d+/, 'nistp')] ?? count);
}

/** OpenSSH also takes the names of RSA's signatures for the type. */
const canonicalType = (type: string) => (/^rsa-sha2-(256|512)$/.test(type) ? 'ssh-rsa' : type);

function matches(hosts: string, name: string): boolean {
  if (hosts.startsWith('|')) return matchesHash(hosts, name);
  const patterns = hosts.toLowerCase().split(',');
  const hit = (pattern: string) => glob(pattern).test(name);
  if (patterns.some((pattern) => pattern.startsWith('!') && hit(pattern.slice(1)))) return false;
  return patterns.some((pattern) => !pattern.startsWith('!') && hit(pattern));
}

function matchesHash(hosts: string, name: string): boolean {
  const [, salt = '', hash = ''] = /^\|1\|([^|]+)\|([^|]+)$/.exec(hosts) ?? [];
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash;
}

function glob(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replace(/\*+/g, '.*').replace(/\?/g, '.')}$`, 's');
}

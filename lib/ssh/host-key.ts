/** Host keys of a hop: reads its known_hosts files, and explains why a key is rejected. */
import { readFile } from 'node:fs/promises';
import { SshError } from '../util/errors.ts';
import type { Hop } from './hops.ts';
import {
  hostKeyFingerprint,
  judgeHostKey,
  type KnownHostsFile,
  keyType,
  knownKeys,
  knownKeyTypes,
  knownName,
  rsaBits,
  type Verdict,
} from './known-hosts.ts';
import { revokedKeys } from './revoked-keys.ts';

export interface HostKeyCheck {
  /** Host key algorithms to negotiate: those of the keys in known_hosts first, as OpenSSH does. */
  readonly algorithms: readonly string[];
  readonly judge: (key: Buffer) => Verdict;
  /** CheckHostIP: judges the key for the host's IP address, which may be absent from known_hosts. */
  readonly judgeAddress: (key: Buffer, address: string) => Verdict;
}

const ALGORITHMS = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];
/** RSA with SHA-1: used only if HostKeyAlgorithms allows it. */
const SHA1 = 'ssh-rsa';

/** @throws SshError if no known_hosts file can be read: no host is trusted by default */
export async function hostKeyCheck(hop: Hop): Promise<HostKeyCheck> {
  const files = (await Promise.all(hop.knownHosts.map((path) => readKnownHosts(hop, path)))).flat();
  if (files.length === 0) throw missing(hop);
  const port = checkedPort(hop);
  const refused = await refusals(hop, knownKeys(files, hop.hostKeyName, port));
  return {
    algorithms: algorithmsFor(hop, knownKeyTypes(files, hop.hostKeyName, port)),
    judge: (key) => refused(key) ?? judgeHostKey(files, hop.hostKeyName, port, key),
    judgeAddress: (key, address) => judgeHostKey(files, address, hop.port, key),
  };
}

/** RevokedHostKeys and RequiredRSASize can reject a key that known_hosts trusts. */
async function refusals(hop: Hop, known: readonly Buffer[]): Promise<(key: Buffer) => Verdict | undefined> {
  const { revokedHostKeys: file, requiredRsaSize = 0 } = hop;
  const isRevoked = file === undefined ? () => false : await revokedKeys(hop, file, known);
  return (key) => {
    if (isRevoked(key)) return { kind: 'listed', file: file ?? '' };
    const bits = rsaBits(key);
    return bits !== undefined && bits < requiredRsaSize ? { kind: 'short', bits } : undefined;
  };
}

/** @throws SshError if HostKeyAlgorithms leaves none: ssh2 would then offer its defaults */
function algorithmsFor({ label, hostKeyAlgorithms }: Hop, types: readonly string[]): string[] {
  const allowed = hostKeyAlgorithms
    ? [...ALGORITHMS, SHA1].filter((name) => hostKeyAlgorithms.includes(name))
    : ALGORITHMS;
  if (allowed.length === 0)
    throw new SshError(
      label,
      `HostKeyAlgorithms ${hostKeyAlgorithms?.join(',')}: ssh2 supports none of them`,
      'Set SSH_TRANSPORT=openssh, or change HostKeyAlgorithms in ~/.ssh/config.',
    );
  const known = allowed.filter((name) => types.includes(name.startsWith('rsa-') ? 'ssh-rsa' : name));
  return [...new Set([...known, ...allowed])];
}

/** HostKeyAlias replaces both host and port. */
const checkedPort = (hop: Hop): number => (hop.hostKeyName === hop.host ? hop.port : 22);

async function readKnownHosts(hop: Hop, path: string): Promise<KnownHostsFile[]> {
  try {
    return [{ path, text: await readFile(path, 'utf8') }];
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    const why = code === 'EISDIR' ? 'it is a directory' : message;
    throw new SshError(
      hop.label,
      `known_hosts cannot be read at ${path}: ${why}`,
      `No host is trusted without it. Make ${path} a readable file (\`ls -ld ${path}\`).`,
      { cause },
    );
  }
}

const missing = (hop: Hop) =>
  new SshError(
    hop.label,
    `no known_hosts file: ${hop.knownHosts.join(', ')} missing`,
    `Log in once manually (\`ssh ${hop.port === 22 ? '' : `-p ${hop.port} `}${hop.user}@${hop.host}\`), compare the fingerprint, and answer yes.`,
  );

/**
 * The error for a rejected host key, with the command that fixes it.
 * @param certificateProblem why OpenSSH rejected the host's certificate
 */
export function hostKeyError(
  hop: Hop,
  key: Buffer,
  verdict: Exclude<Verdict, { kind: 'match' }>,
  certificateProblem?: string,
): SshError {
  const shown = `${keyType(key)} ${hostKeyFingerprint(key)}`;
  if (verdict.kind === 'revoked') return revoked(hop, shown, `${verdict.file}:${verdict.line}`);
  if (verdict.kind === 'listed') return listed(hop, shown, verdict.file);
  if (verdict.kind === 'short') return short(hop, shown, verdict.bits);
  if (verdict.kind === 'changed') return changed(hop, shown, verdict);
  const authority = verdict.authority
    ? ` (${verdict.authority.file}:${verdict.authority.line} trusts a @cert-authority for it: host certificates need SSH_TRANSPORT=openssh, they are not supported by ssh2)`
    : certificateProblem
      ? ` (its host certificate is not valid: ${certificateProblem})`
      : '';
  return new SshError(
    hop.label,
    `host key unknown: ${hop.host} presented ${shown}${authority}${ignoredDirectives(hop)}`,
    `No login was attempted. ${compare(key)} If it matches, run:\n  echo '${entry(hop, key)}' >> ${hop.knownHosts[0]}`,
  );
}

/** Directives that would make OpenSSH accept an unknown key. */
const ignoredDirectives = ({ lenientHostKeys = [] }: Hop): string =>
  lenientHostKeys.length > 0 ? ` (${lenientHostKeys.join(', ')} is not followed: a key must be known)` : '';

const listed = (hop: Hop, shown: string, file: string) =>
  new SshError(
    hop.label,
    `host key revoked: ${hop.host} presented ${shown}, which is in ${file} (RevokedHostKeys)`,
    `No login was attempted. The key counts as compromised: generate new host keys (there: \`rm /etc/ssh/ssh_host_*; ssh-keygen -A\`), or remove it from ${file} if that is a mistake.`,
  );

const short = (hop: Hop, shown: string, bits: number) =>
  new SshError(
    hop.label,
    `host key too short: ${hop.host} presented ${shown} of ${bits} bits; RequiredRSASize is ${hop.requiredRsaSize}`,
    'No login was attempted. Generate an ed25519 host key on that host (`ssh-keygen -A`) and add it to known_hosts.',
  );

function changed(hop: Hop, shown: string, verdict: Extract<Verdict, { kind: 'changed' }>): SshError {
  const name = knownName(hop.hostKeyName, checkedPort(hop));
  return new SshError(
    hop.label,
    `host key changed: ${hop.host} presented ${shown}, but ${verdict.file}:${verdict.line} expects ${verdict.expected.join(' or ')}`,
    `No login was attempted: another machine may be answering in its place. If the host was reinstalled, remove the old key:\n  ssh-keygen -R '${name}' -f ${verdict.file}\nand add the new one after you confirm its fingerprint on the host.`,
  );
}

const revoked = (hop: Hop, shown: string, place: string) =>
  new SshError(
    hop.label,
    `host key revoked: ${hop.host} presented ${shown}, which ${place} marks @revoked`,
    `No login was attempted. The key counts as compromised: generate new host keys (there: \`rm /etc/ssh/ssh_host_*; ssh-keygen -A\`), or remove the line if it is a mistake:\n  sed -n '${place.split(':').at(-1)}p' ${place.replace(/:\d+$/, '')}`,
  );

const entry = (hop: Hop, key: Buffer) =>
  `${knownName(hop.hostKeyName, checkedPort(hop))} ${keyType(key)} ${key.toString('base64')}`;

/** The file name is the one that sshd uses: ssh_host_ed25519_key.pub. */
function compare(key: Buffer): string {
  const kind = keyType(key).replace(/^ssh-|-.*$/g, '');
  return `Compare the fingerprint with the one on the host (there: \`ssh-keygen -lf /etc/ssh/ssh_host_${kind}_key.pub\`).`;
}

/** Host keys of a hop: reads its known_hosts files, and puts a refusal into words. */
import { readFile } from 'node:fs/promises';
import { SshError } from '../util/errors.ts';
import type { Hop } from './hops.ts';
import {
  hostKeyFingerprint,
  judgeHostKey,
  type KnownHostsFile,
  keyType,
  knownKeyTypes,
  knownName,
  type Verdict,
} from './known-hosts.ts';

export interface HostKeyCheck {
  /** Algorithms to ask for: first those of the keys that known_hosts holds, as OpenSSH does. */
  readonly algorithms: readonly string[];
  readonly judge: (key: Buffer) => Verdict;
}

const ALGORITHMS = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];

/** @throws SshError when no known_hosts file can be read: nothing is trusted by default */
export async function hostKeyCheck(hop: Hop): Promise<HostKeyCheck> {
  const files = (await Promise.all(hop.knownHosts.map((path) => readKnownHosts(hop, path)))).flat();
  if (files.length === 0) throw missing(hop);
  const port = checkedPort(hop);
  const types = knownKeyTypes(files, hop.hostKeyName, port);
  const known = ALGORITHMS.filter((name) => types.includes(name.startsWith('rsa-') ? 'ssh-rsa' : name));
  return {
    algorithms: [...new Set([...known, ...ALGORITHMS])],
    judge: (key) => judgeHostKey(files, hop.hostKeyName, port, key),
  };
}

/** HostKeyAlias stands for host and port together. */
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
      `No host is trusted without it. Make ${path} a file that you can read (\`ls -ld ${path}\`).`,
      { cause },
    );
  }
}

const missing = (hop: Hop) =>
  new SshError(
    hop.label,
    `no known_hosts file: ${hop.knownHosts.join(', ')} missing`,
    `Log in once by hand (\`ssh ${hop.port === 22 ? '' : `-p ${hop.port} `}${hop.user}@${hop.host}\`), compare the fingerprint, and say yes.`,
  );

/** What the operator reads when a host key was refused, with the line to type. */
export function hostKeyError(hop: Hop, key: Buffer, verdict: Exclude<Verdict, { kind: 'match' }>): SshError {
  const shown = `${keyType(key)} ${hostKeyFingerprint(key)}`;
  if (verdict.kind === 'revoked') return revoked(hop, shown, `${verdict.file}:${verdict.line}`);
  if (verdict.kind === 'changed') return changed(hop, shown, verdict);
  const authority = verdict.authority
    ? ` (${verdict.authority.file}:${verdict.authority.line} trusts a @cert-authority for it: host certificates are not supported)`
    : '';
  return new SshError(
    hop.label,
    `host key unknown: ${hop.host} shows ${shown}${authority}`,
    `Nobody logged in. ${compare(key)} If it is the same, type:\n  echo '${entry(hop, key)}' >> ${hop.knownHosts[0]}`,
  );
}

function changed(hop: Hop, shown: string, verdict: Extract<Verdict, { kind: 'changed' }>): SshError {
  const name = knownName(hop.hostKeyName, checkedPort(hop));
  return new SshError(
    hop.label,
    `host key changed: ${hop.host} shows ${shown}, but ${verdict.file}:${verdict.line} expects ${verdict.expected.join(' or ')}`,
    `Nobody logged in: another machine may be answering in its place. If the host was installed anew, remove the old key:\n  ssh-keygen -R '${name}' -f ${verdict.file}\nand add the new one once its fingerprint is confirmed there.`,
  );
}

const revoked = (hop: Hop, shown: string, place: string) =>
  new SshError(
    hop.label,
    `host key revoked: ${hop.host} shows ${shown}, which ${place} marks @revoked`,
    `Nobody logged in. The key counts as stolen: give the host new keys (there: \`rm /etc/ssh/ssh_host_*; ssh-keygen -A\`), or remove the line if it is wrong:\n  sed -n '${place.split(':').at(-1)}p' ${place.replace(/:\d+$/, '')}`,
  );

const entry = (hop: Hop, key: Buffer) =>
  `${knownName(hop.hostKeyName, checkedPort(hop))} ${keyType(key)} ${key.toString('base64')}`;

/** The file's name as sshd has it: ssh_host_ed25519_key.pub. */
function compare(key: Buffer): string {
  const kind = keyType(key).replace(/^ssh-|-.*$/g, '');
  return `Compare the fingerprint with the host's own (there: \`ssh-keygen -lf /etc/ssh/ssh_host_${kind}_key.pub\`).`;
}

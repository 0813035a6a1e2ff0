/** RevokedHostKeys (ssh_config(5)): a list of public keys, or a key revocation list (KRL), which ssh-keygen reads. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SshError } from '../util/errors.ts';
import { $ } from '../util/shell.ts';
import type { Hop } from './hops.ts';
import { keyType, parsePublicKey } from './known-hosts.ts';

const KRL = 'SSHKRL\n\0';
const LIMIT_MS = 10_000;

/**
 * Whether a key is revoked.
 * @param candidates the keys in question: others are not looked up in a KRL
 * @throws SshError if the file cannot be read: OpenSSH then accepts no host key either
 */
export async function revokedKeys(
  hop: Hop,
  path: string,
  candidates: readonly Buffer[],
): Promise<(key: Buffer) => boolean> {
  const content = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw unreadable(hop, path, cause.message, cause);
  });
  const isList = content.subarray(0, KRL.length).toString('latin1') !== KRL;
  const revoked = isList ? listed(hop, path, content.toString('latin1')) : await inKrl(hop, path, candidates);
  return (key) => revoked.some((each) => each.equals(key));
}

/** Lines of `TYPE BASE64 COMMENT`. @throws SshError for an invalid line */
const listed = (hop: Hop, path: string, text: string): Buffer[] =>
  text.split('\n').flatMap((line, index) => {
    if (/^[ \t\r]*(#|$)/.test(line)) return [];
    const key = parsePublicKey(line.trimStart());
    if (!key) throw unreadable(hop, path, `line ${index + 1} is not a public key`);
    return [key];
  });

/** One file per key; ssh-keygen prints `FILE (COMMENT): REVOKED` for revoked ones, and then exits with 1. */
async function inKrl(hop: Hop, path: string, candidates: readonly Buffer[]): Promise<Buffer[]> {
  if (candidates.length === 0) return [];
  const folder = await mkdtemp(join(tmpdir(), 'gatepost-keys-'));
  try {
    const files = candidates.map((_, index) => join(folder, `${index}.pub`));
    for (const [index, key] of candidates.entries())
      await writeFile(files[index] ?? '', `${keyType(key)} ${key.toString('base64')}\n`);
    const signal = AbortSignal.timeout(LIMIT_MS);
    const { stdout, stderr } = await $({ signal, nothrow: true })`ssh-keygen -Q -f ${path} ${files}`;
    const answers = files.map((file) => stdout.split('\n').find((line) => line.startsWith(`${file} `)));
    if (answers.includes(undefined))
      throw unreadable(hop, path, stderr.trim() || 'no answer of ssh-keygen -Q');
    return candidates.filter((_, index) => !answers[index]?.endsWith(': ok'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const unreadable = (hop: Hop, path: string, why: string, cause?: unknown) =>
  new SshError(
    hop.label,
    `RevokedHostKeys cannot be read at ${path}: ${why}`,
    `No host is trusted without it, as in OpenSSH. Make ${path} a readable list of public keys or KRL, or remove RevokedHostKeys from ~/.ssh/config.`,
    { cause },
  );

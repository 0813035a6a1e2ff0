/** Why ssh2 cannot connect, as found in the SSH configuration, the key files, the agent and known_hosts. */
import { existsSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { type AgentKey, listAgent } from './agent-list.ts';
import type { Hop } from './hops.ts';
import { hasAuthority } from './known-hosts.ts';

/** Why these hops need OpenSSH, in one phrase; undefined if ssh2 can connect. Makes no connection. */
export async function whyNotSsh2(hops: readonly Hop[]): Promise<string | undefined> {
  const all = await Promise.all(hops.map(async (hop) => [hop, await reasonFor(hop)] as const));
  const [found] = all.filter(([, reason]) => reason !== undefined);
  return found && `${found[0].label} has ${found[1]}`;
}

async function reasonFor(hop: Hop): Promise<string | undefined> {
  const [set] = hop.beyondSsh2 ?? [];
  if (set !== undefined) return set;
  const found = await Promise.all([identityReason(hop), agentReason(hop), authorityReason(hop)]);
  return found.find((reason) => reason !== undefined);
}

async function identityReason({ keys }: Hop): Promise<string | undefined> {
  for (const key of keys) {
    if (existsSync(`${key}-cert.pub`)) return `a certificate, ${key}-cert.pub`;
    if (existsSync(key) && (await isSecurityKey(key))) return `a FIDO key, ${key}`;
  }
  return undefined;
}

const ENOUGH_BYTES = 400;

/** Decided by the public key, at the start of a .pub file or of the OpenSSH format (PROTOCOL.key). */
async function isSecurityKey(path: string): Promise<boolean> {
  try {
    const file = await open(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(ENOUGH_BYTES)).finally(() => file.close());
    const text = buffer.toString('latin1', 0, bytesRead);
    const [, body = ''] = /-----BEGIN OPENSSH PRIVATE KEY-----([^-]+)/.exec(text) ?? [];
    return /^sk-|sk-(ssh|ecdsa)-/.test(body ? Buffer.from(body, 'base64').toString('latin1') : text);
  } catch {
    // The login reports unreadable keys.
    return false;
  }
}

async function agentReason(hop: Hop): Promise<string | undefined> {
  const [first] = await agentBeyondSsh2(hop);
  return (
    first && `${/-cert-/.test(first.type) ? 'a certificate' : 'a FIDO key'} in the agent (${first.type})`
  );
}

/** The certificates and FIDO keys in the agent; if the operator set a key, only those that belong to it. */
export async function agentBeyondSsh2({ agent, keyIsExplicit, keys }: Hop): Promise<readonly AgentKey[]> {
  if (!agent) return [];
  const held = await listAgent(agent).catch((): AgentKey[] => []);
  const beyond = held.filter(({ type }) => /-cert-v\d+@|^sk-/.test(type));
  return keyIsExplicit ? await ofFiles(beyond, keys) : beyond;
}

/** A certificate's blob contains its key's parameters (PROTOCOL.certkeys). */
async function ofFiles(held: readonly AgentKey[], paths: readonly string[]): Promise<AgentKey[]> {
  if (held.length === 0) return [];
  const texts = await Promise.all(
    paths.map((path) => readFile(path.endsWith('.pub') ? path : `${path}.pub`, 'utf8').catch(() => '')),
  );
  const blobs = texts
    .map((text) => Buffer.from(text.split(' ')[1] ?? '', 'base64'))
    .filter(({ length }) => length > 4);
  const parameters = blobs.map((blob) => blob.subarray(4 + blob.readUInt32BE(0)));
  return held.filter(({ blob }) => parameters.some((part) => blob.includes(part)));
}

async function authorityReason({ knownHosts, hostKeyName, host, port }: Hop): Promise<string | undefined> {
  const named = hostKeyName === host ? port : 22;
  for (const path of knownHosts) {
    const text = await readFile(path, 'utf8').catch(() => '');
    if (text.includes('@cert-authority') && hasAuthority({ path, text }, hostKeyName, named))
      return `a @cert-authority in ${path}`;
  }
  return undefined;
}

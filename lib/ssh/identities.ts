/** The keys that are offered to a hop, from files or from the agent. Never prompts. */
import { existsSync } from 'node:fs';
import type { AgentAuthMethod, ParsedKey, PublicKeyAuthMethod } from 'ssh2';
import { SshError } from '../util/errors.ts';
import { agentKeys, offeredKeys, offerFromAgent } from './agent.ts';
import type { Hop } from './hops.ts';
import { type KeyFile, readKeyFile, readPublicKey } from './key-file.ts';
import { hostKeyFingerprint } from './known-hosts.ts';

export interface Offer {
  readonly method: PublicKeyAuthMethod | AgentAuthMethod;
  /** For messages: type, fingerprint and source. */
  readonly shown: readonly string[];
}

/**
 * The keys to offer, in order: only the key set by the operator; otherwise the existing files of the SSH configuration
 * (or the default one); if none exists, the keys of the agent.
 * @throws SshError if there is none
 */
export async function findOffers(hop: Hop): Promise<readonly Offer[]> {
  const paths = hop.keyIsExplicit ? hop.keys : hop.keys.filter((path) => existsSync(path));
  if (paths.length === 0) return [await offerAgent(hop)];
  const results = await Promise.allSettled(paths.map((path) => offerFile(hop, path)));
  const offers = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (offers.length > 0) return offers;
  throw results.find((result) => result.status === 'rejected')?.reason;
}

async function offerFile(hop: Hop, path: string): Promise<Offer> {
  const file = await readKeyFile(hop, path);
  if (file.kind === 'locked') return await offerLocked(hop, file);
  return {
    method: { type: 'publickey', username: hop.user, key: file.key },
    shown: [describe(file.key, path)],
  };
}

/** A key with a passphrase, or only its public half: the agent may hold it. */
async function offerLocked(hop: Hop, file: Extract<KeyFile, { kind: 'locked' }>): Promise<Offer> {
  const { agent } = hop;
  if (!agent || !file.blob) throw file.problem;
  const held = (await agentKeys(hop, agent).catch(() => [])).filter((key) => isKey(key, file.blob));
  if (held.length === 0) throw file.problem;
  return fromAgent(hop, agent, held);
}

async function offerAgent(hop: Hop): Promise<Offer> {
  if (!hop.agent) throw noKey(hop, 'no SSH agent is running');
  const keys = await agentKeys(hop, hop.agent);
  if (keys.length === 0) throw noKey(hop, `the SSH agent at ${hop.agent} has no supported key`);
  const configured = await Promise.all(hop.keys.map(readPublicKey));
  const right = keys.filter((key) => configured.some((blob) => isKey(key, blob)));
  return fromAgent(hop, hop.agent, right.length > 0 ? right : keys);
}

const fromAgent = (hop: Hop, socket: string, keys: readonly ParsedKey[]): Offer => ({
  method: offerFromAgent(hop, socket, keys),
  shown: offeredKeys(keys).map((key) => describe(key, 'agent')),
});

const isKey = (key: ParsedKey, blob: Buffer | undefined) => blob?.equals(key.getPublicSSH()) ?? false;

const describe = (key: ParsedKey, from: string) =>
  `${key.type} ${hostKeyFingerprint(key.getPublicSSH())} (${from})`;

const noKey = (hop: Hop, agent: string) =>
  new SshError(
    hop.label,
    `no key to log in with: ${hop.keys.join(', ')} does not exist, and ${agent}`,
    'Set a private key in the settings, or add one to the agent: `eval "$(ssh-agent)"; ssh-add KEY`. FIDO keys and certificates are not supported.',
  );

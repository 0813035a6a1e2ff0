/** The keys to offer to a hop, from the agent and from files, in OpenSSH's order. Never prompts. */
import { existsSync } from 'node:fs';
import type { BaseAgent, ParsedKey } from 'ssh2';
import { SshError } from '../util/errors.ts';
import { agentKeys, agentWith } from './agent.ts';
import type { Hop } from './hops.ts';
import { type KeyFile, readKeyFile } from './key-file.ts';
import { hostKeyFingerprint, rsaBits } from './known-hosts.ts';

export interface Offer {
  readonly key: ParsedKey;
  /** The agent that signs; without it, `key` is a private key. */
  readonly agent?: BaseAgent;
  /** Type, fingerprint and source, for messages. */
  readonly description: string;
}

export interface Identities {
  readonly offers: readonly Offer[];
  /** Why other keys cannot be used; reported only if no offer is accepted. */
  readonly skipped: readonly SshError[];
}

/**
 * The keys to offer. A key that the operator set is the only one. Otherwise, in OpenSSH's order: the agent's keys that
 * are also files, the agent's other keys, the other files. A file without a passphrase signs without the agent.
 * @throws SshError if the key that the operator set cannot be used
 */
export async function findIdentities(hop: Hop): Promise<Identities> {
  if (hop.keyIsExplicit) return { offers: [await offerExplicit(hop, hop.keys[0] ?? '')], skipped: [] };
  const [files, agent] = await Promise.all([readFiles(hop), listAgent(hop)]);
  const agentEntries = agent.keys.map((key) => ({
    key,
    file: files.usable.find(({ blob }) => isKey(key, blob)),
  }));
  const fromAgent = [
    ...agentEntries.filter(({ file }) => file),
    ...(hop.identitiesOnly ? [] : agentEntries.filter(({ file }) => !file)),
  ].map(({ key, file }) => (file?.kind === 'ready' ? fromFile(file) : signedByAgent(hop, key)));
  const remaining = files.usable.filter((file) => !agentEntries.some((each) => each.file === file));
  const offers = [
    ...fromAgent,
    ...remaining.flatMap((file) => (file.kind === 'ready' ? [fromFile(file)] : [])),
  ];
  const locked = remaining.flatMap((file) => (file.kind === 'locked' ? [file.problem] : []));
  return {
    offers: offers.filter(({ key }) => isAccepted(hop, key)),
    skipped: [...locked, ...files.problems, ...agent.problems],
  };
}

async function offerExplicit(hop: Hop, path: string): Promise<Offer> {
  const file = await readKeyFile(hop, path);
  if (file.kind === 'ready') return fromFile(file);
  const { keys } = await listAgent(hop);
  const key = keys.find((each) => isKey(each, file.blob));
  if (!key) throw file.problem;
  return signedByAgent(hop, key);
}

interface Files {
  readonly usable: readonly KeyFile[];
  readonly problems: readonly SshError[];
}

/** The keys whose private or public file exists; with only the public half, the agent must have the private one. */
async function readFiles(hop: Hop): Promise<Files> {
  const paths = hop.keys.filter((path) => existsSync(path) || existsSync(`${path}.pub`));
  const results = await Promise.allSettled(paths.map((path) => readKeyFile(hop, path)));
  return {
    usable: results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])),
    problems: results.flatMap((result) => (result.status === 'rejected' ? [asProblem(result.reason)] : [])),
  };
}

function asProblem(reason: unknown): SshError {
  if (reason instanceof SshError) return reason;
  throw reason;
}

/** An agent that does not answer counts as empty. */
async function listAgent(hop: Hop): Promise<{ keys: readonly ParsedKey[]; problems: readonly SshError[] }> {
  if (!hop.agent) return { keys: [], problems: [] };
  return await agentKeys(hop, hop.agent).then(
    (keys) => ({ keys, problems: [] }),
    (reason: unknown) => ({ keys: [], problems: [asProblem(reason)] }),
  );
}

const fromFile = ({ key, path }: Extract<KeyFile, { kind: 'ready' }>): Offer => ({
  key,
  description: describe(key, path),
});

const signedByAgent = (hop: Hop, key: ParsedKey): Offer => ({
  key,
  agent: agentWith(hop, hop.agent ?? '', key),
  description: describe(key, 'agent'),
});

/** RSA keys have several signature algorithms. */
function isAccepted({ keyAlgorithms, requiredRsaSize = 0 }: Hop, key: ParsedKey): boolean {
  const { type } = key;
  if ((rsaBits(key.getPublicSSH()) ?? requiredRsaSize) < requiredRsaSize) return false;
  const names = type === 'ssh-rsa' ? ['rsa-sha2-256', 'rsa-sha2-512', 'ssh-rsa'] : [type];
  return !keyAlgorithms || names.some((name) => keyAlgorithms.includes(name));
}

const isKey = (key: ParsedKey, blob: Buffer | undefined) => blob?.equals(key.getPublicSSH()) ?? false;

const describe = (key: ParsedKey, from: string) =>
  `${key.type} ${hostKeyFingerprint(key.getPublicSSH())} (${from})`;

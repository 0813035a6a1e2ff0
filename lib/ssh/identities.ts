/** The keys that are offered to a hop, from the agent and from files, in the order of OpenSSH. Never prompts. */
import { existsSync } from 'node:fs';
import type { BaseAgent, ParsedKey } from 'ssh2';
import { SshError } from '../util/errors.ts';
import { agentKeys, agentWith } from './agent.ts';
import type { Hop } from './hops.ts';
import { type KeyFile, readKeyFile } from './key-file.ts';
import { hostKeyFingerprint, rsaBits } from './known-hosts.ts';

export interface Offer {
  readonly key: ParsedKey;
  /** Signs; without one, `key` is a private key. */
  readonly agent?: BaseAgent;
  /** For messages: type, fingerprint and source. */
  readonly shown: string;
}

export interface Identities {
  readonly offers: readonly Offer[];
  /** Why other keys cannot be used: they count only if none of the offers is accepted. */
  readonly skipped: readonly SshError[];
}

/**
 * The keys to offer. A key that the operator set is the only one. Otherwise, as in OpenSSH: the keys of the agent that are
 * among the files, the other keys of the agent, the other files; a file without a passphrase signs by itself.
 * @throws SshError if the key that the operator set cannot be used
 */
export async function findIdentities(hop: Hop): Promise<Identities> {
  if (hop.keyIsExplicit) return { offers: [await offerExplicit(hop, hop.keys[0] ?? '')], skipped: [] };
  const [files, agent] = await Promise.all([readFiles(hop), listAgent(hop)]);
  const held = agent.keys.map((key) => ({ key, file: files.usable.find(({ blob }) => isKey(key, blob)) }));
  const fromAgent = [
    ...held.filter(({ file }) => file),
    ...(hop.identitiesOnly ? [] : held.filter(({ file }) => !file)),
  ].map(({ key, file }) => (file?.kind === 'ready' ? fromFile(file) : signedByAgent(hop, key)));
  const left = files.usable.filter((file) => !held.some((each) => each.file === file));
  const offers = [...fromAgent, ...left.flatMap((file) => (file.kind === 'ready' ? [fromFile(file)] : []))];
  const locked = left.flatMap((file) => (file.kind === 'locked' ? [file.problem] : []));
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

/** The files that exist, alone or as a public half beside which the agent holds the private one. */
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

/** An agent that does not answer has no keys. */
async function listAgent(hop: Hop): Promise<{ keys: readonly ParsedKey[]; problems: readonly SshError[] }> {
  if (!hop.agent) return { keys: [], problems: [] };
  return await agentKeys(hop, hop.agent).then(
    (keys) => ({ keys, problems: [] }),
    (reason: unknown) => ({ keys: [], problems: [asProblem(reason)] }),
  );
}

const fromFile = ({ key, path }: Extract<KeyFile, { kind: 'ready' }>): Offer => ({
  key,
  shown: describe(key, path),
});

const signedByAgent = (hop: Hop, key: ParsedKey): Offer => ({
  key,
  agent: agentWith(hop, hop.agent ?? '', key),
  shown: describe(key, 'agent'),
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

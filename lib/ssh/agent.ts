/** The SSH agent: which keys it holds, and offering only chosen ones. */
import ssh2, { type AgentAuthMethod, type BaseAgent, type ParsedKey } from 'ssh2';
import { SshError } from '../errors.ts';
import type { Hop } from './config.ts';
import { LIMITS, within } from './limits.ts';

/** sshd closes the connection at the sixth key (MaxAuthTries). */
const MOST_KEYS = 5;

/** @throws SshError when the agent does not answer */
export async function agentKeys(hop: Hop, socket: string): Promise<readonly ParsedKey[]> {
  const agent = ssh2.createAgent(socket);
  const answer = new Promise<ParsedKey[]>((resolve, reject) => {
    agent.getIdentities((error, keys) => (error ? reject(error) : resolve((keys ?? []) as ParsedKey[])));
  });
  try {
    return await within(answer, LIMITS.agent, () => new Error(`no answer within ${LIMITS.agent / 1000} s`));
  } catch (cause) {
    throw new SshError(
      hop.label,
      `the SSH agent at ${socket} is gone: ${(cause as Error).message}`,
      'Start one and add the key (`eval "$(ssh-agent)"; ssh-add`), or name a private key file in the settings.',
      { cause },
    );
  }
}

/** Offers these keys of the agent, in this order, and no others. */
export function offerFromAgent(hop: Hop, socket: string, keys: readonly ParsedKey[]): AgentAuthMethod {
  const agent: BaseAgent = ssh2.createAgent(socket);
  agent.getIdentities = (callback) => callback(null, keys.slice(0, MOST_KEYS));
  return { type: 'agent', username: hop.user, agent };
}

export const offeredKeys = (keys: readonly ParsedKey[]) => keys.slice(0, MOST_KEYS);

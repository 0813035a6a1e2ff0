/** The SSH agent: lists its keys, and signs with one of them. */
import type { Socket } from 'node:net';
import ssh2, { type BaseAgent, type ParsedKey } from 'ssh2';
import { SshError } from '../util/errors.ts';
import type { Hop } from './hops.ts';
import { whyUnusable } from './identity-files.ts';
import { LIMITS } from './timeouts.ts';

/** @throws SshError if the agent does not answer */
export async function agentKeys(hop: Hop, socket: string): Promise<readonly ParsedKey[]> {
  const agent = agentAt(hop, socket, LIMITS.agent);
  return new Promise((resolve, reject) => {
    agent.getIdentities((error, keys) => {
      if (!error) resolve((keys ?? []) as ParsedKey[]);
      else reject(error instanceof SshError ? error : gone(hop, socket, error.message, error));
    });
  });
}

/** An agent that exposes only this key. */
export function agentWith(hop: Hop, socket: string, key: ParsedKey): BaseAgent {
  const agent = agentAt(hop, socket, LIMITS.sign);
  agent.getIdentities = (callback) => callback(null, [key]);
  return agent;
}

/** ssh2 waits for the agent without a timeout; destroying the socket ends the wait. */
function agentAt(hop: Hop, path: string, limitMs: number): BaseAgent {
  const agent = ssh2.createAgent(path);
  const open = agent.getStream?.bind(agent);
  agent.getStream = (callback) =>
    open?.((error, stream) => {
      const socket = stream as Socket | undefined;
      const why = `no answer within ${limitMs / 1000} s`;
      socket?.setTimeout(limitMs, () => socket.destroy(gone(hop, path, why)));
      callback(error, stream);
    });
  return agent;
}

const gone = (hop: Hop, path: string, why: string, cause?: Error) =>
  new SshError(
    hop.label,
    `the SSH agent at ${path} is gone: ${whyUnusable(path) ?? why}`,
    'Start one and add the key (`eval "$(ssh-agent)"; ssh-add`), or set a private key file in the settings.',
    { cause },
  );

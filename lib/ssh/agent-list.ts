/**
 * Lists all keys of an SSH agent, including certificates and FIDO keys, which ssh2 does not support
 * (draft-ietf-sshm-ssh-agent).
 */
import { connect } from 'node:net';

export interface AgentKey {
  readonly type: string;
  readonly blob: Buffer;
}

const REQUEST_IDENTITIES = 11;
const IDENTITIES_ANSWER = 12;
const MAX_BYTES = 1024 * 1024;
/** A local agent answers within a millisecond, and listing keys never requires a confirmation. */
const LIMIT_MS = 1_000;

/** @throws Error if the agent does not answer in time */
export async function listAgent(path: string): Promise<AgentKey[]> {
  return parseIdentities(await ask(path, Buffer.from([0, 0, 0, 1, REQUEST_IDENTITIES])));
}

function ask(path: string, request: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let answer = Buffer.alloc(0);
    const socket = connect(path, () => socket.write(request));
    socket.setTimeout(LIMIT_MS, () => socket.destroy(new Error('no answer')));
    socket.on('error', reject).on('close', () => reject(new Error('closed without an answer')));
    socket.on('data', (data: Buffer) => {
      answer = Buffer.concat([answer, data]);
      const length = answer.length < 4 ? MAX_BYTES : answer.readUInt32BE(0);
      if (answer.length < 4 + length && answer.length <= MAX_BYTES) return;
      resolve(answer.subarray(4, 4 + length));
      socket.destroy();
    });
  });
}

/** The answer: a type byte, a count, then a blob and a comment per key. @throws RangeError if it is truncated */
function parseIdentities(answer: Buffer): AgentKey[] {
  if (answer[0] !== IDENTITIES_ANSWER) throw new Error('the agent refused');
  const keys: AgentKey[] = [];
  const stringAt = (offset: number) => answer.subarray(offset + 4, offset + 4 + answer.readUInt32BE(offset));
  for (let at = 5; keys.length < answer.readUInt32BE(1); ) {
    const blob = stringAt(at);
    keys.push({ type: blob.toString('latin1', 4, 4 + blob.readUInt32BE(0)), blob });
    at += 4 + blob.length;
    at += 4 + answer.readUInt32BE(at);
  }
  return keys;
}

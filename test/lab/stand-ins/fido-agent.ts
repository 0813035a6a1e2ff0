/** An SSH agent with one sk-ssh-ed25519 key, and a software authenticator that is always touched (PROTOCOL.u2f). */
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { createServer, type Socket } from 'node:net';

const TYPE = 'sk-ssh-ed25519@openssh.com';
const APPLICATION = 'ssh:';
const KIND = { failure: 5, success: 6, list: 11, keys: 12, sign: 13, signature: 14, extension: 27 } as const;
const TOUCHED = 1;
/** The raw key is the end of its SubjectPublicKeyInfo. */
const RAW_BYTES = 32;

const number = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const string = (value: string | Buffer) => {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([number(bytes.length), bytes]);
};
const sha256 = (value: string | Buffer) => createHash('sha256').update(value).digest();

/** Listens on `path`; returns the line for authorized_keys. */
export async function startFidoAgent(path: string): Promise<string> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-RAW_BYTES);
  const blob = Buffer.concat([TYPE, raw, APPLICATION].map((part) => string(part)));
  let count = 0;
  const signature = (data: Buffer) => {
    count += 1;
    const state = Buffer.concat([Buffer.from([TOUCHED]), number(count)]);
    const signed = sign(null, Buffer.concat([sha256(APPLICATION), state, sha256(data)]), privateKey);
    return Buffer.concat([string(TYPE), string(signed), state]);
  };
  const response = (request: Buffer): Buffer => {
    if (request[0] === KIND.list)
      return Buffer.concat([Buffer.from([KIND.keys]), number(1), string(blob), string('software')]);
    if (request[0] !== KIND.sign) return Buffer.from([KIND.failure]);
    const at = 5 + request.readUInt32BE(1);
    const data = request.subarray(at + 4, at + 4 + request.readUInt32BE(at));
    return Buffer.concat([Buffer.from([KIND.signature]), string(signature(data))]);
  };
  const server = createServer((socket) => serve(socket, response)).unref();
  await new Promise<void>((resolve) => void server.listen(path, resolve));
  return `${TYPE} ${blob.toString('base64')}`;
}

function serve(socket: Socket, response: (request: Buffer) => Buffer): void {
  let waiting = Buffer.alloc(0);
  socket.on('error', () => {}).unref();
  socket.on('data', (data: Buffer) => {
    waiting = Buffer.concat([waiting, data]);
    while (waiting.length >= 4 && waiting.length >= 4 + waiting.readUInt32BE(0)) {
      const end = 4 + waiting.readUInt32BE(0);
      socket.write(string(response(waiting.subarray(4, end))));
      waiting = waiting.subarray(end);
    }
  });
}

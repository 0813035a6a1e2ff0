/** Damaged private key files cause one message, never a bug. FC_SEED repeats a run. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import type { Hop } from '../../../lib/ssh/hops.ts';
import { readKeyFile } from '../../../lib/ssh/key-file.ts';
import { SshError } from '../../../lib/util/errors.ts';

const seed = Number(process.env.FC_SEED ?? Date.now() % 1e9);
const numRuns = Number(process.env.FC_RUNS ?? 300);
const directory = mkdtempSync(join(tmpdir(), 'gatepost-key-'));
after(() => rmSync(directory, { recursive: true }));

const KINDS = [
  ['ed25519', '-t', 'ed25519', '-N', ''],
  ['ed25519.locked', '-t', 'ed25519', '-N', 'secret'],
  ['rsa.locked', '-t', 'rsa', '-N', 'secret'],
  ['rsa.pem', '-t', 'rsa', '-N', '', '-m', 'PEM'],
  ['rsa.pem.locked', '-t', 'rsa', '-N', 'secret', '-m', 'PEM'],
  ['ecdsa', '-t', 'ecdsa', '-N', ''],
  ['ecdsa.pem', '-t', 'ecdsa', '-N', '', '-m', 'PEM'],
] as const;
const keys = KINDS.map(([name, ...args]) => {
  execFileSync('ssh-keygen', ['-q', '-C', '', '-f', join(directory, name), ...args]);
  return readFileSync(join(directory, name), 'latin1');
});
const hop = { label: 'proxy p' } as Hop;
const path = join(directory, 'damaged');

/** Reads a key from this text; returns its kind, or the message. */
async function read(text: string): Promise<string> {
  writeFileSync(path, text, { encoding: 'latin1', mode: 0o600 });
  try {
    const file = await readKeyFile(hop, path);
    if (file.kind === 'ready') file.key.sign(Buffer.from(file.key.getPublicSSH()));
    return file.kind === 'ready' ? file.kind : file.problem.message;
  } catch (error) {
    assert.ok(error instanceof SshError, `${(error as Error).stack}\n${text}`);
    return error.message;
  }
}

/** Damages the container's bytes, not the base64 text: lengths, magic and counts are at the beginning. */
const inBytes = (text: string, damage: (bytes: Buffer) => Buffer): string => {
  const [head = '', ...lines] = text.trim().split('\n');
  const last = lines.pop();
  const body = damage(Buffer.from(lines.join(''), 'base64')).toString('base64');
  return `${head}\n${body.replace(/.{70}/g, '$&\n')}\n${last}\n`;
};

/** Uniform, unlike fc.double. */
const at = fc.nat(999_999).map((millionths) => millionths / 1_000_000);
const key = fc.constantFrom(...keys);
const byte = fc.integer({ min: 0, max: 255 });
const place = (length: number, share: number) => Math.floor(length * share);

/** Damages: truncation, a changed byte, a missing part. */
const DAMAGES: Record<string, fc.Arbitrary<string>> = {
  'cut off': fc.tuple(key, at).map(([text, share]) => text.slice(0, place(text.length, share))),
  'truncated inside': fc
    .tuple(key, at)
    .map(([text, share]) => inBytes(text, (bytes) => bytes.subarray(0, place(bytes.length, share ** 2)))),
  'changed in a letter': fc.tuple(key, at, byte).map(([text, share, other]) => {
    const index = place(text.length, share);
    return text.slice(0, index) + String.fromCharCode(other) + text.slice(index + 1);
  }),
  'changed in a byte': fc.tuple(key, at, byte, fc.boolean()).map(([text, share, other, isEarly]) =>
    inBytes(text, (bytes) => {
      bytes[place(isEarly ? Math.min(bytes.length, 120) : bytes.length, share)] = other;
      return bytes;
    }),
  ),
  'missing a part': fc.tuple(key, at, at).map(([text, from, length]) =>
    inBytes(text, (bytes) => {
      const start = place(bytes.length, from);
      return Buffer.concat([bytes.subarray(0, start), bytes.subarray(start + place(60, length))]);
    }),
  ),
};

describe('a key file', () => {
  for (const [how, texts] of Object.entries(DAMAGES))
    test(`that is ${how} is used or rejected with one message (seed ${seed})`, async () => {
      for (const text of fc.sample(texts, { numRuns, seed }))
        assert.match(
          await read(text),
          /^ready$|^proxy p: the key .*damaged (cannot be used: (malformed|unsupported) \(|is encrypted)|is a public key/,
        );
    });

  test('that is encrypted and truncated is malformed', async () => {
    const [, locked = ''] = keys;
    assert.match(await read(locked), /is encrypted/);
    const short = inBytes(locked, (bytes) => bytes.subarray(0, 60));
    assert.match(await read(short), /cannot be used: malformed/);
  });

  test('that contains another kind of key than its first line says is malformed', async () => {
    const pem = keys[KINDS.findIndex(([name]) => name === 'ecdsa.pem')] ?? '';
    assert.match(await read(inBytes(pem, (bytes) => bytes.fill(0, 0, 1))), /cannot be used: malformed/);
  });

  test('whose private number is empty is malformed', async () => {
    const ecdsa = keys[KINDS.findIndex(([name]) => name === 'ecdsa')] ?? '';
    const empty = inBytes(ecdsa, (bytes) => {
      const point = bytes.lastIndexOf(Buffer.from([0, 0, 0, 65, 4]));
      return bytes.fill(0, point + 4 + 65, point + 4 + 65 + 4);
    });
    assert.match(await read(empty), /cannot be used: malformed/);
  });
});

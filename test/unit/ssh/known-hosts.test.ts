/** Tables of known_hosts lines; test/e2e/ssh/known-hosts.test.ts has more, with OpenSSH as the judge. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hostKeyFingerprint, judgeHostKey, knownKeyTypes, knownName } from '../../../lib/ssh/known-hosts.ts';

/** A well-formed blob: the type, then 32 bytes, or two numbers for RSA. */
function blob(type: string, fill: number): Buffer {
  const string = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  const exponent = type === 'ssh-rsa' ? [string(Buffer.from([3]))] : [];
  return Buffer.concat([string(Buffer.from(type)), ...exponent, string(Buffer.alloc(32, fill))]);
}

const hostKey = blob('ssh-ed25519', 1);
const K = `ssh-ed25519 ${hostKey.toString('base64')}`;
const O = `ssh-ed25519 ${blob('ssh-ed25519', 2).toString('base64')}`;
const R = `ssh-rsa ${blob('ssh-rsa', 3).toString('base64')}`;
const asFile = (text: string, path = 'known_hosts') => ({ path, text });
const judge = (text: string, port = 22, host = 'h.test') => judgeHostKey([asFile(text)], host, port, hostKey);

describe('judgeHostKey', () => {
  for (const [text, port, kind] of [
    ['', 22, 'unknown'],
    [`h.test ${K}`, 22, 'match'],
    [`h.test ${O}\nh.test ${K}`, 22, 'match'],
    [`h.test ${R}`, 22, 'changed'],
    [`h.test ${O}AAAA`, 22, 'unknown'],
    [`@revoked * ${K}\r\r\nh.test ${K}`, 22, 'revoked'],
    [`*.test,!h.test ${K}`, 22, 'unknown'],
    [`@revoked *.test ${K}\nh.test ${K}`, 22, 'revoked'],
    [`@cert-authority * ${K}`, 22, 'unknown'],
    [`H.TEST ${K}\r\n`, 22, 'match'],
    [`[h.test]:2222 ${K}`, 2222, 'match'],
    [`h.test ${K}`, 2222, 'match'],
    [`h.test ${O}`, 2222, 'unknown'],
    [`[h.test]:2222 ${O}\nh.test ${K}`, 2222, 'changed'],
  ] as const)
    it(`finds ${kind} on port ${port} in ${JSON.stringify(text.replaceAll(K, 'K').replaceAll(O, 'O'))}`, () => {
      assert.equal(judge(text, port).kind, kind);
    });

  it('names the file, the line and the key that it expects', () => {
    const files = [asFile('# none', 'first'), asFile(`\nh.test ${O}\n`, 'second')];
    assert.deepEqual(judgeHostKey(files, 'h.test', 22, hostKey), {
      kind: 'changed',
      expected: [hostKeyFingerprint(blob('ssh-ed25519', 2))],
      file: 'second',
      line: 2,
    });
  });

  it('names the file and line that revoke a key', () => {
    const files = [asFile(`h.test ${K}`, 'first'), asFile(`@revoked * ${K}`, 'second')];
    const verdict = judgeHostKey(files, 'h.test', 22, hostKey);
    assert.deepEqual(verdict, { kind: 'revoked', file: 'second', line: 1 });
  });

  it('reports a certificate authority for an unknown host', () => {
    const verdict = judge(`@cert-authority *.test ${O}`);
    assert.deepEqual(verdict, { kind: 'unknown', authority: { file: 'known_hosts', line: 1 } });
  });

  it('matches a pattern with many wildcards in linear time', () => {
    const start = performance.now();
    judge(`${'*a'.repeat(12)} ${K}`, 22, 'a'.repeat(60));
    assert.ok(performance.now() - start < 1000);
  });
});

describe('knownKeyTypes', () => {
  it('come from the lines for host and port', () => {
    const text = `[h.test]:2222 ${R}\nh.test ${K}\n@revoked h.test ${O}`;
    assert.deepEqual(knownKeyTypes([asFile(text)], 'h.test', 2222), ['ssh-rsa']);
    assert.deepEqual(knownKeyTypes([asFile(text)], 'h.test', 22), ['ssh-ed25519']);
  });

  it('come from the lines for the host alone if the port has none', () => {
    assert.deepEqual(knownKeyTypes([asFile(`h.test ${K}\nh.test ${R}`)], 'h.test', 2222), [
      'ssh-ed25519',
      'ssh-rsa',
    ]);
  });
});

describe('knownName', () => {
  for (const [host, port, name] of [
    ['Host', 22, 'host'],
    ['Host', 2222, '[host]:2222'],
    ['::1', 22, '::1'],
    ['FE80::1', 2222, '[fe80::1]:2222'],
  ] as const)
    it(`is ${name} for ${host} on port ${port}`, () => assert.equal(knownName(host, port), name));
});

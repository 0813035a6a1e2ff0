/** Guessable tokens are refused, random ones are not. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { judgeToken, judgeTokenForm } from '../../../lib/model/bearer.ts';
import { isGuessable } from '../../../lib/model/guessable.ts';

const guessable = [
  'passwordpassword',
  'PasswordPassword1!',
  'P4ssw0rd-P4$$w0rd',
  'password12345678',
  'ollamaollamaollama',
  'ollama-token-2024!',
  'my-secret-ollama-token',
  'bearertokenbearer',
  'sk-test-test-test-test',
  'admin123admin123',
  'openai_api_key_demo',
  'letmeinletmein123',
  'cursor-cursor-cursor',
  '1234567890123456',
  '0123456789abcdef0123456789abcdef',
  '9876543210987654',
  'abcdefghijklmnop',
  'zyxwvutsrqponmlk',
  'qwertyuiopasdfgh',
  'QWERTYUIOP123456',
  '1qaz2wsx3edc4rfv',
  'q1w2e3r4t5y6u7i8',
  'azertyuiopqsdfgh',
  'a1b2c3d4e5f6g7h8',
  '0102030405060708',
  'aaaaaaaaaaaaaaaa',
  `${'a'.repeat(15)}b`,
  'ab'.repeat(256),
  'abcabcabcabcabcabc',
  'deadbeefdeadbeef'.replaceAll('deadbeef', 'a1b2'.repeat(2)),
  '0110100110010110',
  'deadbeefdeadbeef',
  'hunter2hunter2hunter2',
  '1111222233334444',
  'MySecretToken123!',
  'sk-proj-abcdefghijklmnop',
  'nexus-virtual-key',
];

for (const token of guessable) {
  test(`${token.slice(0, 32)} is guessable`, () => {
    assert.ok(isGuessable(token));
    assert.match(judgeToken(token) ?? '', /openssl rand -hex 32/);
    assert.equal(judgeTokenForm(token), undefined);
  });
}

const unguessable = [
  '3f9a0c51d7e24b88a6b1f05c9e7d2a43',
  '9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d',
  'sk-proj-9fKx2LmQ7vTz4RbN8wYc1JdH',
  'Zm9vYmFyYmF6cXV4LXJhbmRvbQ==',
  'correct-horse-battery-staple',
  'lantern.cobalt.secret.admin.walrus',
  'a.b+c*(d)[e]{f}^g|h?;#~%&=<>',
  '$host$host$host$host',
  '~~~~default;include}',
];

for (const token of unguessable) test(`${token} is fair`, () => assert.ok(!isGuessable(token)));

/** Every random token of this form is accepted. */
function assertAccepted(alphabet: string, minLength: number, maxLength = minLength): void {
  const unit = fc.constantFrom(...alphabet);
  // fast-check's bias would create repetitions that do not occur by chance.
  const tokens = fc.noBias(fc.string({ unit, minLength, maxLength }));
  fc.assert(
    fc.property(tokens, (token) => !isGuessable(token)),
    { numRuns: 5000 },
  );
}

describe('no random token is guessable', () => {
  const hex = '0123456789abcdef';
  const alphanumeric = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  test('alphanumeric, 16 characters or more', () => assertAccepted(alphanumeric, 16, 64));
  test('base64url', () => assertAccepted(`${alphanumeric}-_`, 16, 43));
  for (const length of [16, 32, 64]) test(`${length} hex digits`, () => assertAccepted(hex, length));
  test('lowercase letters', () => assertAccepted('abcdefghijklmnopqrstuvwxyz', 16));
  test('digits', () => assertAccepted('0123456789', 24));
  test('UUID', () => fc.assert(fc.property(fc.noBias(fc.uuid()), (token) => !isGuessable(token))));
});

test('the longest token is judged within milliseconds', () => {
  const start = performance.now();
  isGuessable('ab'.repeat(256));
  isGuessable('abcdefghij$klmn'.repeat(34));
  assert.ok(performance.now() - start < 200);
});

/** Failures are reported with their cause and their fix. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { diagnose } from '../../../lib/diagnosis/diagnose.ts';
import { filled, type Row } from '../../../lib/diagnosis/row.ts';
import { CLIENTS, symptomOf } from '../../../lib/diagnosis/symptoms.ts';

const failures: readonly [string, string, RegExp][] = [
  ['sudo: a password is required', 'sudo', /NOPASSWD/],
  // As a kernel without IPv6 has it; the lab's can only be without addresses.
  ['[emerg] socket() [::]:80 failed (97: Address family not supported by protocol)', 'test', /listen \[::\]/],
  ['[emerg] unknown directive "x"', 'test', /Mend the line/],
  ['[emerg] something that nobody has seen', 'test', /Mend the template/],
  ['whatever', 'locked', /Wait/],
  ['whatever', 'unknown', /same command once more/],
  ['whatever', 'challenge-ipv6', /AAAA/],
  ['whatever', 'acme-dns', /dig NAME/],
];

describe('explain', () => {
  for (const [text, code, next] of failures) {
    it(`knows: ${text} (${code})`, () => assert.match(diagnose({ code, text }).next, next));
  }

  it('leaves the advice of the one who failed as it is', () => {
    assert.deepEqual(diagnose({ code: 'ssh', text: 'odd', advice: 'Do this.' }), { next: 'Do this.' });
  });

  it('adds to it what the words mean, where they are known', () => {
    const { means, next } = diagnose({
      code: 'ssh',
      text: 'a port 22: connection refused',
      advice: 'Do this.',
    });
    assert.equal(next, 'Do this.');
    assert.match(means ?? '', /nothing listens/);
  });

  it('says of a file of somebody else what is wrong, and not to mend it as ours', () => {
    const text = 'cannot load certificate "/x": BIO_new_file() failed';
    assert.match(diagnose({ code: 'test', text }).next, /bootstrap-tls/);
    const { means, next } = diagnose({ code: 'sick', text });
    assert.match(means ?? '', /before any change of ours\. The certificate or its key is missing/);
    assert.match(next, /^Mend the file that its message names/);
  });

  it('lets steps to do by hand stand, whatever kept them from being done', () => {
    assert.match(diagnose({ code: 'restore', text: 'Read-only file system' }).next, /^Do the steps below/);
  });

  it('has something to say of what nobody foresaw', () => {
    assert.ok(diagnose({ code: 'no such code', text: 'no such text' }).next);
  });

  it('gives no more than meaning and advice', () => {
    const told = diagnose({ code: 'test', text: 'key values mismatch' });
    assert.deepEqual(Object.keys(told).sort(), ['means', 'next']);
  });
});

describe('a symptom', () => {
  const seen: readonly [number, string, Row | undefined][] = [
    [502, '<html>', CLIENTS.badGateway],
    [429, '{"error":{"code":"too_many_failed_attempts"}}', CLIENTS.slowedDown],
    [429, '{"error":{"code":"rate_limit_exceeded"}}', CLIENTS.overLimit],
    [429, '', CLIENTS.slowedDown],
    [403, '{"error":{"code":"insufficient_scope"}}', CLIENTS.forbidden],
    [401, '{"error":{"code":"invalid_api_key"}}', CLIENTS.unauthorized],
    [403, '', undefined],
    [200, '{"code":"invalid_api_key"}', undefined],
  ];
  for (const [status, body, row] of seen)
    it(`is ${row?.says ?? 'not known'} for ${status} ${body}`, () =>
      assert.equal(symptomOf(status, body), row));

  it('gets the reader’s own names', () => {
    assert.equal(filled('HOST:PORT, NOPASSWD', { HOST: 'a', PORT: '22' }), 'a:22, NOPASSWD');
  });
});

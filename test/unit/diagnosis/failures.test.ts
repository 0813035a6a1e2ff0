/** Failures are reported with their cause and their fix. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { diagnose } from '../../../lib/diagnosis/diagnose.ts';
import { filled, type Row } from '../../../lib/diagnosis/row.ts';
import { SYMPTOMS, symptomOf } from '../../../lib/diagnosis/symptoms.ts';
import type { FailureCode } from '../../../lib/model/contract.ts';

const failures: readonly [string, FailureCode, RegExp][] = [
  ['sudo: a password is required', 'sudo', /NOPASSWD/],
  ['sudo: interactive authentication is required', 'sudo', /NOPASSWD/],
  ["sudo-rs: I'm sorry ncantu. I'm afraid I can't do that", 'sudo', /visudo/],
  ['connect() failed (13: Permission denied) while connecting to upstream', 'reload', /setsebool/],
  // The message of a kernel without IPv6; the lab can only remove the addresses.
  ['[emerg] socket() [::]:80 failed (97: Address family not supported by protocol)', 'test', /listen \[::\]/],
  ['[emerg] unknown directive "x"', 'test', /Fix the line/],
  ['[emerg] something that has never been seen', 'test', /Fix the template/],
  ['whatever', 'locked', /Wait/],
  ['whatever', 'unknown', /same command again/],
  ['whatever', 'challenge-ipv6', /AAAA/],
  ['whatever', 'acme-dns', /dig NAME/],
];

describe('explain', () => {
  for (const [text, code, next] of failures) {
    it(`knows: ${text} (${code})`, () => assert.match(diagnose({ code, text }).fix, next));
  }

  it('keeps advice that the failure already has', () => {
    assert.deepEqual(diagnose({ code: 'ssh', text: 'odd', advice: 'Do this.' }), { fix: 'Do this.' });
  });

  it('adds the cause to it if the message is known', () => {
    const { cause, fix } = diagnose({
      code: 'ssh',
      text: 'a port 22: connection refused',
      advice: 'Do this.',
    });
    assert.equal(fix, 'Do this.');
    assert.match(cause ?? '', /nothing listens/);
  });

  it("reports the defect of another file, without the fix for one of gatepost's files", () => {
    const text = 'cannot load certificate "/x": BIO_new_file() failed';
    assert.match(diagnose({ code: 'test', text }).fix, /bootstrap-tls/);
    const { cause, fix } = diagnose({ code: 'sick', text });
    assert.match(cause ?? '', /before any change by gatepost\. The certificate or its key is missing/);
    assert.match(fix, /^Fix the file named in the message/);
  });

  it('keeps the manual recovery steps whatever the error was', () => {
    assert.match(diagnose({ code: 'restore', text: 'Read-only file system' }).fix, /^Run the steps below/);
  });

  it('has a fix for an unknown failure', () => {
    assert.ok(diagnose({ code: 'unrecognized', text: 'no such text' }).fix);
  });

  it('returns only cause and fix', () => {
    const explanation = diagnose({ code: 'test', text: 'key values mismatch' });
    assert.deepEqual(Object.keys(explanation).sort(), ['cause', 'fix']);
  });
});

describe('a symptom', () => {
  const seen: readonly [number, string, Row | undefined][] = [
    [502, '<html>', SYMPTOMS.badGateway],
    [429, '{"error":{"code":"too_many_failed_attempts"}}', SYMPTOMS.slowedDown],
    [429, '{"error":{"code":"rate_limit_exceeded"}}', SYMPTOMS.overLimit],
    [429, '', SYMPTOMS.slowedDown],
    [403, '{"error":{"code":"insufficient_scope"}}', SYMPTOMS.forbidden],
    [401, '{"error":{"code":"invalid_api_key"}}', SYMPTOMS.unauthorized],
    [403, '', undefined],
    [403, '<!DOCTYPE html><title>Attention Required! | Cloudflare</title>', SYMPTOMS.firewallPage],
    [406, '<html><h1>Not Acceptable!</h1> Mod_Security', SYMPTOMS.firewallPage],
    [403, '<html><center>nginx</center>', undefined],
    [522, 'error code: 522', SYMPTOMS.cloudflareError],
    [200, '{"code":"invalid_api_key"}', undefined],
  ];
  for (const [status, body, row] of seen)
    it(`is ${row?.error ?? 'not known'} for ${status} ${body}`, () =>
      assert.equal(symptomOf(status, body), row));

  it('contains the names of the reader’s site', () => {
    assert.equal(filled('HOST:PORT, NOPASSWD', { HOST: 'a', PORT: '22' }), 'a:22, NOPASSWD');
  });
});

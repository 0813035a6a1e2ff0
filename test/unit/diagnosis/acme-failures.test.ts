/** Real output of certbot, by type of failure. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACME } from '../../../lib/diagnosis/acme-failures.ts';
import { diagnose, withOrderCode } from '../../../lib/diagnosis/diagnose.ts';

const WORDS: readonly (readonly [string, string])[] = [
  ['Another instance of Certbot is already running.', 'certbot-busy'],
  ['OSError: [Errno 28] No space left on device', 'disk-full'],
  ['OSError: [Errno 30] Read-only file system: /etc/letsencrypt/x', 'read-only'],
  ['the CA said: "urn:ietf:params:acme:error:rateLimited"', 'acme-rate-limited'],
  ['too many certificates (5) already issued for this exact set of domains', 'acme-rate-limited'],
  ['Error returned by the ACME server: JWS has an invalid anti-replay nonce: W9hh', 'acme-bad-nonce'],
  ['ValueError: Requesting ca.gatepost.test/dir: Connection refused', 'acme-unreachable'],
  [
    'SSLError(SSLCertVerificationError(1, "certificate verify failed: unable to get local issuer")',
    'acme-untrusted',
  ],
  ['  Domain: a.example\n  Type:   dns\n  Detail: no valid A records found', 'acme-dns'],
  ['  Type:   caa\n  Detail: CAA record for a.example prevents issuance', 'acme-caa'],
  [
    '  Type:   connection\n  Detail: 203.0.113.1: Timeout during connect (likely firewall problem)',
    'acme-connection',
  ],
  ['  Type:   unauthorized\n  Detail: Invalid response from http://a.example/: 404', 'acme-challenge'],
  ['the CA said: "urn:ietf:params:acme:error:externalAccountRequired"', 'acme-account'],
  ['the CA said: "urn:ietf:params:acme:error:rejectedIdentifier"', 'acme-refused'],
  [
    'Missing command line flag or config entry for this setting:\nPlease choose an account',
    'acme-account-choice',
  ],
  ['Missing command line flag or config entry for this setting:\nSelect the webroot', 'acme-flags'],
  ['Too many flags setting configurators/installers/authenticators', 'acme-flags'],
  ['something that has never been seen', 'order'],
];

for (const [text, code] of WORDS)
  test(`recognizes ${code}: ${text.trim().slice(0, 60)}`, () => {
    const failure = withOrderCode({ code: 'order', text: `Saving debug log to /var/log/x\n${text}` });
    assert.equal(failure.code, code);
    const { cause, fix } = diagnose(failure);
    assert.ok(cause && fix);
  });

test('keeps a failure that already has its type', () => {
  assert.equal(withOrderCode({ code: 'order-timeout', text: 'error:dns' }).code, 'order-timeout');
});

test('every type is explained', () => {
  const types = ACME.map(({ code }) => code);
  assert.deepEqual(
    types.filter((type) => !WORDS.some(([, code]) => code === type)),
    [],
  );
});

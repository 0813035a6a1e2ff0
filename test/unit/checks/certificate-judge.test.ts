/** The check of the served certificate against the ones on the proxies. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PeerCertificate } from 'node:tls';
import { judgeCertificate } from '../../../lib/checks/tls/certificate-judge.ts';
import type { Issued } from '../../../lib/model/check.ts';

const NAME = 'ia.example.org';
const NOW = new Date('2026-11-22T00:00:00Z');
const certificate = {
  subject: { CN: NAME },
  issuer: { O: "(STAGING) Let's Encrypt", CN: '(STAGING) Baloney Bulgur YE2' },
  subjectaltname: `DNS:${NAME}`,
  valid_from: 'Oct 24 00:00:00 2026 GMT',
  valid_to: 'Jan 22 00:00:00 2027 GMT',
  fingerprint256: 'AA:BB',
} as unknown as PeerCertificate;

const judge = (verdict: string, issued: readonly Issued[]) =>
  judgeCertificate({ verdict, certificate }, 'refused', { serverName: NAME, issued }, NOW);

test('passes when the issued certificate is served', () => {
  const found = judge('', [{ kind: 'ca', fingerprint: 'AA:BB' }]);
  assert.equal(found.status, 'passed');
  assert.match(found.detail, /is the one on the proxy/);
});

test('fails if another one is served, with the reload command as the fix', () => {
  const found = judge('', [{ kind: 'ca', fingerprint: 'CC:DD' }]);
  assert.equal(found.status, 'failed');
  assert.match(found.detail, /The served certificate .* is not the one on the proxy.*nginx -s reload/);
});

test('fails for a staging certificate that this run did not request, and names it as one', () => {
  const found = judge('UNABLE_TO_VERIFY_LEAF_SIGNATURE', []);
  assert.equal(found.status, 'failed');
  assert.match(found.detail, /staging CA.*without --staging/);
});

test('only warns about a staging or self-signed one that was just issued', () => {
  for (const kind of ['staging', 'self-signed'] as const) {
    const found = judge('SELF_SIGNED_CERT_IN_CHAIN', [{ kind, fingerprint: 'AA:BB' }]);
    assert.equal(found.status, 'warned');
    assert.match(found.detail, new RegExp(kind));
  }
});

test('fails if the issued certificate comes from a CA that is not trusted here', () => {
  assert.equal(
    judge('UNABLE_TO_VERIFY_LEAF_SIGNATURE', [{ kind: 'ca', fingerprint: 'AA:BB' }]).status,
    'failed',
  );
});

test('a self-signed one passes for a site without a public name, and fails elsewhere', () => {
  const verdict = 'DEPTH_ZERO_SELF_SIGNED_CERT';
  const seen = { verdict, certificate };
  const [lan, world] = [true, false].map((isNameless) =>
    judgeCertificate(seen, 'refused', { serverName: NAME, isNameless }, NOW),
  );
  assert.deepEqual([lan?.status, world?.status], ['warned', 'failed']);
});

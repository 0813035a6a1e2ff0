/** Certificates from openssl, parsed and judged. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import {
  certificateFault,
  isStaging,
  issuedOn,
  judgeLife,
  readCertificate,
  renewalPoint,
  timeText,
} from '../../../lib/model/certificate.ts';

const DAY = 86_400_000;
const NAME = 'ia.example.org';

/** Creates a self-signed certificate, as PEM. */
function make(days: number, names = `DNS:${NAME}`): string {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '/dev/null'];
  const extra = ['-subj', `/CN=${NAME}`, '-addext', `subjectAltName=${names}`, '-days', String(days)];
  return execFileSync('openssl', ['req', '-x509', ...key, ...extra], {
    stdio: ['ignore', 'pipe', 'ignore'],
  }).toString();
}

const found = readCertificate(make(90));

test('reads kind, names, dates and fingerprint', () => {
  assert.equal(found?.kind, 'self-signed');
  assert.ok(found.names(NAME) && !found.names('other.example.org'));
  assert.equal(Math.round((found.until.getTime() - found.from.getTime()) / DAY), 90);
  assert.match(found.fingerprint, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
});

test('reads an IP address in the subject alternative names', () => {
  const one = readCertificate(make(9, 'IP:192.168.1.100'));
  assert.ok(one?.names('192.168.1.100') && !one.names('192.168.1.101'));
});

test('returns nothing for an empty or invalid file', () => {
  for (const text of [undefined, '', 'no', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'])
    assert.equal(readCertificate(text), undefined);
  assert.deepEqual(issuedOn({}), []);
});

test("recognizes the staging CAs of Let's Encrypt by name", () => {
  assert.ok(isStaging("C=US\nO=(STAGING) Let's Encrypt\nCN=(STAGING) Baloney Bulgur YE2"));
  assert.ok(!isStaging("C=US\nO=Let's Encrypt\nCN=E7"));
});

test('is due for renewal 30 days before expiry, or at a third of its lifetime if that is shorter', () => {
  const life = (days: number) =>
    renewalPoint({ from: new Date(0), until: new Date(days * DAY) }).getTime() / DAY;
  assert.deepEqual([365, 90, 45, 6].map(life), [335, 60, 30, 4]);
});

test('warns below a quarter of the lifetime, fails below a ninth, but never before certbot renews', () => {
  const judge = (life: number, left: number) =>
    judgeLife({ from: new Date(0), until: new Date(life * DAY) }, new Date((life - left) * DAY));
  for (const life of [90, 64, 45, 6.67]) {
    assert.equal(judge(life, life / 4 + 0.01), 'passed');
    assert.equal(judge(life, life / 4 - 0.01), 'warned');
    assert.equal(judge(life, life / 9 + 0.01), 'warned');
    assert.equal(judge(life, life / 9 - 0.01), 'failed');
  }
  assert.deepEqual(
    [29, 22, 9].map((left) => judge(365, left)),
    ['passed', 'warned', 'failed'],
  );
  assert.equal(judge(0, -1), 'failed');
});

test('shows hours if less than two days are left', () => {
  const text = (days: number) => timeText(new Date(days * DAY), new Date(0));
  assert.deepEqual([20.9, 2, 1.99, 0.05, -3.5].map(text), [
    '20 days',
    '2 days',
    '47 hours',
    '1 hour',
    '3 days',
  ]);
});

test('explains why a certificate is rejected', () => {
  const at = (days: number) => new Date(Date.now() + days * DAY);
  const why = (days: number, name = NAME) => certificateFault(found, name, ['self-signed'], at(days));
  assert.equal(why(1), '');
  assert.match(why(61), /expires on \d{4}-\d\d-\d\d$/);
  assert.match(why(91), /expires on/);
  assert.match(why(-1), /not valid yet/);
  assert.match(why(1, 'other.example.org'), /is not for other/);
  assert.match(certificateFault(found, NAME, ['ca'], at(1)), /self-signed/);
  assert.match(certificateFault(undefined, NAME, ['ca'], at(1)), /no certificate yet/);
});

/** A CA that does not issue: each reason has its own code, the current site keeps serving, and the next run continues. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { startOddPebble, startRefusingCa } from '../../lab/certificates/odd-ca.ts';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';
import { CA_NAME } from '../../lab/namespaces/network.ts';
import { assertFails, assertHealthy, bootstrap, issued, NAME, served, WITH_TOKEN } from './bootstrap-lab.ts';

describe('bootstrap-tls with a CA that does not issue', () => {
  let lab: Lab;
  let names = '';
  before(async () => {
    lab = await startLab({ certificate: 'none', proxies: 2, backends: false });
    await lab.startAcme();
    names = await readFile('/etc/hosts', 'utf8');
  });
  after(() => lab.stop());

  const fails = (code: string, words: RegExp, env?: Record<string, string>) =>
    assertFails(lab, code, words, env);
  test('the CA is unreachable', async () => {
    await fails('acme-unreachable', /cannot reach the CA/, {
      ACME_DIRECTORY_URL: `https://${CA_NAME}:9/dir`,
    });
  });

  test("--staging contacts Let's Encrypt's staging CA, which is unreachable here", async () => {
    const env = { ...WITH_TOKEN, ACME_DIRECTORY_URL: undefined };
    const { status, host } = await bootstrap(lab, ['--staging'], { env });
    assert.equal(status, 1);
    assert.equal(host.failure?.code, 'acme-unreachable', host.failure?.text);
    assert.match(host.failure?.text ?? '', /acme-staging-v02\.api\.letsencrypt\.org/);
  });

  test('the CA rejects the name', async () => {
    const ca = await startOddPebble({ config: { domainBlocklist: [NAME] } });
    await fails('acme-refused', /rejectedIdentifier|policy/i, { ACME_DIRECTORY_URL: ca.url }).finally(
      ca.stop,
    );
  });

  test('the CA requires an external account', async () => {
    const ca = await startOddPebble({ config: { externalAccountBindingRequired: true } });
    await fails('acme-account', /external account binding/i, { ACME_DIRECTORY_URL: ca.url }).finally(ca.stop);
  });

  test("the CA's rate limit is reached", async () => {
    const detail =
      'too many certificates (5) already issued for this exact set of domains in the last 168h0m0s';
    const ca = await startRefusingCa(429, 'rateLimited', detail);
    const lead = (address: string) =>
      lab.proxy.sh(
        `sed 's/^.* ${CA_NAME}$/${address} ${CA_NAME}/' /etc/hosts >/root/h; cat /root/h >/etc/hosts`,
      );
    await lead('203.0.113.1');
    await fails('acme-rate-limited', /168h0m0s.*Wait until/s, { ACME_DIRECTORY_URL: ca.url }).finally(() => {
      ca.stop();
      return lead('203.0.113.20');
    });
  });

  test('the CA rejects every nonce', async () => {
    const ca = await startOddPebble({ env: { PEBBLE_WFE_NONCEREJECT: '100' } });
    await fails('acme-bad-nonce', /badNonce/, { ACME_DIRECTORY_URL: ca.url }).finally(ca.stop);
  });

  test('the CA reaches a different server under the name', async () => {
    const hosts = names.replace(`203.0.113.100 ${NAME}`, `203.0.113.101 ${NAME}`);
    await lab.proxies[1]?.sh('rm /etc/nginx/conf.d/other.conf && nginx -s reload && sleep 0.3');
    const ca = await startOddPebble({ hosts });
    await fails('acme-challenge', /points it to a different server/, { ACME_DIRECTORY_URL: ca.url }).finally(
      ca.stop,
    );
  });

  test('the CA cannot reach port 80', async () => {
    const hosts = names.replace(`203.0.113.100 ${NAME}`, `203.0.113.10 ${NAME}`);
    const ca = await startOddPebble({ hosts });
    await fails('acme-connection', /cannot reach port 80/, { ACME_DIRECTORY_URL: ca.url }).finally(ca.stop);
  });

  test('the same command deploys certificate and site once all causes are fixed', async () => {
    const { status, host, stderr } = await bootstrap(lab, ['--no-verify'], { env: WITH_TOKEN });
    assert.equal(status, 0, stderr);
    assert.equal(host.outcome, 'applied');
    assert.equal((await served()).serialNumber, await issued(lab.proxy));
  });

  test('a failing CA leaves a site on TLS unchanged', async () => {
    const before = await served();
    const env = { ...WITH_TOKEN, ACME_DIRECTORY_URL: `https://${CA_NAME}:9/dir` };
    const { status, stderr } = await bootstrap(lab, ['--force-renewal'], { env });
    assert.equal(status, 1);
    assert.match(stderr, /no new certificate; the previous configuration is still active/);
    assert.equal((await served()).serialNumber, before.serialNumber);
    await assertHealthy(lab.proxy);
  });
});

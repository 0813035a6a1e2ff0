/** A certificate that certbot renews is served automatically; one from elsewhere is replaced by one from certbot. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';
import { bootstrap, issued, LIVE, NAME, orders, probe, served, WITH_TOKEN } from './bootstrap-lab.ts';

const RENEW = 'certbot renew --force-renewal --no-random-sleep-on-renew';
const HOOK = '/etc/letsencrypt/renewal-hooks/deploy/gatepost-reload-nginx';

describe('renewal', () => {
  let lab: Lab;
  before(async () => {
    lab = await startLab({ certificate: 'lab-ca', backends: false });
    await lab.startAcme();
  });
  after(() => lab.stop());

  /** Waits until the serial number is served: the hook's reload returns before new workers answer. */
  async function isServed(serial: string): Promise<boolean> {
    for (let tries = 40; tries > 0; tries--) {
      if ((await served()).serialNumber === serial) return true;
      await sleep(50);
    }
    return false;
  }

  test('keeps a valid certificate from elsewhere, and warns that nothing renews it', async () => {
    const serial = await issued(lab.proxy);
    const { status, stdout } = await lab.run('bootstrap-tls', ['--no-verify'], { env: WITH_TOKEN });
    assert.equal(status, 0, stdout);
    assert.match(stdout, /no new one is requested/);
    assert.match(stdout, /! certbot does not manage the certificate there.*--force-renewal/);
    assert.equal(await issued(lab.proxy), serial);
    assert.equal((await served()).serialNumber, serial);
  });

  test('a failed order leaves it unchanged and unknown to certbot', async () => {
    const env = { ...WITH_TOKEN, ACME_DIRECTORY_URL: 'https://ca.gatepost.test:9/dir' };
    const serial = await issued(lab.proxy);
    assert.equal((await bootstrap(lab, ['--force-renewal'], { env })).status, 1);
    assert.equal(await issued(lab.proxy), serial);
    assert.equal((await lab.proxy.sh('nginx -t && ls /etc/letsencrypt/renewal')).stdout, '');
  });

  test('a CA certificate replaces it without manual steps, and TLS stays up', async () => {
    const stop = probe();
    const { status, stderr } = await bootstrap(lab, ['--force-renewal', '--no-verify'], { env: WITH_TOKEN });
    const { failed } = await stop();
    assert.equal(status, 0, stderr);
    assert.deepEqual(failed, []);
    assert.match(String((await served()).issuer.CN), /Pebble/);
    assert.equal((await served()).serialNumber, await issued(lab.proxy));
  });

  test('certbot renew makes nginx serve the new certificate', async () => {
    const old = (await served()).serialNumber;
    const stop = probe();
    const renewed = await lab.proxy.sh(RENEW);
    assert.equal(renewed.status, 0, renewed.stderr);
    assert.notEqual(await issued(lab.proxy), old);
    assert.ok(await isServed(await issued(lab.proxy)));
    assert.deepEqual((await stop()).failed, []);
    const { status } = await bootstrap(lab, ['--no-verify'], { env: WITH_TOKEN });
    assert.equal(status, 0);
    assert.equal(await orders(lab.proxy), 3);
  });

  test('the hook waits for a running change, and leaves a broken or stopped nginx alone', async () => {
    const waits = await lab.proxy.sh(
      `flock /var/lib/gatepost/lock sleep 2 & sleep 0.3; s=$(date +%s%N); ${HOOK}; echo $((($(date +%s%N) - s) / 1000000))`,
    );
    assert.ok(Number(waits.stdout) > 1000, `${waits.stdout} ms`);
    await lab.proxy.sh('echo broken >/etc/nginx/conf.d/broken.conf');
    const broken = await lab.proxy.sh(HOOK);
    assert.equal(broken.status, 1);
    assert.match(broken.stderr, /goes on serving the old certificate/);
    assert.equal((await served()).serialNumber, await issued(lab.proxy));
    await lab.proxy.sh('rm /etc/nginx/conf.d/broken.conf');
  });

  test('the renewal of another certificate changes nothing', async () => {
    const other = 'nexus.gatepost.test';
    const got = await lab.proxy.sh(
      `certbot certonly --webroot -w /var/www/html -d ${other} -n --agree-tos --register-unsafely-without-email --server ${lab.env.ACME_DIRECTORY_URL} && certbot renew --cert-name ${other} --force-renewal --no-random-sleep-on-renew`,
    );
    assert.equal(got.status, 0, got.stderr);
    assert.equal((await served()).serialNumber, await issued(lab.proxy));
    assert.equal((await lab.proxy.sh(`nginx -t; ls -l ${LIVE}/cert.pem`)).status, 0);
    assert.match(String((await served()).subject.CN), new RegExp(NAME));
  });
});

/** The first certificate of a bare proxy, from Pebble by the real certbot, and later ones. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';
import { typescript } from '../../lab/namespaces/process.ts';
import {
  assertHealthy,
  assertNoChallenge,
  bootstrap,
  issued,
  NAME,
  orders,
  probe,
  served,
  WITH_TOKEN,
} from './bootstrap-lab.ts';

const HOOK = '/etc/letsencrypt/renewal-hooks/deploy/gatepost-reload-nginx';

describe('bootstrap-tls', () => {
  let lab: Lab;
  before(async () => {
    lab = await startLab({ certificate: 'none' });
    await lab.startAcme();
  });
  after(() => lab.stop());

  test('--dry-run shows the plan and changes nothing', async () => {
    const { status, stdout } = await lab.run('bootstrap-tls', ['--dry-run']);
    assert.equal(status, 0);
    assert.match(stdout, /there is no certificate yet: a new one would be requested/);
    assert.match(stdout, /\+ {4}ssl_certificate /);
    const left = await lab.proxy.sh('ls -d /var/lib/gatepost /etc/nginx/sites-*/ia* /var/www/certbot');
    assert.equal(left.stdout, '');
  });

  test('one run gives a bare proxy a certificate, a renewal hook and the full site', async () => {
    const { status, stdout } = await lab.run('bootstrap-tls');
    assert.equal(status === 0 || /✗ streaming/.test(stdout), true, stdout);
    const tokens = stdout.match(/\b[0-9a-f]{64}\b/g) ?? [];
    assert.equal(tokens.length, 1, 'the first client of the gate gets a token, shown once');
    assert.match(stdout, /✓ bearer gate opens/);
    assert.match(stdout, /✓ certificate /);
    assert.match(stdout, /192\.168\.1\.100: live \(release \S+\); checks: /);
    assert.equal((await served()).serialNumber, await issued(lab.proxy));
    assert.equal((await lab.proxy.sh(`stat -c '%a %U' ${HOOK}`)).stdout, '755 root\n');
    await assertHealthy(lab.proxy);
    await assertNoChallenge(lab.proxy);
  });

  test('a second run orders nothing and changes nothing', async () => {
    const serial = await issued(lab.proxy);
    const workers = await lab.proxy.sh('pgrep -P "$(cat /run/nginx.pid)"');
    const { status, host } = await bootstrap(lab);
    assert.equal(status, 0);
    assert.equal(host.outcome, 'unchanged');
    assert.ok(Number(host.facts.certificate_until?.slice(0, 4)) > 2000);
    assert.equal(await issued(lab.proxy), serial);
    assert.equal(await orders(lab.proxy), 1);
    assert.equal((await lab.proxy.sh('pgrep -P "$(cat /run/nginx.pid)"')).stdout, workers.stdout);
  });

  test('--force-renewal orders another certificate while the vhost keeps serving TLS', async () => {
    const before = await served();
    const stop = probe();
    const { status, host, stderr } = await bootstrap(lab, ['--force-renewal'], { env: WITH_TOKEN });
    const { requests, failed } = await stop();
    assert.equal(status, 0, stderr);
    assert.equal(host.outcome, 'applied');
    assert.deepEqual(failed, []);
    assert.ok(requests > 50, `${requests} requests`);
    assert.notEqual((await served()).serialNumber, before.serialNumber);
    assert.equal((await served()).serialNumber, await issued(lab.proxy));
    assert.equal(await orders(lab.proxy), 2);
  });

  test('restores a missing hook, and serves the certificate that nginx had not loaded', async () => {
    await lab.proxy.sh(`rm ${HOOK}; certbot renew --force-renewal --no-random-sleep-on-renew`);
    assert.notEqual((await served()).serialNumber, await issued(lab.proxy));
    const { status } = await bootstrap(lab);
    assert.equal(status, 0);
    assert.equal((await served()).serialNumber, await issued(lab.proxy));
    assert.equal((await lab.proxy.sh(`test -x ${HOOK}`)).status, 0);
  });

  test('warns if no timer starts certbot, with the command to run', async () => {
    await lab.proxy.sh(
      "mv /etc/cron.d/certbot /root/; sed -i 's/echo active ;;/echo inactive; exit 3 ;;/' /usr/local/bin/systemctl",
    );
    const { status, stdout } = await lab.run('bootstrap-tls', ['--no-verify']);
    assert.equal(status, 0);
    assert.match(stdout, /! certbot is not scheduled .*systemctl enable --now certbot\.timer/);
    await lab.proxy.sh('mv /root/certbot /etc/cron.d/');
    assert.doesNotMatch((await lab.run('bootstrap-tls', ['--no-verify'])).stdout, /certbot is not scheduled/);
  });

  test('restores a vhost whose certificate was lost, although nginx rejects its configuration', async () => {
    await lab.proxy.sh(
      `rm -r /etc/letsencrypt/live/${NAME} /etc/letsencrypt/archive/${NAME} /etc/letsencrypt/renewal/*`,
    );
    assert.notEqual((await lab.proxy.sh('nginx -t')).status, 0);
    const { status, stderr } = await bootstrap(lab, [], { env: WITH_TOKEN });
    assert.equal(status, 0, stderr);
    assert.equal((await served()).serialNumber, await issued(lab.proxy));
    await assertHealthy(lab.proxy);
  });

  test('--local: the same on the proxy itself, without SSH', async () => {
    assert.equal((await lab.run('remove', ['--yes'])).status, 0);
    await lab.proxy.sh(
      `cd /etc/letsencrypt && rm -r live/${NAME} archive/${NAME} renewal/${NAME}.conf; : >/var/log/sshd.log`,
    );
    const ca = '/usr/local/share/ca-certificates/gatepost-lab.crt';
    const env = {
      ...lab.env,
      ...WITH_TOKEN,
      IA_ENSO_PROXY_HOST: undefined,
      HOME: '/tmp',
      NODE_EXTRA_CA_CERTS: ca,
    };
    const set = Object.entries(env).flatMap(([name, value]) => (value ? [`'${name}=${value}'`] : []));
    const command = [process.execPath, ...typescript('scripts/bootstrap-tls.ts', ['--local', '--no-verify'])];
    const { status, stdout } = await lab.proxy.sh(`cd /tmp && env -i ${set.join(' ')} ${command.join(' ')}`);
    assert.equal(status, 0, stdout);
    assert.match(stdout, /localhost: live/);
    assert.equal((await served()).serialNumber, await issued(lab.proxy));
    assert.equal((await lab.proxy.sh('cat /var/log/sshd.log')).stdout, '');
  });

  test('--staging with ACME_DIRECTORY_URL or --self-signed is a usage error', async () => {
    const both = await lab.run('bootstrap-tls', ['--staging', '--self-signed']);
    assert.equal(both.status, 2);
    assert.match(both.stdout, /--staging: .*ACME_DIRECTORY_URL/);
    assert.match(both.stdout, /--staging and --self-signed/);
  });
});

/** Self-signed certificates, and the CA certificates that replace them. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { selfSignedProgram } from '../../../lib/program/certificate-programs.ts';
import { execute, installShims, runWithPlan, site } from '../../lab/actors/programs.ts';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';
import { bootstrap, issued, LIVE, NAME, served, WITH_TOKEN } from './bootstrap-lab.ts';
import { snapshot } from './other-certificates-lab.ts';

describe('bootstrap-tls --self-signed', () => {
  let lab: Lab;
  before(async () => {
    lab = await startLab({ certificate: 'none' });
    await lab.startAcme();
  });
  after(() => lab.stop());

  test('creates key and certificate on the proxy, deploys, and describes the certificate', async () => {
    const { status, host, stderr } = await bootstrap(lab, ['--self-signed'], { env: WITH_TOKEN });
    assert.notEqual(status, 1, stderr);
    assert.match(stderr, /self-signed, valid until \d{4}-\d\d-\d\d \(82[45] days\)/);
    const found = new Map(host.checks.map((check) => [check.name, check]));
    assert.equal(found.get('certificate')?.status, 'warned');
    assert.match(found.get('certificate')?.detail ?? '', /self-signed one generated on the proxy/);
    assert.equal(found.get('bearer gate opens')?.status, 'passed');
    assert.equal((await served()).serialNumber, await issued(lab.proxy));
  });

  test('passes every check on a machine that trusts it, and only there', async () => {
    const file = join(lab.directory, 'trust.pem');
    const { stdout: pem } = await lab.proxy.sh(`cat ${LIVE}/fullchain.pem`);
    await writeFile(file, pem);
    const trusting = await lab.run('verify', ['--json'], {
      env: { ...WITH_TOKEN, NODE_EXTRA_CA_CERTS: file },
    });
    assert.equal(trusting.status, 0, trusting.stdout);
    const other = await lab.run('verify', ['--json'], { env: WITH_TOKEN });
    assert.equal(other.status, 3);
    assert.match(other.stdout, /NODE_EXTRA_CA_CERTS/);
  });

  test("is P-256 with the name as subject alternative name, no CA, and its key is 0600 and root's", async () => {
    const { stdout } = await lab.proxy.sh(`openssl x509 -noout -text -in ${LIVE}/fullchain.pem`);
    assert.match(stdout, /NIST CURVE: P-256/);
    assert.match(stdout, new RegExp(`X509v3 Subject Alternative Name: \\s+DNS:${NAME}\\s`));
    assert.equal(stdout.match(/Basic Constraints/g)?.length, 1);
    assert.match(stdout, /CA:FALSE/);
    const mode = await lab.proxy.sh(`stat -c '%a %U:%G' ${LIVE}/privkey.pem`);
    assert.equal(mode.stdout, '600 root:root\n');
  });

  test('keeps the certificate on the next run; --force-renewal issues another with the same key', async () => {
    const serial = await issued(lab.proxy);
    const key = await lab.proxy.sh(`sha256sum ${LIVE}/privkey.pem`);
    assert.equal((await bootstrap(lab, ['--self-signed', '--no-verify'])).host.outcome, 'unchanged');
    assert.equal(await issued(lab.proxy), serial);
    assert.equal((await bootstrap(lab, ['--self-signed', '--force-renewal', '--no-verify'])).status, 0);
    assert.notEqual(await issued(lab.proxy), serial);
    assert.equal((await served()).serialNumber, await issued(lab.proxy));
    assert.equal((await lab.proxy.sh(`sha256sum ${LIVE}/privkey.pem`)).stdout, key.stdout);
  });

  describe('killed before any of its calls', () => {
    const key = `${LIVE}/privkey.pem`;
    const chain = `${LIVE}/fullchain.pem`;
    const own = `openssl req -x509 -newkey rsa:2048 -nodes -days 800 -subj /CN=${NAME} -addext subjectAltName=DNS:${NAME}`;
    const pair = `[ "$(openssl x509 -in ${chain} -noout -pubkey)" = "$(openssl pkey -in ${key} -pubout)" ]`;
    const host = (text: string) => lab.proxy.sh(`set -e; ${text}`);
    const program = () => selfSignedProgram(site, lab.proxy.address);
    before(async () => {
      await installShims(lab.proxy);
      const { stderr, status } = await host(
        `mkdir /root/old; ${own} -keyout /root/old/privkey.pem -out /root/old/fullchain.pem`,
      );
      assert.equal(status, 0, stderr);
    });
    after(() => host('rm /usr/local/sbin/*'));
    const place = (more = '') => host(`cp /root/old/* ${LIVE}; nginx -s reload; ${more}`);

    test('leaves a pair that nginx accepts, and keeps an RSA key', async () => {
      await place();
      const { result, calls } = await runWithPlan(lab.proxy, await program(), '');
      assert.equal(result.verdict, 'applied', result.stdout + result.stderr);
      assert.ok(calls.length > 8, calls.join('\n'));
      for (let n = 1; n <= calls.length; n++) {
        await place();
        await runWithPlan(lab.proxy, await program(), `${n} before KILL`);
        // openssl may outlive the program; it holds the lock.
        const left = await host(
          `flock /var/lib/gatepost/lock true; nginx -t; ${pair}; cmp ${key} /root/old/privkey.pem`,
        );
        assert.equal(left.status, 0, `${calls[n - 1]}: ${left.stderr}`);
      }
      const again = await execute(lab.proxy, await program());
      assert.equal(again.verdict, 'applied', again.stdout);
      assert.equal((await host(`find /etc/letsencrypt -name '.*'`)).stdout, '');
    });

    test('replaces a broken key when it runs again', async () => {
      const broken = `echo broken >${key}`;
      await place(broken);
      const { calls } = await runWithPlan(lab.proxy, await program(), '');
      const between = calls.findIndex((line) => / mv .*fullchain/.test(line)) + 1;
      assert.ok(between > 1, calls.join('\n'));
      await place(broken);
      await runWithPlan(lab.proxy, await program(), `${between} before KILL`);
      assert.notEqual((await host(pair)).status, 0);
      const repaired = await bootstrap(lab, ['--self-signed', '--no-verify'], { env: WITH_TOKEN });
      assert.equal(repaired.status, 0, repaired.stderr);
      assert.match(repaired.stderr, /the private key does not match the certificate: requesting a new one/);
      assert.equal((await host(`nginx -t; ${pair}`)).status, 0);
    });
  });

  test('is replaced by a CA certificate without manual steps, which is then kept', async () => {
    const { status, stderr } = await bootstrap(lab, ['--no-verify'], { env: WITH_TOKEN });
    assert.equal(status, 0, stderr);
    assert.match(String((await served()).issuer.CN), /Pebble/);
    const again = await bootstrap(lab, ['--self-signed', '--force-renewal']);
    assert.equal(again.status, 1);
    assert.equal(again.host.failure?.code, 'managed');
    assert.match(String((await served()).issuer.CN), /Pebble/);
  });

  test('an appliance without a name gets a certificate for its address, in its own folder', async () => {
    await lab.proxy.sh('rm -f /etc/nginx/sites-enabled/default');
    const args = ['--site', 'nexus', '--self-signed', '--no-verify'];
    const env = { NEXUS_PROXY_HOST: lab.proxy.address, NEXUS_PROXY_USER: 'ncantu' };
    const { status, stderr } = await bootstrap(lab, args, { env });
    assert.equal(status, 0, stderr);
    const text = await lab.proxy.sh(
      'openssl x509 -noout -text -in /etc/nexus/tls.crt; stat -c %a /etc/nexus/tls.key',
    );
    assert.match(text.stdout, new RegExp(`IP Address:${lab.proxy.address}\\s`));
    assert.match(text.stdout, /^600$/m);
    assert.equal((await bootstrap(lab, args, { env })).host.outcome, 'unchanged');
  });

  describe('an appliance with a public address for its name', () => {
    const ADDRESS = '203.0.113.100';
    const order = () =>
      bootstrap(lab, ['--site', 'nexus', '--no-verify'], {
        env: { NEXUS_PROXY_HOST: lab.proxy.address, NEXUS_PROXY_USER: 'ncantu', NEXUS_SERVER_NAME: ADDRESS },
      });
    const state = async () =>
      (await snapshot(lab.proxy)) + (await host('find /etc/nginx -type f | sort | xargs sha256sum')).stdout;
    const host = (text: string) => lab.proxy.sh(`set -e; ${text}`);

    test('is refused before any change if certbot is too old for addresses', async () => {
      const before = await state();
      const { status, host, stderr } = await order();
      assert.deepEqual([status, host.outcome, host.failure?.code], [1, 'refused', 'certbot-old'], stderr);
      assert.match(host.failure?.text ?? '', /\/usr\/bin\/certbot, is version \d+\.\d+/);
      assert.match(host.failure?.next ?? '', /certbot 5\.4 or newer.*--self-signed/s);
      assert.equal(await state(), before);
    });

    // Debian's certbot with a newer version number: it exits at options that it does not know.
    test('is ordered with --ip-address, after the pre-check, if certbot is new enough', async () => {
      await host(`cat >/usr/local/bin/certbot <<'END'
#!/bin/sh
[ "$1" != --version ] || { echo certbot 5.4.0; exit; }
echo "$*" >/root/asked
exec /usr/bin/certbot "$@"
END
chmod 755 /usr/local/bin/certbot`);
      const result = await order();
      const requests = await host('cat /root/asked; rm /usr/local/bin/certbot /root/asked');
      assert.equal(result.host.failure?.code, 'acme-flags', result.stderr);
      assert.match(result.stderr, /pre-check the challenge/);
      assert.match(
        requests.stdout,
        /^certonly .*--webroot-path \/var\/www\/certbot --cert-name 203\.0\.113\.100 --ip-address 203\.0\.113\.100 --preferred-profile shortlived /,
      );
      assert.doesNotMatch(requests.stdout, /--domain/);
    });
  });
});

/** An order and a self-signed certificate change neither other sites' certificates nor the other names in ours. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, describe, test } from 'node:test';
import { retry } from 'zx';
import { startOddPebble } from '../../lab/certificates/odd-ca.ts';
import { sampled } from '../../lab/faults/sample.ts';
import { finished, type Lab, startLab } from '../../lab/namespaces/lab.ts';
import { CA_NAME } from '../../lab/namespaces/network.ts';
import { bootstrap, issued, LIVE, NAME, orders, served, WITH_TOKEN } from './bootstrap-lab.ts';
import { furnishOthers, makeLineage, namesOf, snapshot, WILDCARD } from './other-certificates-lab.ts';

const SECOND = 'nexus.gatepost.test';
const BOTH = [NAME, SECOND].sort();
const CONF = `/etc/letsencrypt/renewal/${NAME}.conf`;
const AWAY = { ...WITH_TOKEN, ACME_DIRECTORY_URL: `https://${CA_NAME}:9/dir` };
const FORCE = ['--force-renewal', '--no-verify'];

describe('a lineage that names other sites, too', () => {
  let lab: Lab;
  let directory = '';
  before(async () => {
    lab = await startLab({ certificate: 'none', backends: false });
    await lab.startAcme();
    directory = lab.env.ACME_DIRECTORY_URL ?? '';
    await furnishOthers(lab.proxy);
    await makeLineage(lab.proxy, WILDCARD, 'DNS:*.wildcard.test', 'authenticator = dns-cloudflare');
    const got = await lab.proxy.sh(
      `certbot certonly -n --webroot -w /var/www/html -d ${SECOND} -d ${NAME} --cert-name ${NAME} --key-type rsa --deploy-hook 'touch /root/deployed' --agree-tos --register-unsafely-without-email --server ${directory}`,
    );
    assert.equal(got.status, 0, got.stderr);
    const first = await bootstrap(lab, ['--no-verify'], { env: WITH_TOKEN });
    assert.equal(first.status, 0, first.stderr);
  });
  after(() => lab.stop());

  /** Asserts that a run fails and changes nothing below /etc/letsencrypt. */
  async function assertAllUnchanged(code: string, words: RegExp, env: Record<string, string> = WITH_TOKEN) {
    const before = await snapshot(lab.proxy);
    const { serialNumber } = await served();
    const { status, host, stderr } = await bootstrap(lab, FORCE, { env });
    assert.equal(status, 1, stderr);
    assert.equal(host.failure?.code, code, JSON.stringify(host.failure));
    assert.match(`${host.failure?.text} ${host.failure?.means} ${host.failure?.next}`, words);
    assert.equal(await snapshot(lab.proxy), before);
    assert.equal((await served()).serialNumber, serialNumber);
  }

  test('--force-renewal orders all names, each by its own webroot, and keeps key type and hook', async () => {
    const before = await snapshot(lab.proxy, 'others');
    const had = await orders(lab.proxy);
    await lab.proxy.sh('rm -f /root/deployed');
    const { status, stderr } = await bootstrap(lab, FORCE, { env: WITH_TOKEN });
    assert.equal(status, 0, stderr);
    assert.deepEqual(await namesOf(lab.proxy), BOTH);
    assert.equal(await orders(lab.proxy), had + 1);
    assert.equal((await served()).serialNumber, await issued(lab.proxy));
    assert.equal(await snapshot(lab.proxy, 'others'), before);
    const conf = await lab.proxy.sh(
      `cat ${CONF}; openssl pkey -in ${LIVE}/privkey.pem -noout -text | head -n 1; ls /root/deployed`,
    );
    assert.match(conf.stdout, new RegExp(`^${SECOND} = /var/www/html$`, 'm'));
    assert.match(conf.stdout, new RegExp(`^${NAME} = /var/www/certbot$`, 'm'));
    assert.match(conf.stdout, /^renew_hook = touch \/root\/deployed$/m);
    assert.match(conf.stdout, /2048 bit/);
    assert.match(conf.stdout, /^\/root\/deployed$/m);
    const renewed = await lab.proxy.sh(
      `certbot renew --cert-name ${NAME} --force-renewal --no-random-sleep-on-renew`,
    );
    assert.equal(renewed.status, 0, renewed.stderr);
    assert.deepEqual(await namesOf(lab.proxy), BOTH);
    // The hook of a renewal does not wait for the reload that it starts.
    const renewal = await issued(lab.proxy);
    await retry(50, '100ms', async () => assert.equal((await served()).serialNumber, renewal));
  });

  test('the CA is unreachable', () => assertAllUnchanged('acme-unreachable', /cannot reach the CA/, AWAY));

  test('the CA does not validate the second name', async () => {
    const names = await readFile('/etc/hosts', 'utf8');
    const hosts = `${names.replaceAll(` ${SECOND}`, '')}203.0.113.10 ${SECOND}\n`;
    const ca = await startOddPebble({ hosts });
    const words = new RegExp(`did not validate ${SECOND}.*certbot renew --cert-name`, 's');
    await assertAllUnchanged('lineage-name', words, { ...WITH_TOKEN, ACME_DIRECTORY_URL: ca.url }).finally(
      ca.stop,
    );
  });

  test('orders nothing for a lineage of the nginx plugin unless our webroot serves the second name', async () => {
    await lab.proxy.sh(
      `sed -i 's/^authenticator.*/authenticator = nginx\\npre_hook = nginx -s stop/; /^\\[\\[webroot_map/,$d; /^webroot_path/d' ${CONF}`,
    );
    await assertAllUnchanged('lineage-name', new RegExp(`also covers ${SECOND}.*answers 404`, 's'));
    await lab.proxy.sh(
      `sed -i 's|^\\s*location / {|location /.well-known/acme-challenge/ { root /var/www/certbot; }\\n&|' /etc/nginx/sites-available/default && nginx -s reload && sleep 0.5`,
    );
    const { status, stderr } = await bootstrap(lab, FORCE, { env: WITH_TOKEN });
    assert.equal(status, 0, stderr);
    assert.deepEqual(await namesOf(lab.proxy), BOTH);
  });

  test('refuses names that no webroot can prove before anything changes, in every notation', async () => {
    const away = ['live', 'archive', 'renewal'].map(
      (folder) => `mv /etc/letsencrypt/${folder}/${NAME}* /root/${folder}`,
    );
    await lab.proxy.sh(`mkdir /root/live /root/archive /root/renewal; ${away.join('; ')}`);
    const names = `DNS:${NAME.toUpperCase()},DNS:${NAME},DNS:${SECOND},DNS:*.Example.test,IP:192.0.2.7`;
    await makeLineage(lab.proxy, NAME, names, 'authenticator = dns-cloudflare');
    await assertAllUnchanged(
      'lineage-names',
      /also names \*\.example\.test, 192\.0\.2\.7.*certbot renew --cert-name/s,
    );
    const { stdout } = await lab.run('bootstrap-tls', ['--dry-run', '--force-renewal'], { env: WITH_TOKEN });
    assert.match(stdout, /\*\.example\.test/);
    await lab.proxy.sh(`cd /etc/letsencrypt; rm -r live/${NAME} archive/${NAME} renewal/${NAME}.conf
      for d in live archive renewal; do mv /root/$d/* $d; done`);
  });

  test('refuses a certificate whose names cannot be read', async () => {
    await lab.proxy.sh(
      `cp -a /etc/letsencrypt/archive/${NAME} /root/kept; for f in /etc/letsencrypt/archive/${NAME}/*; do echo broken >$f; done`,
    );
    const before = await snapshot(lab.proxy);
    const { status, host } = await bootstrap(lab, FORCE, { env: WITH_TOKEN });
    assert.deepEqual([status, host.failure?.code], [1, 'lineage-names'], host.failure?.text);
    assert.equal(await snapshot(lab.proxy), before);
    await lab.proxy.sh(`cp -a /root/kept/* /etc/letsencrypt/archive/${NAME}/`);
  });

  test('treats uppercase and duplicates as one name and keeps it', async () => {
    await lab.proxy.sh(`cd /etc/letsencrypt; rm -r live/${NAME} archive/${NAME} renewal/${NAME}.conf`);
    await makeLineage(
      lab.proxy,
      NAME,
      `DNS:${NAME.toUpperCase()},DNS:${SECOND.toUpperCase()},DNS:${SECOND}`,
      '',
    );
    const { status, stderr } = await bootstrap(lab, FORCE, { env: WITH_TOKEN });
    assert.equal(status, 0, stderr);
    assert.deepEqual(await namesOf(lab.proxy), BOTH);
  });
});

describe('a certificate of another lineage at our path', () => {
  let lab: Lab;
  before(async () => {
    lab = await startLab({ certificate: 'none', backends: false });
    await lab.startAcme();
    await furnishOthers(lab.proxy);
    await makeLineage(
      lab.proxy,
      WILDCARD,
      `DNS:*.enso.4nkweb.com,DNS:${WILDCARD}`,
      'authenticator = dns-cloudflare',
    );
  });
  afterEach(() => lab.proxy.sh(CLEAR));
  after(() => lab.stop());

  /** Asserts that a run is refused, with nothing changed below /etc/letsencrypt and /etc/nginx; returns the advice. */
  async function refused(...args: readonly string[]): Promise<string> {
    const before = await snapshot(lab.proxy);
    const nginx = await lab.proxy.sh('find /etc/nginx -type f | sort | xargs sha256sum');
    const { status, host, stderr } = await bootstrap(lab, [...args, '--no-verify'], { env: WITH_TOKEN });
    assert.deepEqual([status, host.outcome, host.failure?.code], [1, 'refused', 'linked'], stderr);
    assert.equal(await snapshot(lab.proxy), before);
    assert.equal(
      (await lab.proxy.sh('find /etc/nginx -type f | sort | xargs sha256sum')).stdout,
      nginx.stdout,
    );
    return host.failure?.next ?? '';
  }

  const LINK = `ln -s ${WILDCARD} ${LIVE}`;
  const FILES = `mkdir ${LIVE}; for p in cert chain fullchain privkey; do ln -s ../../archive/${WILDCARD}/"$p"1.pem ${LIVE}/$p.pem; done`;
  const ARCHIVE = `mkdir ${LIVE}; ln -s ${WILDCARD} /etc/letsencrypt/archive/${NAME}; for p in cert chain fullchain privkey; do ln -s ../../archive/${NAME}/"$p"1.pem ${LIVE}/$p.pem; done`;
  const CONFIGURED = `${FILES}; sed 's|live/${WILDCARD}/|live/${NAME}/|' /etc/letsencrypt/renewal/${WILDCARD}.conf >${CONF}`;
  const BORROWED = `cp -RL /etc/letsencrypt/live/${WILDCARD} ${LIVE}; ln -s ${WILDCARD}.conf ${CONF}`;
  const CLEAR = `cd /etc/letsencrypt && rm -rf live/${NAME}* archive/${NAME}* renewal/${NAME}.*`;

  const STATES = { LINK, FILES, ARCHIVE, CONFIGURED, BORROWED };
  for (const [state, make] of Object.entries(STATES))
    test(`${state}: neither an order nor a self-signed certificate is written through it`, async () => {
      assert.equal((await lab.proxy.sh(make)).status, 0);
      for (const variant of [['--force-renewal'], ['--self-signed', '--force-renewal']])
        assert.match(await refused(...variant), /on the proxy, as root: `cd \/etc\/letsencrypt/i);
    });

  test('refuses a dangling link, whatever the flags', async () => {
    await lab.proxy.sh(`ln -s gone.test ${LIVE}`);
    await refused();
    await refused('--self-signed');
  });

  for (const [state, make] of sampled(Object.entries(STATES), 2))
    test(`${state}: the advised command gives the site its own certificate, and the other one stays`, async () => {
      await lab.proxy.sh(make);
      const good = await bootstrap(lab, ['--no-verify'], { env: WITH_TOKEN });
      assert.equal(good.status, 0, good.stderr);
      const before = await snapshot(lab.proxy, 'others');
      const [, command = ''] = /as root: `([^`]+)`/.exec(await refused('--force-renewal')) ?? [];
      const done = await lab.proxy.sh(command);
      assert.equal(done.status, 0, `${command}: ${done.stderr}`);
      assert.equal((await lab.proxy.sh('nginx -t')).status, 0);
      const { status, stderr } = await bootstrap(lab, FORCE, { env: WITH_TOKEN });
      assert.equal(status, 0, stderr);
      assert.deepEqual(await namesOf(lab.proxy), [NAME]);
      assert.equal((await served()).serialNumber, await issued(lab.proxy));
      const others = (await snapshot(lab.proxy, 'others')).replaceAll(/^.*\.before.*\n/gm, '');
      assert.equal(others, before);
    });

  test('uses a valid certificate of another lineage, and reports that it is renewed under its own name', async () => {
    await lab.proxy.sh(LINK);
    const { status, stderr } = await bootstrap(lab, ['--no-verify'], { env: WITH_TOKEN });
    assert.equal(status, 0, stderr);
    assert.match(stderr, /no new one is requested/);
    assert.doesNotMatch(stderr, /certbot does not know|--force-renewal/);
  });

  test('refuses symbolic links as self-signed certificate files, and keeps their modes', async () => {
    await lab.proxy.sh(
      `rm -f /etc/nginx/sites-enabled/*; mkdir /etc/nexus; for f in tls.crt:fullchain tls.key:privkey; do ln -s /etc/letsencrypt/live/${WILDCARD}/\${f#*:}.pem /etc/nexus/\${f%:*}; done`,
    );
    const before = await snapshot(lab.proxy);
    const env = { NEXUS_PROXY_HOST: lab.proxy.address, NEXUS_PROXY_USER: 'ncantu' };
    const args = ['--site', 'nexus', '--self-signed', '--no-verify'];
    const { status, host } = await bootstrap(lab, args, { env });
    assert.deepEqual([status, host.outcome, host.failure?.code], [1, 'refused', 'linked']);
    assert.equal(await snapshot(lab.proxy), before);
    const [, command = ''] = /as root: `([^`]+)`/.exec(host.failure?.next ?? '') ?? [];
    assert.equal((await lab.proxy.sh(command)).status, 0, command);
    const again = await bootstrap(lab, args, { env });
    assert.equal(again.status, 0, again.stderr);
    assert.equal(await snapshot(lab.proxy), before);
  });
});

describe('a certificate that certbot does not manage', () => {
  let lab: Lab;
  let untouched: string;
  before(async () => {
    lab = await startLab({ backends: false });
    await lab.startAcme();
    const deployed = await lab.run('deploy', ['--no-verify'], { env: WITH_TOKEN });
    assert.equal(deployed.status, 0, deployed.stdout);
    await furnishOthers(lab.proxy);
    // Deliberately unusual: a custom mode, and files of an earlier certbot in the archive.
    await lab.proxy.sh(
      `chmod 640 ${LIVE}/privkey.pem; mkdir -p /etc/letsencrypt/archive/${NAME} && echo old >/etc/letsencrypt/archive/${NAME}/privkey1.pem`,
    );
    assert.equal((await bootstrap(lab, FORCE, { env: AWAY })).status, 1);
    untouched = await snapshot(lab.proxy);
  });
  after(() => lab.stop());

  /** Starts an order, waits until certbot is running, kills the process that `pidCommand` prints; returns the exit status. */
  async function exitStatusWhenKilled(pidCommand: string): Promise<number | null> {
    const run = finished(lab.spawn('bootstrap-tls', FORCE, { env: WITH_TOKEN }));
    const certbot = 'pgrep -f "^/usr/bin/python3 .*certbot"';
    const { stdout, status } = await lab.proxy.sh(
      `for i in $(seq 100); do ${certbot} && break; sleep 0.1; done; ls ${CONF}; kill -9 $(${pidCommand})`,
    );
    assert.equal(status, 0);
    assert.match(stdout, /\.conf$/m, 'it was adopted');
    return (await run).status;
  }

  test('is unchanged, including its mode, if the CA is unreachable', async () => {
    assert.equal((await lab.proxy.sh(`stat -c '%F %a' ${LIVE}/privkey.pem`)).stdout, 'regular file 640\n');
    assert.equal((await bootstrap(lab, FORCE, { env: AWAY })).status, 1);
    assert.equal(await snapshot(lab.proxy), untouched);
  });

  test('is unchanged if certbot is killed', async () => {
    assert.equal(await exitStatusWhenKilled('pgrep -f "^/usr/bin/python3 .*certbot"'), 1);
    assert.equal(await snapshot(lab.proxy), untouched);
  });

  test('is restored by the next run if the program is killed while certbot runs', async () => {
    const program = "sed 's/.*process \\([0-9]*\\)).*/\\1/' /var/lib/gatepost/lock";
    assert.equal(
      await exitStatusWhenKilled(
        `p=$(${program}); echo $p; pgrep -P "$p"; pgrep -f "^/usr/bin/python3 .*certbot"`,
      ),
      1,
    );
    assert.equal((await lab.proxy.sh('nginx -t')).status, 0);
    assert.equal((await bootstrap(lab, FORCE, { env: AWAY })).status, 1);
    assert.equal(await snapshot(lab.proxy), untouched);
  });

  test('stays in place after a failed order, even if its key is lost', async () => {
    await lab.proxy.sh(`mv ${LIVE}/privkey.pem /root/`);
    const lost = await snapshot(lab.proxy);
    assert.equal((await bootstrap(lab, FORCE, { env: AWAY })).status, 1);
    assert.equal(await snapshot(lab.proxy), lost);
    await lab.proxy.sh(`mv /root/privkey.pem ${LIVE}/`);
  });

  test('is not replaced if certbot stores another certificate in that archive', async () => {
    await makeLineage(lab.proxy, WILDCARD, `DNS:${WILDCARD}`, '');
    await lab.proxy.sh(`cd /etc/letsencrypt; mv archive/${NAME} /root/archive; mv archive/${WILDCARD} archive/${NAME}
      sed -i 's|archive/${WILDCARD}|archive/${NAME}|' renewal/${WILDCARD}.conf; certbot update_symlinks`);
    const taken = await snapshot(lab.proxy);
    const { status, host } = await bootstrap(lab, FORCE, { env: WITH_TOKEN });
    assert.deepEqual([status, host.failure?.code], [1, 'linked']);
    assert.equal(await snapshot(lab.proxy), taken);
    const [, command = ''] = /as root: `([^`]+)`/.exec(host.failure?.next ?? '') ?? [];
    const moved = await lab.proxy.sh(`${command} && certbot certificates --cert-name ${WILDCARD}`);
    assert.equal(moved.status, 0, moved.stderr);
    assert.match(moved.stdout, /VALID: 8\d days/);
    await lab.proxy.sh(`mv /root/archive /etc/letsencrypt/archive/${NAME}`);
  });

  test('keeps its other names in a new order', async () => {
    await makeLineage(lab.proxy, 'by-hand', `DNS:${NAME},DNS:${SECOND}`, '');
    await lab.proxy.sh(`cd /etc/letsencrypt; for p in cert chain fullchain privkey; do cat archive/by-hand/"$p"1.pem >live/${NAME}/$p.pem; done
      rm -r archive/by-hand live/by-hand renewal/by-hand.conf; nginx -s reload; sleep 0.3`);
    const placed = await snapshot(lab.proxy);
    const { status, host } = await bootstrap(lab, FORCE, { env: WITH_TOKEN });
    assert.deepEqual([status, host.failure?.code], [1, 'lineage-name'], host.failure?.text);
    assert.equal(await snapshot(lab.proxy), placed);
    await lab.proxy.sh(
      `sed -i 's|^\\s*location / {|location /.well-known/acme-challenge/ { root /var/www/certbot; }\\n&|' /etc/nginx/sites-available/default && nginx -s reload && sleep 0.5`,
    );
    const signed = await bootstrap(lab, ['--self-signed', ...FORCE], { env: WITH_TOKEN });
    assert.deepEqual([signed.status, signed.host.failure?.code], [1, 'lineage-names']);
    assert.equal(await snapshot(lab.proxy), placed);
    const again = await bootstrap(lab, FORCE, { env: WITH_TOKEN });
    assert.equal(again.status, 0, again.stderr);
    assert.deepEqual(await namesOf(lab.proxy), BOTH);
    assert.equal((await lab.proxy.sh("find /etc/letsencrypt -name '.*gatepost*'")).stdout, '');
    assert.equal((await lab.proxy.sh(`cat /etc/letsencrypt/archive/${NAME}/privkey1.pem`)).stdout, 'old\n');
  });
});

/** certbot installed by snap, pip and virtual environments, with several accounts, and other ACME clients. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';
import { assertFails, bootstrap, issued, LIVE, NAME, served, WITH_TOKEN } from './bootstrap-lab.ts';
import { makeLineage, snapshot } from './other-certificates-lab.ts';

const part = (name: string): string =>
  readFileSync(new URL(`../../../lib/program/sh/${name}.sh`, import.meta.url), 'utf8');
const PARTS = `set -u; LETSENCRYPT=/etc/letsencrypt CHAIN=${LIVE}/fullchain.pem\n${part('lineage')}\n${part('certbot')}\n`;
const OFF = '/usr/local/bin/systemctl.off';

describe('certbot in the wild', () => {
  let lab: Lab;
  before(async () => {
    lab = await startLab({ certificate: 'none', backends: false });
    await lab.startAcme();
    // Affects only this host's mounts, not the machine.
    const hidden = await lab.proxy.sh(
      'cp /usr/bin/certbot /root/real; touch /root/nothing && mount --bind /root/nothing /usr/bin/certbot; rm /etc/cron.d/certbot',
    );
    assert.equal(hidden.status, 0, hidden.stderr);
  });
  after(() => lab.stop());

  /** The output of the program's shell functions on the proxy. */
  async function runOnProxy(commands: string): Promise<string> {
    const { stdout, stderr } = await lab.proxy.sh('exec /bin/sh -s', { input: `${PARTS}${commands}\n` });
    assert.equal(stderr, '');
    return stdout.trim();
  }

  /** Installs the real certbot at a path while `use` runs. */
  async function withCertbotAt<T>(path: string, use: () => Promise<T>): Promise<T> {
    await lab.proxy.sh(`mkdir -p ${path.replace(/\/certbot$/, '')} && cp /root/real ${path}`);
    return use().finally(() => lab.proxy.sh(`rm -f ${path}`));
  }

  test('finds it where pip and virtual environments install it, and where timers and cron lines name it', async () => {
    const found = 'find_certbot || :; echo "$CERTBOT $UNTRUSTED"';
    assert.equal(await runOnProxy(found), '');
    for (const path of ['/usr/local/bin/certbot', '/opt/certbot/bin/certbot', '/root/.local/bin/certbot'])
      assert.equal(await withCertbotAt(path, () => runOnProxy(found)), path);
    await lab.proxy.sh("echo '0 3 * * * root /root/venv-1.2/bin/certbot renew -q' >/etc/cron.d/renew");
    assert.equal(
      await withCertbotAt('/root/venv-1.2/bin/certbot', () => runOnProxy(found)),
      '/root/venv-1.2/bin/certbot',
    );
    await lab.proxy.sh(
      "rm /etc/cron.d/renew; printf '[Service]\\nExecStart=/usr/local/certs/certbot -q renew\\n' >/etc/systemd/system/certs.service",
    );
    assert.equal(
      await withCertbotAt('/usr/local/certs/certbot', () => runOnProxy(found)),
      '/usr/local/certs/certbot',
    );
    await lab.proxy.sh('rm /etc/systemd/system/certs.service');
  });

  test('finds it in /snap/bin, which sudo leaves out of the PATH', async () => {
    const snap = `mkdir -p /snap && mount -t tmpfs snap /snap && mkdir /snap/bin && cp /root/real /snap/bin/certbot`;
    assert.equal((await lab.proxy.sh(snap)).status, 0);
    const { status, stdout } = await lab.run('bootstrap-tls', ['--dry-run', '--json'], { env: WITH_TOKEN });
    await lab.proxy.sh('umount /snap; rmdir /snap');
    assert.equal(status, 0, stdout);
    assert.equal(JSON.parse(stdout).hosts[0].facts.certbot, '/snap/bin/certbot');
  });

  test("root does not run another user's certbot, and the login user's only if sudo grants a root shell", async () => {
    const path = '/home/ncantu/.local/bin/certbot';
    await withCertbotAt(path, async () => {
      await lab.proxy.sh(`chown -R ncantu: /home/ncantu/.local`);
      const found = 'find_certbot || :; echo "run:$CERTBOT not:$UNTRUSTED"';
      const runAs = (command: string) =>
        runOnProxy(`SUDO_USER=ncantu SUDO_UID=$(id -u ncantu) SUDO_COMMAND='${command}'; ${found}`);
      assert.equal(await runAs('/bin/sh -s'), `run:${path} not:`);
      assert.equal(await runAs('/usr/local/sbin/gatepost-run'), `run: not:${path}`);
    });
  });

  test('recognizes timers and cron lines that schedule renewals', async () => {
    const inactive = `sed 's/echo active ;;/echo inactive; exit 3 ;;/' /usr/local/bin/systemctl >${OFF}; chmod 755 ${OFF}; mv ${OFF} /usr/local/bin/systemctl`;
    await lab.proxy.sh(`cp /usr/local/bin/systemctl /root/systemctl; ${inactive}`);
    const schedule = async (name: string, file: string, line: string) => {
      await lab.proxy.sh(`mkdir -p "$(dirname ${file})" && cat >${file}`, { input: `${line}\n` });
      return runOnProxy(`schedule ${name}`).finally(() => lab.proxy.sh(`rm ${file}`));
    };
    assert.equal(await runOnProxy('schedule certbot'), 'off');
    const daily = '/etc/cron.daily/certificates';
    const table = '/var/spool/cron/crontabs/root';
    for (const [name, file, line, expected] of [
      ['certbot', '/etc/cron.d/x', '1 1 * * * root /opt/certbot/bin/certbot renew -q', 'cron'],
      ['certbot', table, '1 1 * * * certbot -q renew', 'cron'],
      ['certbot', daily, '#!/bin/sh\n/root/.local/bin/certbot renew', 'cron'],
      ['certbot', daily, '#!/bin/sh\n# certbot renew', 'off'],
      ['certbot', '/etc/cron.d/x', '1 1 * * * root /usr/bin/certbot certificates', 'off'],
      [
        'acme.sh',
        table,
        '5 0 * * * "/root/.acme.sh"/acme.sh --cron --home "/root/.acme.sh" >/dev/null',
        'cron',
      ],
      ['lego', table, '5 0 * * * /usr/local/bin/lego --email a@b --domains x --http renew', 'cron'],
      ['lego', table, '5 0 * * * /usr/bin/certbot renew', 'off'],
    ] as const)
      assert.equal(await schedule(name, file, line), expected, line);
    const active = (unit: string) =>
      `printf '#!/bin/sh\\n[ "$2" = ${unit}.timer ] && echo active\\n' >/usr/local/bin/systemctl`;
    for (const unit of ['certbot', 'certbot-renew', 'snap.certbot.renew']) {
      await lab.proxy.sh(active(unit));
      assert.equal(await runOnProxy('schedule certbot; schedule lego'), 'timer\noff');
    }
    await lab.proxy.sh(active('tls-renewal'));
    const service = '[Service]\nExecStart=/opt/certbot/bin/certbot renew';
    assert.equal(await schedule('certbot', '/etc/systemd/system/tls-renewal.service', service), 'timer');
    await lab.proxy.sh('cp /root/systemctl /usr/local/bin/systemctl');
  });

  test('orders with the certbot of a virtual environment, and names the line that would schedule it', async () => {
    await lab.proxy.sh(
      "printf '#!/bin/sh\\necho inactive\\n' >/usr/local/bin/systemctl; mkdir -p /opt/certbot/bin; cp /root/real /opt/certbot/bin/certbot",
    );
    const { status, stderr, host } = await bootstrap(lab, ['--no-verify'], { env: WITH_TOKEN });
    await lab.proxy.sh('cp /root/systemctl /usr/local/bin/systemctl');
    assert.equal(status, 0, stderr);
    assert.equal(host.facts.certbot, '/opt/certbot/bin/certbot');
    assert.equal((await served()).serialNumber, await issued(lab.proxy));
    assert.match(stderr, /root \/opt\/certbot\/bin\/certbot renew -q' >\/etc\/cron\.d\/certbot/);
  });

  test('two accounts: an order keeps the one of the certificate; a first order reports how to choose', async () => {
    const second = await lab.proxy.sh(`cd /etc/letsencrypt/accounts/*/dir && mv * /root/first &&
      /opt/certbot/bin/certbot register -n --agree-tos --register-unsafely-without-email --server ${lab.env.ACME_DIRECTORY_URL} &&
      cp -a /root/first ./$(grep -o '[0-9a-f]*$' /root/first/regr.json | head -n 1 || :)`);
    assert.notEqual(second.status, 127, second.stderr);
    await lab.proxy.sh(
      `cd /etc/letsencrypt/accounts/*/dir; rm -rf ./first; [ -d "$(sed -n 's/^account = //p' /etc/letsencrypt/renewal/${NAME}.conf)" ] || cp -a /root/first "$(sed -n 's/^account = //p' /etc/letsencrypt/renewal/${NAME}.conf)"`,
    );
    const accounts = 'find /etc/letsencrypt/accounts -type f | sort | xargs sha256sum';
    const before = (await lab.proxy.sh(accounts)).stdout;
    assert.equal((await lab.proxy.sh('ls /etc/letsencrypt/accounts/*/dir | wc -l')).stdout.trim(), '2');
    const kept = await bootstrap(lab, ['--force-renewal', '--no-verify'], { env: WITH_TOKEN });
    assert.equal(kept.status, 0, kept.stderr);
    assert.equal((await lab.proxy.sh(accounts)).stdout, before);
    await lab.proxy.sh(`cd /etc/letsencrypt && rm -r live/${NAME} archive/${NAME} renewal/${NAME}.conf`);
    const text = await assertFails(lab, 'acme-account-choice', /cli\.ini/);
    assert.match(text, /choose an account/i);
    assert.equal((await lab.proxy.sh(accounts)).stdout, before);
  });

  test('settings of certbot that contradict an order have their own rows', async () => {
    await lab.proxy.sh(
      'id=$(ls /etc/letsencrypt/accounts/*/dir | head -n 1); printf "account = %s\\nstandalone = true\\n" "$id" >/etc/letsencrypt/cli.ini',
    );
    await assertFails(lab, 'acme-flags', /cli\.ini/);
    await lab.proxy.sh("sed -i '/standalone/d' /etc/letsencrypt/cli.ini");
    const { status, stderr } = await bootstrap(lab, ['--no-verify'], { env: WITH_TOKEN });
    assert.equal(status, 0, stderr);
  });

  test('leaves a certificate of acme.sh or lego to that client: not replaced, judged by its own schedule and reload', async () => {
    const folder = `/root/.acme.sh/${NAME}_ecc`;
    await lab.proxy.sh(
      `mkdir -p ${folder} /root/own; cp -L ${LIVE}/*.pem /root/own; cd /etc/letsencrypt; rm -r live/${NAME} archive/${NAME} renewal/${NAME}.conf
      mkdir live/${NAME}; cp /root/own/* live/${NAME}; cp /root/own/fullchain.pem ${folder}/fullchain.cer
      echo "Le_ReloadCmd='systemctl reload nginx'" >${folder}/${NAME}.conf`,
    );
    const serial = await issued(lab.proxy);
    const refused = await bootstrap(lab, ['--force-renewal', '--no-verify'], { env: WITH_TOKEN });
    assert.deepEqual([refused.status, refused.host.failure?.code], [1, 'managed'], refused.stderr);
    assert.match(refused.host.failure?.next ?? '', /acme\.sh --renew --force -d .* --ecc/);
    const kept = await bootstrap(lab, ['--no-verify'], { env: WITH_TOKEN });
    assert.equal(kept.status, 0, kept.stderr);
    assert.deepEqual(
      [kept.host.facts.renewed_by, kept.host.facts.schedule, kept.host.facts.hook],
      ['acme.sh', 'off', 'yes'],
    );
    assert.match(kept.stderr, /acme\.sh --install-cronjob/);
    await lab.proxy.sh(
      `mkdir -p /root/.lego/certificates; mv ${folder}/fullchain.cer /root/.lego/certificates/${NAME}.crt`,
    );
    const lego = await bootstrap(lab, ['--self-signed', '--force-renewal', '--no-verify'], {
      env: WITH_TOKEN,
    });
    assert.deepEqual([lego.status, lego.host.failure?.code], [1, 'managed'], lego.stderr);
    assert.equal(await issued(lab.proxy), serial);
  });

  test('a wildcard that covers the name is offered, and used if the operator agrees: nothing is ordered', async () => {
    const wildcard = 'enso.4nkweb.com';
    await lab.proxy.sh(`rm -r /root/.lego /root/.acme.sh ${LIVE}`);
    await makeLineage(lab.proxy, wildcard, 'DNS:*.enso.4nkweb.com', 'authenticator = dns-cloudflare');
    const before = await snapshot(lab.proxy, 'others');
    const offered = await lab.run('bootstrap-tls', ['--dry-run'], { env: WITH_TOKEN });
    assert.match(offered.stdout, /--use-certificate enso\.4nkweb\.com/);
    for (const name of ['nothing', '..', 'enso.4nkweb.com/x']) {
      const wrong = await bootstrap(lab, ['--use-certificate', name], { env: WITH_TOKEN }).catch(
        () => undefined,
      );
      if (name === 'nothing') assert.deepEqual([wrong?.status, wrong?.host.failure?.code], [1, 'unusable']);
      else assert.equal(wrong, undefined);
    }
    const use = ['--use-certificate', wildcard, '--no-verify'];
    const { status, stderr } = await bootstrap(lab, use, { env: WITH_TOKEN });
    assert.equal(status, 0, stderr);
    assert.equal((await lab.proxy.sh(`readlink ${LIVE}`)).stdout, `${wildcard}\n`);
    const serial = await issued(lab.proxy, `/etc/letsencrypt/live/${wildcard}/cert.pem`);
    assert.equal((await served()).serialNumber, serial);
    for (const args of [use, ['--no-verify']]) {
      const again = await bootstrap(lab, args, { env: WITH_TOKEN });
      assert.deepEqual([again.status, again.host.outcome], [0, 'unchanged'], again.stderr);
      assert.equal(again.host.facts.lineage, wildcard);
    }
    assert.equal(await snapshot(lab.proxy, 'others'), before);
  });
});

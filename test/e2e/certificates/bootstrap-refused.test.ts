/**
 * What prevents a certificate before the order: each reason has its own code, the current site keeps serving, and the
 * next run continues.
 */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { clientFileText } from '../../lab/actors/client-files.ts';
import { copyProject } from '../../lab/actors/project.ts';
import { finished, type Host, type Lab, startLab } from '../../lab/namespaces/lab.ts';
import { local } from '../../lab/namespaces/process.ts';
import {
  assertFails,
  assertHealthy,
  assertNoChallenge,
  bootstrap,
  issued,
  NAME,
  served,
  WITH_TOKEN,
} from './bootstrap-lab.ts';

/** The challenge of another site's bootstrap, in the webroot. */
const OTHER_TRY = '/var/www/certbot/.well-known/acme-challenge/gatepost-other.example~try';

/** An unreachable CA: a run that gets to the order fails there. */
const AWAY = { ...WITH_TOKEN, ACME_DIRECTORY_URL: 'https://ca.gatepost.test:9/dir' };

describe('bootstrap-tls before it contacts the CA', () => {
  let lab: Lab;
  let names = '';
  before(async () => {
    lab = await startLab({ certificate: 'none', proxies: 2, backends: false });
    await lab.startAcme();
    names = await readFile('/etc/hosts', 'utf8');
    await lab.proxy.sh(`mkdir -p $(dirname ${OTHER_TRY}) && touch ${OTHER_TRY}`);
  });
  after(() => lab.stop());

  const fails = (code: string, words: RegExp, env?: Record<string, string>) =>
    assertFails(lab, code, words, env);
  /** Resolves the names differently on this machine and the jump host. */
  const asHere = async (hosts: string) => {
    await writeFile('/etc/hosts', hosts);
    await lab.jump.sh('cat >/etc/hosts', { input: hosts });
  };
  const elsewhere = (address: string) => asHere(names.replace(`203.0.113.100 ${NAME}`, `${address} ${NAME}`));
  const asBefore = () => asHere(names);

  test('the name does not resolve', async () => {
    await writeFile('/etc/hosts', names.replace(NAME, 'other.example'));
    await fails('dns', /does not resolve here/).finally(asBefore);
  });

  test('the name resolves to a private address', async () => {
    await elsewhere('192.168.1.100');
    await fails(
      'dns-private',
      /private address, 192\.168\.1\.100.*jump host can fetch.*ssrf_blocked.*--no-preflight/s,
    ).finally(asBefore);
  });

  test('nothing listens on port 80 of the name', async () => {
    await elsewhere('203.0.113.10');
    await fails('challenge-unreachable', /203\.0\.113\.10 does not answer.*firewall/s).finally(asBefore);
  });

  test('another server answers under the name', async () => {
    await elsewhere('203.0.113.101');
    await fails(
      'challenge-other',
      /at 203\.0\.113\.101 answers 404 \(server: nginx.*record points elsewhere/s,
    ).finally(asBefore);
  });

  test('port 80 redirects to another host', async () => {
    await elsewhere('203.0.113.101');
    const other = lab.proxies[1];
    const vhost = `server { listen 80; server_name ${NAME}; return 302 https://elsewhere.example/; }`;
    await other?.sh(`echo '${vhost}' >/etc/nginx/conf.d/other.conf && nginx -s reload && sleep 0.3`);
    await fails('challenge-redirect', /redirects to https:\/\/elsewhere\.example/).finally(asBefore);
  });

  test('the IPv6 address is unreachable', async () => {
    await local`ip addr add 2001:db8::1/64 dev internet nodad`;
    await writeFile('/etc/hosts', `${names}2001:db8::64 ${NAME}\n`);
    await fails('challenge-ipv6', /2001:db8::64 does not answer.*AAAA/s).finally(asBefore);
    await local`ip addr del 2001:db8::1/64 dev internet`;
  });

  test('--no-preflight contacts the CA without the check from here, and reports what that means', async () => {
    await elsewhere('203.0.113.10');
    const { host, stderr } = await bootstrap(lab, ['--no-preflight'], { env: AWAY }).finally(asBefore);
    assert.equal(host.failure?.code, 'acme-unreachable', stderr);
    assert.match(stderr, /--no-preflight: .*rate limits/);
  });

  test("an address that only this machine cannot reach: the jump host's request counts", async () => {
    await local`ip route add unreachable 203.0.113.100/32`;
    const { host, stderr } = await bootstrap(lab, [], { env: AWAY }).finally(
      () => local`ip route del unreachable 203.0.113.100/32`,
    );
    assert.equal(host.failure?.code, 'acme-unreachable', stderr);
    assert.match(stderr, /203\.0\.113\.100 does not answer.*the jump host can fetch the challenge file/);
    await assertNoChallenge(lab.proxy);
  });

  test('certbot is not installed', async () => {
    // Affects only this host's mounts, not the machine.
    await lab.proxy.sh('touch /root/nothing && mount --bind /root/nothing /usr/bin/certbot');
    await fails('certbot-missing', /apt install certbot/);
    await lab.proxy.sh('umount /usr/bin/certbot');
  });

  test('certbot is already running', async () => {
    const hold =
      "import fcntl,time; f=open('/etc/letsencrypt/.certbot.lock','w'); fcntl.lockf(f,fcntl.LOCK_EX); time.sleep(30)";
    await lab.proxy.sh(`/usr/bin/python3 -c "${hold}" >/dev/null 2>&1 & echo $! >/root/holder; sleep 0.3`);
    await fails('certbot-busy', /Another instance of Certbot/);
    await lab.proxy.sh('kill "$(cat /root/holder)"');
  });

  test("does not quote an earlier run's CA error when certbot cannot write its log", async () => {
    const problem = '{"type": "urn:ietf:params:acme:error:rateLimited", "detail": "of an earlier run"}';
    const log = '/var/log/letsencrypt/letsencrypt.log';
    await lab.proxy.sh(
      `rm -rf /var/log/letsencrypt; mkdir -p /var/log/letsencrypt; cat >${log}
      mount --bind /var/log/letsencrypt /var/log/letsencrypt; mount -o remount,ro,bind /var/log/letsencrypt`,
      { input: problem },
    );
    assert.doesNotMatch(await fails('read-only', /Read-only file system/), /the CA said/);
    await lab.proxy.sh('umount /var/log/letsencrypt');
  });

  test('the disk is full', async () => {
    await lab.proxy.sh('mount -t tmpfs -o size=8k,mode=755 full /etc/letsencrypt');
    await fails('disk-full', /No space left on device/);
    await lab.proxy.sh('umount /etc/letsencrypt');
  });

  test('a missing or invalid HTTP-only template is rejected before any connection', async () => {
    const copy = await copyProject(join(lab.directory, 'copy'));
    const template = join(copy, `sites/${NAME}.http-only.conf`);
    const text = await readFile(template, 'utf8');
    const run = () =>
      finished(
        spawn(process.execPath, ['--import', 'tsx', 'scripts/bootstrap-tls.ts'], {
          cwd: copy,
          env: { ...lab.env, ...WITH_TOKEN, DEPLOY_SSH_PROXY_HOST: 'nowhere.invalid' },
        }),
      );
    await writeFile(template, `${text}__NOBODY_KNOWS__\n`);
    const faulty = await run();
    await rm(template);
    await rm(join(copy, 'sites/default.http-only.conf'));
    const missing = await run();
    assert.deepEqual([faulty.status, missing.status], [2, 2], faulty.stdout + missing.stdout);
    assert.match(faulty.stdout, /NOBODY_KNOWS/);
    assert.match(missing.stdout, /http-only\.conf: the template cannot be read \(ENOENT\)/);
  });

  test('reports every step if the site is refused after its certificate was issued', async () => {
    const folder = '/etc/nginx/ia-enso-bearers';
    const tokens = [WITH_TOKEN.IA_ENSO_OLLAMA_BEARER_TOKEN];
    const input = clientFileText({ name: 'bob', scope: 'full', tokens }).text;
    await lab.proxy.sh(`mkdir -m 700 ${folder} && cat >${folder}/bob.map`, { input });
    const { status, host, stderr } = await bootstrap(lab, ['--no-verify'], { env: WITH_TOKEN });
    await lab.proxy.sh(`rm -r ${folder}`);
    assert.deepEqual([status, host.outcome, host.failure?.code], [1, 'refused', 'same-token'], stderr);
    assert.match(
      stderr,
      /the certificate is in place, the full site is not; the HTTP-only vhost is in place/,
    );
    assert.doesNotMatch(stderr, /refused, nothing was changed/);
    await assertHealthy(lab.proxy);
  });

  test("the same command deploys the site once all causes are fixed, and keeps another user's attempt", async () => {
    const { status, host, stderr } = await bootstrap(lab, ['--no-verify'], { env: WITH_TOKEN });
    assert.equal(status, 0, stderr);
    assert.equal(host.outcome, 'applied');
    assert.equal((await served()).serialNumber, await issued(lab.proxy));
    assert.equal((await lab.proxy.sh(`rm ${OTHER_TRY}`)).status, 0);
    await assertNoChallenge(lab.proxy);
  });

  test('several proxies with one name are reported before an order, with instructions; the documented copy works, for renewals too', async () => {
    const second = lab.proxies[1] ?? assert.fail();
    const hosts = `${lab.proxy.address},${second.address}`;
    const { stderr } = await lab.run('bootstrap-tls', ['--json', '--host', hosts, '--no-verify'], {
      env: AWAY,
    });
    assert.match(stderr, /one of several proxies.*after each renewal.*docs\/fleets\.md/);
    await second.sh('rm -f /etc/nginx/conf.d/other.conf && nginx -s reload && sleep 0.3');
    for (const host of lab.proxies)
      await host.sh("echo 'ncantu ALL=(root) NOPASSWD: /bin/sh' >/etc/sudoers.d/ncantu");
    await local`sh -c ${await documentedCopy()}`;
    const args = ['--host', second.address, '--no-verify'];
    const { status, stdout } = await lab.run('deploy', args, { env: WITH_TOKEN });
    assert.equal(status, 0, stdout);
    assert.equal(await servedBy(second), await issued(lab.proxy));
    assert.equal((await second.sh(`stat -Lc %a /etc/letsencrypt/live/${NAME}/privkey.pem`)).stdout, '600\n');

    await lab.proxy.sh('certbot renew --force-renewal --no-random-sleep-on-renew');
    assert.notEqual(await servedBy(second), await issued(lab.proxy));
    await local`sh -c ${await documentedCopy()}`;
    await sleep(500);
    assert.equal(await servedBy(second), await issued(lab.proxy));
  });
});

/** The command in docs/fleets.md that copies a certificate to another proxy. */
async function documentedCopy(): Promise<string> {
  const page = await readFile('docs/fleets.md', 'utf8');
  const [command] = page.match(/^ssh -J JUMP [^`]*?(?=\nnpx)/m) ?? assert.fail('no command');
  return command
    .replaceAll('JUMP', 'ncantu@4nk.myftp.biz')
    .replaceAll(/192\.168\.1\./g, 'ncantu@192.168.1.')
    .replaceAll('NAME', NAME);
}

async function servedBy(host: Host): Promise<string> {
  const { stdout } = await host.sh(
    `openssl s_client -connect 127.0.0.1:443 -servername ${NAME} </dev/null 2>/dev/null | openssl x509 -noout -serial`,
  );
  return stdout.trim().slice('serial='.length);
}

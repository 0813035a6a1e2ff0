/** Every script on other distributions' root file systems: their own sshd, sudo, sh, coreutils, nginx and certbot. */
import '../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { retry } from 'zx';
import { issued, served } from '../e2e/certificates/bootstrap-lab.ts';
import * as deploys from '../lab/actors/deploys.ts';
import { type Lab, type RunOptions, startLab } from '../lab/namespaces/lab.ts';
import { local } from '../lab/namespaces/process.ts';
import { ROOTS } from './roots.ts';

const TOKEN = 'first-vMx3qLr81TzWk60b';
/** Replaces sudo with sudo-rs, and the rules with the README's line and no unsupported settings. */
const SUDO_RS = `set -e; mount --bind /usr/lib/cargo/bin/sudo /usr/bin/sudo; rm -r /etc/sudoers.d
  printf '%s\\n' 'root ALL=(ALL:ALL) ALL' 'ncantu ALL=(root) NOPASSWD: /bin/sh' >/etc/sudoers; sudo --version`;
const VERSIONS = `. /etc/os-release; echo "$PRETTY_NAME"; nginx -v 2>&1; certbot --version 2>&1 | tail -n 1; sshd -V 2>&1 | grep -o 'OpenSSH[^,]*'
  sudo --version | head -n 1; openssl version; awk -W version 2>&1 | head -n 1`;

interface Answer {
  readonly token?: string;
  readonly hosts: readonly {
    outcome: string;
    defaultServer?: string;
    clients?: { name: string; state: string }[];
  }[];
}

function story(root: string, isSudoRs: boolean): void {
  let lab: Lab;
  const pebble = `${root}/usr/bin/pebble`;
  before(async () => {
    lab = await startLab({ root, certificate: 'none' });
    if (existsSync(pebble)) await local`mount --bind ${pebble} /usr/bin/pebble`;
    await lab.startAcme();
  });
  after(async () => {
    await lab.stop();
    if (existsSync(pebble)) await local`umount -l /usr/bin/pebble`;
  });

  /** Runs a script that must succeed; returns its JSON. */
  async function run(
    script: string,
    args: readonly string[] = [],
    env: RunOptions['env'] = {},
  ): Promise<Answer> {
    const settings = { IA_ENSO_OLLAMA_BEARER_TOKEN: TOKEN, ...env };
    const { status, stdout, stderr } = await lab.run(script, ['--json', ...args], { env: settings });
    assert.equal(status, 0, `${script} ${args.join(' ')}\n${stderr}\n${stdout}`);
    return JSON.parse(stdout) as Answer;
  }
  const outcome = async (...args: Parameters<typeof run>) => (await run(...args)).hosts[0]?.outcome;

  test('is the expected version', async (t) => {
    const { stdout } = await lab.proxy.sh(VERSIONS);
    t.diagnostic(stdout.trim().replaceAll('\n', '; '));
    if (!isSudoRs) return;
    const { status, stdout: version, stderr } = await lab.proxy.sh(SUDO_RS);
    assert.equal(status, 0, stderr);
    assert.match(version + stderr, /^sudo-rs /);
    t.diagnostic((version + stderr).trim());
    assert.equal((await lab.proxy.sh('sudo -n id -u', { user: 'ncantu' })).status, 1);
  });

  test('a stream block that has port 443 is refused by name', async () => {
    const conf = '/etc/nginx/nginx.conf';
    await lab.proxy.sh(
      `cp ${conf} ${conf}.kept; echo 'stream { server { listen 443; return no; } }' >>${conf}; nginx -s reload`,
    );
    const refused = await deploys.deploy(lab);
    await lab.proxy.sh(`mv ${conf}.kept ${conf}; nginx -s reload`);
    assert.deepEqual([refused.outcome, refused.failure?.code], ['refused', 'stream'], refused.stderr);
    assert.match(refused.failure?.text ?? '', /port 443 \(\/etc\/nginx\/nginx\.conf\)/);
  });

  test('bootstrap-tls gets a certificate and deploys the site', async () => {
    assert.equal(await outcome('bootstrap-tls', ['--no-verify']), 'applied');
    assert.equal((await served()).serialNumber, await issued(lab.proxy));
    assert.equal(await deploys.gate(TOKEN), 200);
    assert.equal(await deploys.gate(), 401);
  });

  test('deploy finds nothing to do, then changes the vhost', async () => {
    assert.equal(await outcome('deploy', ['--no-verify']), 'unchanged');
    const moved = { IA_ENSO_ANYTHINGLLM: '192.168.1.164:3002' };
    assert.equal(await outcome('deploy', ['--no-verify'], moved), 'applied');
    assert.match((await lab.proxy.sh(`cat ${deploys.VHOST}`)).stdout, /192\.168\.1\.164:3002/);
  });

  test('rollback restores the previous release', async () => {
    assert.equal(await outcome('rollback', ['--no-verify']), 'applied');
    assert.doesNotMatch((await lab.proxy.sh(`cat ${deploys.VHOST}`)).stdout, /192\.168\.1\.164:3002/);
  });

  test('rotate-bearer replaces the token', async () => {
    const { token = '' } = await run('rotate-bearer', [], { IA_ENSO_OLLAMA_BEARER_TOKEN: undefined });
    assert.deepEqual([await deploys.gate(token), await deploys.gate(TOKEN)], [200, 401]);
    assert.equal(await outcome('deploy', ['--no-verify']), 'applied');
    assert.deepEqual([await deploys.gate(token), await deploys.gate(TOKEN)], [401, 200]);
  });

  test('bearers adds, suspends, resumes and revokes a client', async () => {
    const { token = '' } = await run('bearers', ['add', 'carol', '--limit', '600', '--concurrent', '4']);
    assert.equal(await deploys.gate(token), 200);
    for (const [verb, response] of [
      ['suspend', 401],
      ['resume', 200],
      ['revoke', 401],
    ] as const) {
      await run('bearers', [verb, 'carol']);
      assert.equal(await deploys.gate(token), response, verb);
    }
    const { hosts } = await run('bearers', ['list']);
    assert.deepEqual(
      hosts[0]?.clients?.map(({ name }) => name),
      ['default'],
    );
  });

  test('verify and status find a healthy site', async () => {
    // On a busy machine, chunks of a stream may arrive together.
    await run('verify').catch(() => run('verify'));
    await run('verify', ['--via-ssh', '--only', 'gate']);
    await run('status');
  });

  test('the catch-all that status shows keeps other names away', async () => {
    const file = '/etc/nginx/conf.d/catch-all.conf';
    const { stdout } = await lab.run('status');
    const [, vhost = ''] = stdout.match(/to nginx on the proxy: (server \{.*\})$/m) ?? [];
    assert.ok(vhost, stdout);
    await deploys.put(lab.proxy, file, `${vhost}\n`);
    const reloaded = await lab.proxy.sh('nginx -t && nginx -s reload');
    assert.equal(reloaded.status, 0, `${vhost}\n${reloaded.stderr}`);
    const other = local({ nothrow: true });
    const resolve = `other.example:443:${lab.proxy.publicAddress}`;
    // Before 1.19.4, nginx cannot reject the handshake.
    const response = basename(root) === 'bullseye' ? '421' : '000';
    await retry(20, '100ms', async () => {
      const { stdout: got } =
        await other`curl -sk -o /dev/null -w ${'%{http_code}'} --resolve ${resolve} https://other.example/`;
      assert.equal(got, response);
    });
    assert.equal(await deploys.gate(TOKEN), 200);
    assert.equal((await run('status')).hosts[0]?.defaultServer, undefined);
    await lab.proxy.sh(`rm ${file}; nginx -s reload`);
  });

  test('a renewal by certbot is served, through the hook', async () => {
    const renewed = await lab.proxy.sh('certbot renew --force-renewal --no-random-sleep-on-renew');
    assert.equal(renewed.status, 0, renewed.stderr);
    await retry(20, '100ms', async () =>
      assert.equal((await served()).serialNumber, await issued(lab.proxy)),
    );
  });

  if (existsSync(pebble))
    test('a public address gets a certificate', async () => {
      const address = lab.proxy.publicAddress;
      const env = {
        NEXUS_PROXY_HOST: lab.proxy.address,
        NEXUS_PROXY_USER: 'ncantu',
        NEXUS_SERVER_NAME: address,
      };
      // The site becomes the default server.
      await lab.proxy.sh('rm /etc/nginx/sites-enabled/default');
      assert.equal(await outcome('bootstrap-tls', ['--site', 'nexus', '--no-verify'], env), 'applied');
      const names = `openssl x509 -noout -ext subjectAltName -in /etc/letsencrypt/live/${address}/cert.pem`;
      assert.match((await lab.proxy.sh(names)).stdout, /IP Address:203\.0\.113\.100\n/);
      assert.equal(await outcome('remove', ['--site', 'nexus', '--yes'], env), 'applied');
    });

  test('a deploy that nginx rejects is rolled back', async () => {
    const other = `server { listen 80; server_name ${deploys.SITE}; }`;
    await deploys.put(lab.proxy, '/etc/nginx/conf.d/other.conf', other);
    const config = await deploys.config(lab.proxy);
    const rejected = await deploys.deploy(lab, deploys.withToken(deploys.OTHER_TOKEN));
    assert.equal(rejected.exit, 1, rejected.stderr);
    assert.match(rejected.stderr, /conflicting server name/);
    assert.equal(await deploys.config(lab.proxy), config);
    assert.deepEqual([await deploys.gate(TOKEN), await deploys.gate(deploys.OTHER_TOKEN)], [200, 401]);
    await lab.proxy.sh('rm /etc/nginx/conf.d/other.conf');
  });

  test('remove leaves nginx without the site', async () => {
    assert.equal(await outcome('remove', ['--yes']), 'applied');
    const { status, stdout } = await lab.proxy.sh('nginx -t && ! grep -rl enso /etc/nginx');
    assert.deepEqual([status, stdout], [0, '']);
  });
}

for (const root of ROOTS) {
  describe(basename(root), () => story(root, false));
  if (basename(root) !== 'bullseye') describe(`${basename(root)} with sudo-rs`, () => story(root, true));
}

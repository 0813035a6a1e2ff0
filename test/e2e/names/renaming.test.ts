/** A site with a new public name: one change from the old vhost to the new one; clients and history stay. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as deploys from '../../lab/actors/deploys.ts';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';
import { OTHER_NAME } from '../../lab/namespaces/network.ts';
import { local } from '../../lab/namespaces/process.ts';

const RENAMED = { ...deploys.withToken(deploys.TOKEN), IA_ENSO_SERVER_NAME: OTHER_NAME };
const NEW_VHOST = deploys.VHOST.replace(deploys.SITE, OTHER_NAME);
const NEW_LINK = deploys.LINK.replace(deploys.SITE, OTHER_NAME);

let lab: Lab;
before(async () => {
  lab = await startLab({ certificate: 'none' });
  await lab.startAcme();
});
after(() => lab.stop());

interface Host {
  readonly outcome: string;
  readonly release?: string;
  readonly files: readonly { readonly path: string; readonly changed: boolean }[];
  readonly failure?: { readonly code: string };
  readonly serves?: string;
  readonly verdict?: string;
  readonly clients?: readonly { readonly name: string }[];
}

async function run(script: string, args: readonly string[] = [], env: Record<string, string> = RENAMED) {
  const { status, stdout, stderr } = await lab.run(script, ['--json', ...args], { env });
  const { hosts } = JSON.parse(stdout) as { hosts: Host[] };
  return { status, stderr, host: hosts[0] as Host };
}

const changed = ({ files }: Host) =>
  files
    .filter((file) => file.changed && file.path.includes('/sites-'))
    .map(({ path }) => path)
    .sort();

/** The HTTP status of a name with the token. */
async function statusOf(name: string): Promise<number> {
  const header = ['-H', `Authorization: Bearer ${deploys.TOKEN}`];
  const curl = local({ nothrow: true });
  const url = `https://${name}/ollama/v1/models`;
  return Number((await curl`curl -sk -m 10 -o /dev/null -w ${'%{http_code}'} ${header} ${url}`).stdout);
}

const vhosts = async () =>
  (await lab.proxy.sh('cd /etc/nginx && ls sites-available sites-enabled')).stdout.match(/\S+\.conf/g);
const OLD = [`${deploys.SITE}.conf`, `${deploys.SITE}.conf`];
const NEW = [`${OTHER_NAME}.conf`, `${OTHER_NAME}.conf`];

describe('a new public name', () => {
  test('is refused by deploy without its certificate, and nothing changes', async () => {
    const first = await run('bootstrap-tls', [], deploys.withToken(deploys.TOKEN));
    assert.equal(first.status, 0, first.stderr);
    assert.equal((await run('bearers', ['add', 'editor', '--no-verify'], {})).status, 0);
    const before = await deploys.config(lab.proxy);
    const { status, host } = await run('deploy');
    assert.deepEqual([status, host.outcome, host.failure?.code], [1, 'rolled-back', 'test']);
    assert.equal(await deploys.config(lab.proxy), before);
  });

  test('without a certificate keeps the old name served', async () => {
    await lab.proxy.sh('mv /usr/bin/certbot /usr/bin/certbot.off');
    const { status } = await run('bootstrap-tls');
    await lab.proxy.sh('mv /usr/bin/certbot.off /usr/bin/certbot');
    assert.equal(status, 1);
    assert.deepEqual(await vhosts(), [NEW[0], OLD[0], NEW[0], OLD[0]]);
    assert.equal(await statusOf(deploys.SITE), 200);
    const rolledBack = await run('rollback', ['--no-verify'], deploys.withToken(deploys.TOKEN));
    assert.deepEqual([rolledBack.status, await vhosts()], [0, OLD]);
  });

  test('gets its certificate while the old one is served, and replaces it in one change', async () => {
    const { status, stderr, host } = await run('bootstrap-tls');
    assert.equal(status, 0, stderr);
    assert.deepEqual(await vhosts(), NEW);
    assert.ok(
      [deploys.VHOST, deploys.LINK, NEW_VHOST, NEW_LINK].every((path) => changed(host).includes(path)),
    );
    assert.equal(await statusOf(OTHER_NAME), 200);
    assert.equal((await lab.proxy.sh('grep -rl 4nkweb /etc/nginx')).stdout, '');
    const { host: shown, status: health } = await run('status');
    assert.deepEqual(
      [health, shown.serves, shown.clients?.map(({ name }) => name)],
      [0, undefined, ['default', 'editor']],
    );
    assert.equal((await run('deploy')).host.outcome, 'unchanged');
  });

  test('is undone by a rollback, which sends no request to the old name', async () => {
    const { status, stderr, host } = await run('rollback');
    assert.deepEqual([status, await vhosts()], [0, OLD], stderr);
    assert.deepEqual(changed(host), [deploys.VHOST, deploys.LINK, NEW_VHOST, NEW_LINK].sort());
    assert.match(stderr, /this release serves ia\.enso\.4nkweb\.com/);
    assert.doesNotMatch(stderr, /Checks of/);
    assert.equal(await statusOf(deploys.SITE), 200);
    const shown = await run('status');
    assert.deepEqual([shown.status, shown.host.serves], [3, deploys.SITE]);
    assert.equal((await run('status', [], {})).status, 0);
  });

  test('is shown by a dry run with both vhosts', async () => {
    const before = await deploys.config(lab.proxy);
    const { stderr, host } = await run('deploy', ['--dry-run']);
    assert.deepEqual(changed(host), [deploys.VHOST, deploys.LINK, NEW_VHOST, NEW_LINK].sort());
    assert.match(stderr, /^-.*server_name ia\.enso\.4nkweb\.com;$/m);
    assert.match(stderr, /^\+.*server_name ai\.example\.org;$/m);
    assert.equal(await deploys.config(lab.proxy), before);
  });

  test('never replaces the vhost of another site', async () => {
    const releases = '/var/lib/gatepost/wiki/releases/000001.x';
    await lab.proxy.sh(
      `mkdir -p ${releases} && echo 'server { listen 80; server_name ${OTHER_NAME}; }' >${NEW_VHOST}
      echo 'vhost ${NEW_VHOST} 644 0' >${releases}/state`,
    );
    const before = await deploys.config(lab.proxy);
    const { status, host } = await run('deploy');
    assert.deepEqual([status, host.outcome, host.failure?.code], [1, 'refused', 'target']);
    assert.equal(await deploys.config(lab.proxy), before);
    await lab.proxy.sh('rm -rf /var/lib/gatepost/wiki');
  });

  test('keeps an existing vhost as a release', async () => {
    await lab.proxy.sh(`echo '# by hand' >${NEW_VHOST}`);
    assert.equal((await run('deploy')).status, 0);
    const { stdout } = await lab.proxy.sh(`cat ${deploys.RELEASES}/*-before/files/*${OTHER_NAME}.conf`);
    assert.equal(stdout, '# by hand\n');
    assert.equal((await run('rollback', ['--no-verify'])).status, 0);
  });

  test('is removed completely, even if the settings have changed', async () => {
    assert.equal((await run('deploy', ['--no-verify'])).status, 0);
    assert.equal((await run('remove', ['--yes'], {})).status, 0);
    assert.equal(await vhosts(), null);
    assert.equal((await lab.proxy.sh('ls /etc/nginx/conf.d')).stdout, '');
  });
});

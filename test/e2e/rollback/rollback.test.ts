/** Rollback: vhost and maps of an earlier release in one transaction, and the status afterwards. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';
import { script, statusOf } from '../clients/clients-lab.ts';

const TOKEN = 'IA_ENSO_OLLAMA_BEARER_TOKEN';
const FIRST = 'first-vMx3qLr81TzWk60b';
const VHOST = '/etc/nginx/sites-available/ia.enso.4nkweb.com.conf';

let lab: Lab;
const ids: string[] = [];
const run = (name: string, args: readonly string[] = [], env: Record<string, string> = {}) =>
  script(lab, name, [...args, '--json'], { env: { [TOKEN]: FIRST, ...env } });
const outcome = async (name: string, args: readonly string[] = []) => {
  const { status, json, all } = await run(name, [...args, '--no-verify']);
  return { status, ...json.hosts[0], all };
};
const deploy = async (ip: string): Promise<string> => {
  const { json, all } = await run('deploy', ['--no-verify'], { IA_ENSO_BACKEND_IP: ip });
  assert.equal(json.hosts[0]?.outcome, 'applied', all);
  return `${json.hosts[0]?.release}`;
};
const backend = async () =>
  /server ([\d.]+):11434/.exec((await lab.proxy.sh(`cat ${VHOST}`)).stdout)?.[1]?.replace('192.168.1.', '');

before(async () => {
  lab = await startLab();
});
after(() => lab.stop());

describe('rollback', () => {
  test('is refused without a release', async () => {
    const { status, failure } = await outcome('rollback');
    assert.deepEqual([status, failure?.code], [1, 'no-earlier']);
  });

  test('is refused after one deploy, and names remove.ts', async () => {
    ids.push(await deploy('192.168.1.164'));
    const { status, failure } = await outcome('rollback');
    assert.equal(status, 1);
    assert.match(`${failure?.next}`, /scripts\/remove\.ts/);
    assert.equal(await statusOf(FIRST), 200);
  });

  test('restores the previous release, then the one before it', async () => {
    ids.push(await deploy('192.168.1.165'), await deploy('192.168.1.166'));
    const first = await outcome('rollback');
    assert.deepEqual([first.status, first.outcome, await backend()], [0, 'applied', '165']);
    assert.deepEqual(
      first.files?.filter(({ changed }) => changed).map(({ path }) => path),
      [VHOST],
    );
    assert.deepEqual([(await outcome('rollback')).status, await backend()], [0, '164']);
    assert.equal((await outcome('rollback')).failure?.code, 'no-earlier');
  });

  test('--to restores an older or newer release; the current one is unchanged', async () => {
    assert.deepEqual(
      [(await outcome('rollback', ['--to', `${ids[2]}`])).status, await backend()],
      [0, '166'],
    );
    const again = await outcome('rollback', ['--to', `${ids[2]}`]);
    assert.deepEqual([again.status, again.outcome], [0, 'unchanged']);
  });

  test('refuses an unknown id and lists the known ones; rejects an invalid id before any connection', async () => {
    const { status, failure } = await outcome('rollback', ['--to', 'nosuch']);
    assert.equal(status, 1);
    for (const id of ids) assert.ok(failure?.text.includes(id));
    const bad = await run('rollback', ['--to', '../x'], { DEPLOY_SSH_PROXY_HOST: 'nowhere.invalid' });
    assert.equal(bad.status, 2);
  });

  test('skips rotations; the rotated token stays live', async () => {
    const { json } = await script(lab, 'rotate-bearer', ['--json', '--no-verify'], {
      env: { [TOKEN]: undefined },
    });
    assert.deepEqual([(await outcome('rollback')).status, await backend()], [0, '165']);
    await outcome('rollback', ['--to', `${ids[0]}`]);
    assert.deepEqual([await statusOf(`${json.token}`), await statusOf(FIRST)], [200, 401]);
    assert.equal((await run('rotate-bearer', ['--no-verify'])).status, 0);
  });

  test('--dry-run shows the diff and changes nothing', async () => {
    const { status, outcome: how, all } = await outcome('rollback', ['--to', `${ids[1]}`, '--dry-run']);
    assert.deepEqual([status, how, await backend()], [0, 'planned', '164']);
    assert.match(all, /-\s+server 192\.168\.1\.164:11434;\n\+\s+server 192\.168\.1\.165:11434;/);
  });

  test('runs the same checks as a deploy', async () => {
    await outcome('rollback', ['--to', `${ids[1]}`]);
    const { status, json } = await run('rollback', ['--to', `${ids[0]}`]);
    assert.equal(status, 0);
    assert.ok((json.hosts[0]?.checks.length ?? 0) > 4);
  });

  test('rolls back a release that nginx rejects', async () => {
    const release = `/var/lib/gatepost/ia.enso.4nkweb.com/releases/000002.${ids[1]}`;
    const file = `${release}/files/${VHOST.replaceAll('/', ':')}`;
    await lab.proxy.sh(
      `echo 'broken here;' >>${file}; sed -i "s/^\\(vhost .* \\)[0-9a-f]*$/\\1$(sha256sum <${file} | cut -d' ' -f1)/" ${release}/state`,
    );
    const { status, outcome: how, failure } = await outcome('rollback', ['--to', `${ids[1]}`]);
    assert.deepEqual([status, how, await backend()], [1, 'rolled-back', '164']);
    assert.match(`${failure?.text}`, /broken/);
    assert.equal(await statusOf(FIRST), 200);
  });

  test('keeps manual changes as a release that can be restored with its links', async () => {
    const link = VHOST.replace('available', 'enabled');
    await lab.proxy.sh(
      `echo '# by hand' >>${VHOST}; ln -sfn ../sites-available/ia.enso.4nkweb.com.conf ${link}`,
    );
    const away = await outcome('rollback', ['--to', `${ids[2]}`]);
    assert.deepEqual([away.status, away.drift?.length, await backend()], [0, 2, '166']);
    const { json } = await run('status');
    const releases = json.hosts[0]?.releases as { id: string; kind: string }[];
    const found = releases.find(({ kind }) => kind === 'found here');
    assert.equal((await outcome('rollback', ['--to', `${found?.id}`])).status, 0);
    assert.match(
      (await lab.proxy.sh(`tail -n 1 ${VHOST}; readlink ${link}`)).stdout,
      /^# by hand\n\.\.\/sites-available/,
    );
  });
});

describe('rollback without --to', () => {
  const httpOnly = `server { listen 80; server_name ia.enso.4nkweb.com; root /var/www/html; }\n`;

  test('never restores the state before the first deploy if that served no site; --to does', async () => {
    await lab.proxy.sh(
      `rm -rf /var/lib/gatepost; echo '${httpOnly}' >${VHOST}; ln -sf ${VHOST} /etc/nginx/sites-enabled/; nginx -s reload`,
    );
    await deploy('192.168.1.164');
    for (const token of ['second-pHd7sNc52YgJe94u', 'third-bKa8wFt36RmXo15z'])
      assert.equal((await run('rotate-bearer', ['--no-verify'], { [TOKEN]: token })).status, 0);
    const refused = await outcome('rollback');
    assert.deepEqual([refused.status, refused.outcome, refused.failure?.code], [1, 'refused', 'no-earlier']);
    const { json } = await run('status');
    const releases = json.hosts[0]?.releases as { id: string; kind: string }[];
    const found = releases.find(({ kind }) => kind === 'found here');
    assert.ok(found && refused.failure?.text.includes(found.id), refused.all);
    assert.equal(await statusOf('third-bKa8wFt36RmXo15z'), 200);
    assert.equal((await outcome('rollback', ['--to', found.id])).outcome, 'applied');
    assert.equal(await lab.proxy.sh(`cat ${VHOST}`).then(({ stdout }) => stdout.trim()), httpOnly.trim());
  });
});

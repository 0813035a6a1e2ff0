/** remove.ts removes a site from a proxy completely or not at all, and nothing that others need. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostReport } from '../../../lib/model/host-report.ts';
import { type ClientChange, clientProgram, type Wanted } from '../../../lib/program/client-program.ts';
import { statusProgram } from '../../../lib/program/history-programs.ts';
import { Secret } from '../../../lib/util/secret.ts';
import * as deploys from '../../lab/actors/deploys.ts';
import * as programs from '../../lab/actors/programs.ts';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';

let lab: Lab;
let stock: string;
before(async () => {
  lab = await startLab();
  stock = await deploys.config(lab.proxy);
});
after(() => lab.stop());
beforeEach(() => deploys.reset(lab.proxy));

interface Removed extends HostReport {
  readonly exit: number;
  readonly output: string;
}

async function remove(...args: readonly string[]): Promise<Removed> {
  const { status, stdout, stderr } = await lab.run('remove', ['--json', '--yes', ...args]);
  const { hosts } = JSON.parse(stdout) as { hosts: HostReport[] };
  return { ...(hosts[0] as HostReport), exit: status, output: stdout + stderr };
}

/** Asserts that no worker is new; some from an earlier reload may have ended since. */
async function assertNoReload(before: string): Promise<void> {
  const old = before.split('\n');
  for (const pid of (await deploys.workers(lab.proxy)).split('\n')) assert.ok(old.includes(pid), pid);
}

const changed = ({ files }: HostReport) => files.filter((file) => file.changed).map(({ path }) => path);

test('restores the nginx configuration from before the first deploy; certificates and history stay', async () => {
  await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
  const removed = await remove();
  assert.deepEqual([removed.exit, removed.outcome], [0, 'applied'], removed.output);
  assert.deepEqual(changed(removed), [
    deploys.LINK,
    deploys.VHOST,
    deploys.MAPS,
    deploys.CLIENT,
    deploys.WEBSOCKET,
  ]);
  assert.equal(await deploys.config(lab.proxy), stock);
  assert.equal(await deploys.status('/'), 0);
  assert.deepEqual(await deploys.releases(lab.proxy), ['apply', 'remove']);
  assert.equal((await lab.proxy.sh(`ls /etc/letsencrypt/live/${deploys.SITE} | wc -l`)).stdout, '2\n');
  assert.match(removed.output, /the certificate .* is kept/);
  assert.equal(await deploys.leftovers(lab.proxy), '');
  assert.match((await lab.run('remove', ['--yes'])).stdout, /nothing to remove/);
});

const NEEDLE = '0123456789NeedleInTheHaystack';
/** The files that contain the token, and the clients' folder if it still exists. */
const tokens = async () =>
  (await lab.proxy.sh(`grep -rlF ${NEEDLE} /etc/nginx /var/lib/gatepost; ls -d /etc/nginx/ia-enso-bearers`))
    .stdout;

test('--purge leaves no token behind, not even in an editor’s backup files', async () => {
  await deploys.deploy(lab, deploys.withToken(NEEDLE));
  await lab.proxy.sh(
    'cd /etc/nginx/ia-enso-bearers && cp default.map default.map~ && cp default.map .default.map.swp',
  );
  const removed = await remove('--purge');
  assert.equal(removed.outcome, 'applied');
  assert.match(removed.output, /deleted for good/);
  assert.equal(await tokens(), '');
});

test('without --purge, the token stays in the history, for root only, until --purge or the next deploy', async () => {
  for (const drop of [
    () => remove('--purge'),
    () => deploys.deploy(lab, deploys.withToken(deploys.OTHER_TOKEN)),
  ] as const) {
    await deploys.reset(lab.proxy);
    await deploys.deploy(lab, deploys.withToken(NEEDLE));
    await lab.proxy.sh(
      'cd /etc/nginx/ia-enso-bearers && chmod 644 default.map && cp default.map default.map~',
    );
    const removed = await remove();
    assert.match(removed.output, /remove\.ts --purge/);
    const kept = `${deploys.RELEASES}/*.${removed.release}/kept/default.map`;
    assert.equal((await lab.proxy.sh(`stat -c '%a %U' ${kept}`)).stdout, '600 root\n');
    assert.match(await tokens(), /^\S+\/kept\/default\.map\n$/);
    await drop();
    assert.ok(!(await tokens()).includes('gatepost'));
  }
});

test('does not change a proxy without the site: no reload, no release', async () => {
  const [files, pids] = [await deploys.config(lab.proxy), await deploys.workers(lab.proxy)];
  const removed = await remove();
  assert.deepEqual([removed.exit, removed.outcome], [0, 'unchanged'], removed.output);
  assert.equal(await deploys.config(lab.proxy), files);
  await assertNoReload(pids);
  assert.equal(await deploys.status('/'), 0);
});

test('--dry-run shows what would be removed, without tokens, and writes nothing', async () => {
  await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
  const [files, pids] = [await deploys.tree(lab.proxy), await deploys.workers(lab.proxy)];
  const planned = await remove('--dry-run');
  assert.deepEqual([planned.exit, planned.outcome], [0, 'planned'], planned.output);
  assert.deepEqual(changed(planned), [
    deploys.LINK,
    deploys.VHOST,
    deploys.MAPS,
    deploys.CLIENT,
    deploys.WEBSOCKET,
  ]);
  assert.match(planned.output, /^-.*server_name ia\.enso\.4nkweb\.com;$/m);
  assert.ok(!planned.output.includes(deploys.TOKEN) && !planned.output.includes('Alpha'));
  assert.equal(await deploys.tree(lab.proxy), files);
  await assertNoReload(pids);
});

describe('what others need', () => {
  const others = '/etc/nginx/conf.d/other.conf';

  test('keeps the WebSocket map while another file uses it, and removes it with its last user', async () => {
    await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
    await deploys.put(
      lab.proxy,
      others,
      'server { listen 127.0.0.1:8081; location / { proxy_set_header Connection $connection_upgrade; return 204; } }\n',
    );
    await lab.proxy.sh('nginx -s reload');
    const removed = await remove();
    assert.deepEqual([removed.exit, removed.outcome], [0, 'applied'], removed.output);
    assert.match(
      removed.output,
      /websocket-connection-map\.conf stays: \/etc\/nginx\/conf\.d\/other\.conf needs it/,
    );
    assert.deepEqual(changed(removed), [deploys.LINK, deploys.VHOST, deploys.MAPS, deploys.CLIENT]);
    await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
    await lab.proxy.sh(`rm ${others}`);
    assert.ok(changed(await remove()).includes(deploys.WEBSOCKET));
  });

  test('keeps a WebSocket map that somebody changed', async () => {
    await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
    await lab.proxy.sh(`echo '# mine' >>${deploys.WEBSOCKET}`);
    const removed = await remove();
    assert.match(removed.output, /stays: it was changed by hand/);
    assert.equal((await lab.proxy.sh(`tail -n 1 ${deploys.WEBSOCKET}`)).stdout, '# mine\n');
  });

  test('rolls back when another vhost needs the removed one', async () => {
    await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
    await deploys.put(
      lab.proxy,
      '/etc/nginx/sites-enabled/zz-other',
      'server { listen 127.0.0.1:8081; location / { proxy_pass http://ia_enso_anythingllm; if ($ia_enso_ollama_authorized) { return 204; } } }\n',
    );
    await lab.proxy.sh('nginx -s reload');
    const before = await deploys.config(lab.proxy);
    const removed = await remove();
    assert.deepEqual([removed.exit, removed.outcome], [1, 'rolled-back'], removed.output);
    assert.match(removed.output, /ia_enso/);
    assert.equal(await deploys.config(lab.proxy), before);
    assert.equal(await deploys.gate(deploys.TOKEN), 200);
    await lab.proxy.sh('rm /etc/nginx/sites-enabled/zz-other');
  });
});

describe('after a removal', () => {
  test('the next deploy is a first deploy with a new token', async () => {
    const { token: first = '' } = await deploys.deploy(lab);
    await remove();
    const again = await deploys.deploy(lab);
    assert.deepEqual([again.exit, again.outcome], [0, 'applied'], again.stderr);
    assert.match(again.token ?? '', /^[0-9a-f]{64}$/);
    assert.deepEqual([await deploys.gate(again.token), await deploys.gate(first)], [200, 401]);
  });

  test('with --purge, a rollback restores vhost and maps, and no client', async () => {
    await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
    await remove('--purge');
    const { status, stderr } = await lab.run('rollback', ['--no-verify']);
    assert.equal(status, 0, stderr);
    assert.equal(await deploys.gate(deploys.TOKEN), 401);
  });

  test('a rollback restores the clients unchanged, and no token that was not live', async () => {
    await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
    // A change before the removal, so that it differs from the first deploy.
    await deploys.deploy(lab, { ...deploys.withToken(deploys.TOKEN), IA_ENSO_BACKEND_IP: '192.168.1.165' });
    assert.equal((await lab.run('rollback', ['--no-verify'])).status, 0);
    const vhost = (await lab.proxy.sh(`cat ${deploys.VHOST}`)).stdout;
    const tokenOf = (name: string) => `${name}-0123456789abcdef`;
    const add = (client: string, more: Partial<Wanted> = {}) =>
      change({ verb: 'add_client', client, token: new Secret(tokenOf(client)), scope: 'full', ...more });
    for (const name of ['limited', 'suspended', 'revoked', 'ended', 'undone'])
      await add(name, name === 'limited' ? { limit: '60', concurrent: '2' } : {});
    await add('short', { end: '+4' });
    const expiry = Date.now() + 5_000;
    const rotated = new Secret(tokenOf('rotated'));
    await change({ verb: 'rotate', client: 'limited', token: rotated, keepPrevious: true });
    await change({ verb: 'suspend_client', client: 'suspended' });
    await change({ verb: 'revoke_client', client: 'revoked' });
    await lab.proxy.sh('rm /etc/nginx/ia-enso-live/ended.*');
    // A revoked client whose file could not be removed: nginx was broken by somebody else.
    await deploys.put(lab.proxy, '/etc/nginx/conf.d/broken.conf', 'nonsense;\n');
    await change({ verb: 'revoke_client', client: 'undone' });
    await lab.proxy.sh('rm /etc/nginx/conf.d/broken.conf');
    const before = await rows();
    const removed = await remove();
    assert.deepEqual([removed.exit, removed.outcome], [0, 'applied'], removed.output);
    await sleep(Math.max(0, expiry - Date.now()));
    const { status, stdout, stderr } = await lab.run('rollback', ['--no-verify', '--json']);
    assert.equal(status, 0, stdout + stderr);
    assert.equal((await lab.proxy.sh(`cat ${deploys.VHOST}`)).stdout, vhost);
    const responses = [];
    for (const name of ['limited', 'rotated', 'suspended', 'revoked', 'ended', 'undone', 'short'])
      responses.push(await deploys.gate(tokenOf(name)));
    assert.deepEqual(responses, [200, 200, 401, 401, 401, 401, 401]);
    assert.equal(await deploys.gate(deploys.TOKEN), 200);
    // Tokens that somebody ended by hand are suspended, so that only `resume` makes them live.
    const ended = before.map((row) => row.replace(/^(ended .*) ended /, '$1 suspended '));
    const expected = ended.map((row) => row.replace(/^(short .*) live /, '$1 expired '));
    assert.deepEqual(
      await rows(),
      expected.filter((row) => !row.startsWith('undone ')),
    );
    assert.equal((await lab.proxy.sh(`find ${deploys.RELEASES} -name kept -o -name clients`)).stdout, '');
  });
});

async function change(requested: ClientChange): Promise<void> {
  await programs.execute(lab.proxy, await clientProgram(programs.context, requested, false));
}

/** The proxy's rows about its clients, without their last use. */
async function rows(): Promise<readonly string[]> {
  const { rows } = await programs.execute(lab.proxy, await statusProgram(programs.site, 'clients'));
  return (rows.client ?? []).map((row) => row.toSpliced(8, 1).join(' '));
}

test('removes a site whose vhost is broken or whose certificate is gone', async () => {
  for (const spoil of [`echo nonsense >>${deploys.VHOST}`, 'mv /etc/letsencrypt /etc/letsencrypt.gone']) {
    await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
    await lab.proxy.sh(spoil);
    const removed = await remove();
    assert.deepEqual([removed.exit, removed.outcome], [0, 'applied'], removed.output);
    assert.equal((await lab.proxy.sh('nginx -t')).status, 0);
    await lab.proxy.sh(`rm -f ${deploys.WEBSOCKET}`);
    assert.equal(await deploys.config(lab.proxy), stock);
  }
  await lab.proxy.sh('mv /etc/letsencrypt.gone /etc/letsencrypt');
});

test('leaves the site either fully deployed or fully removed if it is killed', async () => {
  await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
  const before = await deploys.config(lab.proxy);
  const shim = '#!/bin/sh\nkill -KILL $PPID\nsleep 1\n';
  await lab.proxy.sh('cat >/usr/local/sbin/sync && chmod 755 /usr/local/sbin/sync', { input: shim });
  const killed = await remove();
  assert.notEqual(killed.exit, 0, killed.output);
  await lab.proxy.sh('rm /usr/local/sbin/sync');
  assert.equal(await deploys.config(lab.proxy), before);
  assert.equal((await remove()).outcome, 'applied');
  assert.equal(await deploys.config(lab.proxy), stock);
});

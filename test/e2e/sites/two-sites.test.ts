/** Both sites on one proxy, in either order: neither affects the other, although they share files. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as deploys from '../../lab/actors/deploys.ts';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';
import { local } from '../../lab/namespaces/process.ts';
import * as appliance from '../nexus/appliance.ts';

const NAMED = { NEXUS_SERVER_NAME: appliance.PUBLIC_NAME };
const HANDSHAKE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==',
];

let lab: Lab;
let stock: string;
before(async () => {
  lab = await startLab();
  await appliance.installServices(lab.proxy);
  stock = await deploys.config(lab.proxy);
});
after(() => lab.stop());

/** The HTTP status of a WebSocket handshake. */
async function handshake(url: string): Promise<string> {
  const headers = HANDSHAKE.flatMap((header) => ['-H', header]);
  const curl = local({ nothrow: true });
  return (await curl`curl -sk -m 1 --http1.1 -o /dev/null -w ${'%{http_code}'} ${headers} ${url}`).stdout;
}

interface One {
  readonly name: string;
  deploy(): Promise<deploys.DeployResult>;
  /** Asserts that it serves everything. */
  works(): Promise<void>;
  isGone(): Promise<void>;
  readonly releases: string;
}

const ia: One = {
  name: deploys.SITE,
  deploy: () => deploys.deploy(lab, deploys.withToken(deploys.TOKEN)),
  works: async () => {
    assert.deepEqual([await deploys.gate(deploys.TOKEN), await deploys.gate()], [200, 401]);
    assert.equal(await handshake(`https://${deploys.SITE}/api/agent-invocation/1`), '101');
  },
  isGone: async () => assert.notEqual(await deploys.gate(), 401),
  releases: deploys.RELEASES,
};
const nexus: One = {
  name: 'nexus',
  deploy: () => appliance.deployNexus(lab, lab.proxy, NAMED),
  works: async () => {
    assert.equal((await appliance.ask('/v1/a%2Fb')).service, 'ai-gateway');
    assert.equal(appliance.receiverOf(await appliance.ask('/metrics')), 'nginx 404');
    assert.equal(await handshake(`https://${appliance.PUBLIC_NAME}/ws?token=x`), '101');
  },
  isGone: async () =>
    assert.notEqual((await appliance.ask('/v1/a').catch(() => undefined))?.service, 'ai-gateway'),
  releases: '/var/lib/gatepost/nexus/releases',
};

async function run(script: string, site: One, ...args: readonly string[]): Promise<string> {
  const env = appliance.settings(lab.proxy, NAMED);
  const { status, stdout, stderr } = await lab.run(script, ['--json', '--site', site.name, ...args], { env });
  assert.equal(status, 0, stderr);
  return (JSON.parse(stdout) as { hosts: { outcome: string }[] }).hosts[0]?.outcome ?? '';
}

/** A site's files, times and history, and the files that both share. */
const state = (site: One) =>
  deploys.tree(
    lab.proxy,
    site.releases,
    `/etc/nginx/sites-*/${site.name}.conf`,
    site === ia ? deploys.MAPS : '',
    deploys.WEBSOCKET,
  );

for (const [first, second] of [
  [ia, nexus],
  [nexus, ia],
] as const) {
  describe(`${first.name}, then ${second.name}`, () => {
    test('both work, and a second deploy of each is unchanged', async () => {
      assert.equal((await first.deploy()).outcome, 'applied');
      const before = await state(first);
      assert.equal((await second.deploy()).outcome, 'applied');
      assert.equal(await state(first), before);
      await first.works();
      await second.works();
      for (const site of [first, second]) assert.equal((await site.deploy()).outcome, 'unchanged');
    });

    test('status reports clients only of the site that has a gate', async () => {
      for (const [site, has] of [
        [ia, true],
        [nexus, false],
      ] as const) {
        const options = { env: appliance.settings(lab.proxy, NAMED) };
        const shown = await lab.run('status', ['--site', site.name], options);
        assert.equal(/client|gate\b/.test(shown.stdout), has, shown.stdout);
        const { stdout } = await lab.run('status', ['--site', site.name, '--json'], options);
        const { hosts } = JSON.parse(stdout) as { hosts: readonly object[] };
        assert.equal('clients' in (hosts[0] ?? {}), has);
      }
    });

    test('removing the first leaves the second unchanged', async () => {
      const before = await state(second);
      assert.equal(await run('remove', first, '--yes'), 'applied');
      await first.isGone();
      await second.works();
      assert.equal(await state(second), before);
      assert.equal((await second.deploy()).outcome, 'unchanged');
    });

    test('deploying the first again and rolling back the second do not affect each other', async () => {
      assert.equal((await first.deploy()).outcome, 'applied');
      const before = await state(first);
      await lab.proxy.sh(
        `sed -i 's/server_tokens off;/server_tokens on;/' /etc/nginx/sites-available/${second.name}.conf`,
      );
      assert.equal((await second.deploy()).outcome, 'applied');
      assert.equal(await run('rollback', second, '--no-verify'), 'applied');
      await first.works();
      await second.works();
      assert.equal(await state(first), before);
    });

    test('removing both restores nginx', async () => {
      assert.equal(await run('remove', second, '--yes'), 'applied');
      await first.works();
      assert.equal(await run('remove', first, '--yes'), 'applied');
      assert.equal(await deploys.config(lab.proxy), stock);
    });
  });
}

test("the command in a rollback's advice, pasted, removes that site and not the other", async () => {
  await deploys.reset(lab.proxy);
  for (const site of [ia, nexus]) assert.equal((await site.deploy()).outcome, 'applied');
  const before = await state(ia);
  const env = appliance.settings(lab.proxy, NAMED);
  const given = ['--site', 'nexus', '--host', lab.proxy.address];
  const { status, stdout } = await lab.run('rollback', given, { env });
  assert.equal(status, 1, stdout);
  const [, flags = ''] = /`npx tsx scripts\/remove\.ts([^`]*)`/.exec(stdout) ?? [];
  assert.equal(flags, ` ${given.join(' ')}`, stdout);
  const json = await lab.run('rollback', [...given, '--json'], { env });
  assert.ok(JSON.parse(json.stdout).hosts[0].failure.next.includes(`scripts/remove.ts${flags}`), json.stdout);
  const removed = await lab.run('remove', [...flags.trim().split(' '), '--yes'], { env });
  assert.equal(removed.status, 0, removed.stdout);
  await nexus.isGone();
  await ia.works();
  assert.equal(await state(ia), before);
});

test('the same name for both is refused, and the first one keeps serving', async () => {
  await ia.deploy();
  const before = await deploys.config(lab.proxy);
  await lab.proxy.sh(`mkdir -p /etc/letsencrypt/live/${deploys.SITE}`);
  const refused = await appliance.deployNexus(lab, lab.proxy, { NEXUS_SERVER_NAME: deploys.SITE });
  assert.deepEqual([refused.exit, refused.outcome], [1, 'rolled-back'], refused.stderr);
  assert.match(refused.stderr, /conflicting server name/);
  assert.equal(await deploys.config(lab.proxy), before);
  await ia.works();
  await run('remove', ia, '--yes');
});

describe('if nginx includes only conf.d', () => {
  const conf = '/etc/nginx/nginx.conf';

  test('both sites are installed there, by name and by address, and removed again', async () => {
    await lab.proxy.sh(`sed -i '/sites-enabled/d' ${conf} && nginx -s reload`);
    const bare = await deploys.config(lab.proxy);
    assert.equal((await ia.deploy()).outcome, 'applied');
    const byAddress = await appliance.deployNexus(lab, lab.proxy);
    assert.deepEqual([byAddress.exit, byAddress.outcome], [0, 'applied'], byAddress.stderr);
    const { stdout } = await lab.proxy.sh('ls /etc/nginx/conf.d');
    assert.deepEqual(stdout.split('\n').filter(Boolean), [
      'ia-enso-http-maps.conf',
      'ia.enso.4nkweb.com.conf',
      'nexus.conf',
      'websocket-connection-map.conf',
    ]);
    await ia.works();
    await nexus.works();
    assert.equal((await appliance.ask('/v1/x', { host: appliance.ADDRESS })).service, 'ai-gateway');
    await run('remove', ia, '--yes');
    await nexus.works();
    await run('remove', nexus, '--yes');
    assert.equal(await deploys.config(lab.proxy), bare);
  });
});

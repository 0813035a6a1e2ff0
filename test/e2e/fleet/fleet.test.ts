/** Several proxies behind one jump host: each is told for itself, one goes first where it is asked for. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { HostReport } from '../../../lib/model/host-report.ts';
import * as deploys from '../../lab/actors/deploys.ts';
import { finished, type Host, type Lab, onceSaid, type Result, startLab } from '../../lab/namespaces/lab.ts';

const BROKEN = '/etc/nginx/conf.d/broken.conf';
let lab: Lab;
before(async () => {
  lab = await startLab({ proxies: 3, relays: ['jump'] });
});
after(() => lab.stop());

interface Ran extends Result {
  readonly hosts: readonly (HostReport & { checks: { name: string; ok: boolean; status: string }[] })[];
  readonly token?: string;
}

async function deploy(args: readonly string[] = [], env = {}): Promise<Ran> {
  const ran = await lab.run('deploy', ['--json', ...args], { env });
  return { ...ran, ...(JSON.parse(ran.stdout) as Omit<Ran, keyof Result>) };
}

const outcomes = ({ hosts }: Ran) => hosts.map(({ outcome }) => outcome);
const tokenOf = async (host: Host) =>
  (await host.sh(`sed -n 's/^"=[^"]*" "\\([0-9a-f]*\\) .*/\\1/p' ${deploys.CLIENT}`)).stdout.trim();
const break_ = (host: Host) => deploys.put(host, BROKEN, 'nonsense;\n');
const stopSshd = (host: Host) => host.sh('kill "$(cat /run/sshd.pid)"');
const startSshd = (host: Host) => host.sh('/usr/sbin/sshd -E /var/log/sshd.log');

beforeEach(async () => {
  await Promise.all(lab.proxies.map(deploys.reset));
});

describe('a fleet', () => {
  test('is deployed over one jump connection with one token, shown once; each proxy is checked', async () => {
    const before = lab.relay.connections;
    const ran = await deploy();
    assert.equal(lab.relay.connections - before, 1);
    assert.deepEqual([ran.status, outcomes(ran)], [0, ['applied', 'applied', 'applied']], ran.stderr);
    assert.equal((ran.stdout + ran.stderr).match(/[0-9a-f]{64}/g)?.length, 1);
    for (const host of lab.proxies) assert.equal(await tokenOf(host), ran.token);
    for (const { host, checks } of ran.hosts) {
      const opens = checks.find(({ name }) => name === 'bearer gate opens');
      assert.equal(opens?.status, 'passed', `${host}: ${JSON.stringify(checks)}`);
    }
    for (const { address } of lab.proxies)
      assert.match(ran.stderr, new RegExp(`^${address}: live \\(release .*\\); checks: `, 'm'));
  });

  test('with a broken, an unreachable and a healthy proxy: reports each, stops none, exits with the worst', async () => {
    const [broken, gone, fine] = lab.proxies as [Host, Host, Host];
    await break_(broken);
    await stopSshd(gone);
    try {
      const ran = await deploy(['--no-verify']);
      assert.deepEqual([ran.status, outcomes(ran)], [1, ['refused', 'failed', 'applied']], ran.stderr);
      assert.deepEqual(
        ran.hosts.map(({ host, failure }) => [host, failure?.code]),
        [
          [broken.address, 'sick'],
          [gone.address, 'ssh'],
          [fine.address, undefined],
        ],
      );
      assert.match(ran.stderr, /broken\.conf/);
      assert.match(ran.stderr, new RegExp(`${gone.address}.*(refused|closed)`));
      assert.equal(await tokenOf(fine), ran.token);
      assert.equal((await broken.sh(`ls ${deploys.VHOST} ${deploys.CLIENT}`)).stdout, '');
    } finally {
      await startSshd(gone);
    }
  });

  test('exits with 3 and names the proxy whose services fail their checks', async () => {
    const odd = lab.proxies[1] as Host;
    await deploys.put(
      odd,
      '/etc/nginx/conf.d/odd.conf',
      'limit_req_zone $server_name zone=odd:1m rate=1r/m;\nlimit_req zone=odd;\n',
    );
    const ran = await deploy([], deploys.withToken(deploys.TOKEN));
    assert.deepEqual([ran.status, outcomes(ran)], [3, ['applied', 'applied', 'applied']], ran.stderr);
    assert.deepEqual(
      ran.hosts.map(({ checks }) => checks.every(({ ok }) => ok)),
      [true, false, true],
    );
    assert.match(ran.stderr, new RegExp(`✗ .*${odd.address}: `));
  });

  test('is deployed one by one with --parallel 1', async () => {
    const ran = await deploy(['--no-verify', '--parallel', '1', '--verbose']);
    assert.deepEqual([ran.status, outcomes(ran)], [0, ['applied', 'applied', 'applied']]);
    const order = [...ran.stderr.matchAll(/ms {2}(192\S+)/g)].map(([, host]) => host);
    assert.deepEqual(order, [...order].sort());
  });

  test('with a proxy that has its own clients reports that it lacks the new token', async () => {
    await deploy(['--no-verify', '--host', lab.proxy.address]);
    const ran = await deploy(['--no-verify']);
    assert.deepEqual(outcomes(ran), ['unchanged', 'applied', 'applied']);
    assert.match(ran.stderr, new RegExp(`${lab.proxy.address}: already had clients`));
  });

  for (const flags of [['--parallel', '0'], ['--parallel', '101'], ['--parallel', 'many'], ['--parallel']])
    test(`refuses ${flags.join(' ')} and contacts nobody`, async () => {
      const before = lab.relay.connections;
      const ran = await deploy(flags);
      assert.deepEqual([ran.status, lab.relay.connections - before], [2, 0]);
      assert.match(ran.stderr, /--parallel/);
    });
});

describe('the connection to the jump host', () => {
  /** Deploys, and breaks what is open as soon as this was said; counts the connections. */
  async function cutOnce(said: RegExp, ...args: readonly string[]) {
    const before = lab.relay.connections;
    const child = lab.spawn('deploy', ['--json', '--verbose', '--no-verify', ...args]);
    onceSaid(child, said, () => void lab.relay.cut('rst'));
    const { status, stdout, stderr } = await finished(child);
    const { hosts } = JSON.parse(stdout) as Pick<Ran, 'hosts'>;
    const told = hosts.map(({ outcome }) => outcome);
    return { status, told, connections: lab.relay.connections - before, stderr };
  }

  test('drops while all are working: one new connection queries each outcome', async () => {
    const { stderr, ...ran } = await cutOnce(/(✓ inspect nginx[\s\S]*){3}/);
    const told = ['applied', 'applied', 'applied'];
    assert.deepEqual(ran, { status: 0, told, connections: 2 }, stderr);
  });

  test('drops between two proxies: the next ones are reached by a new connection', async () => {
    const { told, connections, stderr } = await cutOnce(/✓ record the release/, '--parallel', '1');
    // The second one may have been on its way.
    assert.deepEqual([told[0], told[2], connections], ['applied', 'applied', 2], stderr);
  });
});

describe('a check of the public name', () => {
  test('counts, and belongs to no single proxy in JSON', async () => {
    const [first] = lab.proxies as [Host];
    await lab.run('deploy', ['--no-verify'], { env: deploys.withToken(deploys.TOKEN) });
    // The name leads to the first proxy, which is cut off from the internet and not from its LAN.
    await first.sh('ip link set eth0 down');
    try {
      const ran = await deploy([], deploys.withToken(deploys.TOKEN));
      const { checks } = ran as unknown as Ran['hosts'][0];
      assert.equal(ran.status, 3, ran.stderr);
      assert.ok(checks.some(({ ok }) => !ok));
      for (const { checks: own } of ran.hosts) assert.ok(own.length > 0 && own.every(({ ok }) => ok));
    } finally {
      await first.sh('ip link set eth0 up');
    }
  });
});

describe('a canary', () => {
  const untouched = async () => {
    for (const host of lab.proxies.slice(1)) assert.equal((await host.sh(`ls ${deploys.VHOST}`)).stdout, '');
  };

  test('that is healthy lets the others follow', async () => {
    const ran = await deploy(['--canary', '--no-verify']);
    assert.deepEqual([ran.status, outcomes(ran)], [0, ['applied', 'applied', 'applied']]);
  });

  test('that is refused stops the rollout and sets the exit status', async () => {
    await break_(lab.proxy);
    const ran = await deploy(['--canary']);
    assert.deepEqual([ran.status, outcomes(ran)], [1, ['refused', 'refused', 'refused']]);
    assert.deepEqual(
      ran.hosts.map(({ failure }) => failure?.code),
      ['sick', 'not-tried', 'not-tried'],
    );
    assert.match(ran.stderr, /^192\.168\.1\.102: not tried/m);
    await untouched();
  });

  test('that is unreachable stops the rollout', async () => {
    await stopSshd(lab.proxy);
    try {
      const ran = await deploy(['--canary', '--no-verify']);
      assert.deepEqual([ran.status, outcomes(ran)], [1, ['failed', 'refused', 'refused']]);
      await untouched();
    } finally {
      await startSshd(lab.proxy);
    }
  });

  test('that fails its checks stops the rollout with 3', async () => {
    const ran = await deploy(['--canary'], { IA_ENSO_BACKEND_IP: '192.168.1.165' });
    assert.deepEqual([ran.status, outcomes(ran)], [3, ['applied', 'refused', 'refused']], ran.stderr);
    await untouched();
  });
});

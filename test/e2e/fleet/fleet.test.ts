/** Several proxies behind one jump host: each has its own result, and a canary goes first. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { HostReport } from '../../../lib/model/host-report.ts';
import { type ClientChange, clientProgram, type Wanted } from '../../../lib/program/client-program.ts';
import { Secret } from '../../../lib/util/secret.ts';
import * as deploys from '../../lab/actors/deploys.ts';
import * as programs from '../../lab/actors/programs.ts';
import {
  finished,
  type Host,
  type Lab,
  onceOutput,
  type Result,
  startLab,
} from '../../lab/namespaces/lab.ts';
import { CHECKOUT, TYPESCRIPT } from '../../lab/namespaces/process.ts';
import { watchProcesses } from '../../lab/probes/watch-processes.ts';

const BROKEN = '/etc/nginx/conf.d/broken.conf';
let lab: Lab;
before(async () => {
  lab = await startLab({ proxies: 3, relays: ['jump'] });
});
after(() => lab.stop());

interface FleetResult extends Result {
  readonly hosts: readonly (HostReport & { checks: { name: string; ok: boolean; status: string }[] })[];
  readonly token?: string;
}

async function deploy(args: readonly string[] = [], env = {}): Promise<FleetResult> {
  const result = await lab.run('deploy', ['--json', ...args], { env });
  return { ...result, ...(JSON.parse(result.stdout) as Omit<FleetResult, keyof Result>) };
}

const outcomes = ({ hosts }: FleetResult) => hosts.map(({ outcome }) => outcome);
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
    const result = await deploy();
    assert.equal(lab.relay.connections - before, 1);
    assert.deepEqual(
      [result.status, outcomes(result)],
      [0, ['applied', 'applied', 'applied']],
      result.stderr,
    );
    assert.equal((result.stdout + result.stderr).match(/[0-9a-f]{64}/g)?.length, 1);
    for (const host of lab.proxies) assert.equal(await tokenOf(host), result.token);
    for (const { host, checks } of result.hosts) {
      const opens = checks.find(({ name }) => name === 'bearer gate opens');
      assert.equal(opens?.status, 'passed', `${host}: ${JSON.stringify(checks)}`);
    }
    for (const { address } of lab.proxies)
      assert.match(result.stderr, new RegExp(`^${address}: live \\(release .*\\); checks: `, 'm'));
  });

  test('with a broken, an unreachable and a healthy proxy: reports each, stops none, exits with the worst', async () => {
    const [broken, gone, fine] = lab.proxies as [Host, Host, Host];
    await break_(broken);
    await stopSshd(gone);
    try {
      const result = await deploy(['--no-verify']);
      assert.deepEqual(
        [result.status, outcomes(result)],
        [1, ['refused', 'failed', 'applied']],
        result.stderr,
      );
      assert.deepEqual(
        result.hosts.map(({ host, failure }) => [host, failure?.code]),
        [
          [broken.address, 'sick'],
          [gone.address, 'ssh'],
          [fine.address, undefined],
        ],
      );
      assert.match(result.stderr, /broken\.conf/);
      assert.match(result.stderr, new RegExp(`${gone.address}.*(refused|closed)`));
      assert.equal(await tokenOf(fine), result.token);
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
    const result = await deploy([], deploys.withToken(deploys.TOKEN));
    assert.deepEqual(
      [result.status, outcomes(result)],
      [3, ['applied', 'applied', 'applied']],
      result.stderr,
    );
    assert.deepEqual(
      result.hosts.map(({ checks }) => checks.every(({ ok }) => ok)),
      [true, false, true],
    );
    assert.match(result.stderr, new RegExp(`✗ .*${odd.address}: `));
  });

  test('is deployed one by one with --parallel 1', async () => {
    const result = await deploy(['--no-verify', '--parallel', '1', '--verbose']);
    assert.deepEqual([result.status, outcomes(result)], [0, ['applied', 'applied', 'applied']]);
    const order = [...result.stderr.matchAll(/ms {2}(192\S+)/g)].map(([, host]) => host);
    assert.deepEqual(order, [...order].sort());
  });

  test('with a proxy that has its own clients reports that it lacks the new token', async () => {
    await deploy(['--no-verify', '--host', lab.proxy.address]);
    const result = await deploy(['--no-verify']);
    assert.deepEqual(outcomes(result), ['unchanged', 'applied', 'applied']);
    assert.match(result.stderr, new RegExp(`${lab.proxy.address}: already had clients`));
  });

  for (const flags of [['--parallel', '0'], ['--parallel', '101'], ['--parallel', 'many'], ['--parallel']])
    test(`refuses ${flags.join(' ')} and makes no connection`, async () => {
      const before = lab.relay.connections;
      const result = await deploy(flags);
      assert.deepEqual([result.status, lab.relay.connections - before], [2, 0]);
      assert.match(result.stderr, /--parallel/);
    });
});

describe('the connection to the jump host', () => {
  /** Deploys, and cuts open connections as soon as the output matches; counts the connections. */
  async function cutWhenPrinted(pattern: RegExp, ...args: readonly string[]) {
    const before = lab.relay.connections;
    const child = lab.spawn('deploy', ['--json', '--verbose', '--no-verify', ...args]);
    onceOutput(child, pattern, () => void lab.relay.cut('rst'));
    const { status, stdout, stderr } = await finished(child);
    const { hosts } = JSON.parse(stdout) as Pick<FleetResult, 'hosts'>;
    const outcomes = hosts.map(({ outcome }) => outcome);
    return { status, outcomes, connections: lab.relay.connections - before, stderr };
  }

  test('drops while all are working: one new connection queries each outcome', async () => {
    const { stderr, ...result } = await cutWhenPrinted(/(✓ inspect nginx[\s\S]*){3}/);
    const outcomes = ['applied', 'applied', 'applied'];
    assert.deepEqual(result, { status: 0, outcomes, connections: 2 }, stderr);
  });

  test('drops between two proxies: the next ones are reached by a new connection', async () => {
    const { outcomes, connections, stderr } = await cutWhenPrinted(/✓ record the release/, '--parallel', '1');
    // The second one may have been in progress.
    assert.deepEqual([outcomes[0], outcomes[2], connections], ['applied', 'applied', 2], stderr);
  });
});

const FOLDERS = '/etc/nginx/ia-enso-bearers /etc/nginx/ia-enso-live';
/** The files of the clients, and the names of live tokens. */
const bearerFiles = async (host: Host) =>
  (await host.sh(`sha256sum ${FOLDERS.split(' ')[0]}/* && ls ${FOLDERS}`)).stdout;

/** A proxy's HTTP status for a token. */
async function answerOn(host: Host, token: string): Promise<string> {
  const curl = `curl -sk -o /dev/null -w '%{http_code}' --resolve ${deploys.SITE}:443:127.0.0.1 -H @-`;
  const input = `Authorization: Bearer ${token}\n`;
  return (await host.sh(`${curl} https://${deploys.SITE}/ollama/v1/models`, { input })).stdout;
}

describe('the clients of several proxies', () => {
  const bearers = (args: readonly string[], env = {}) => lab.run('bearers', args, { env });
  const change = async (host: Host, requested: ClientChange) => {
    const program = await clientProgram(programs.context, requested, false);
    const { verdict, stdout } = await programs.execute(host, program);
    assert.equal(verdict, 'applied', stdout);
  };
  test('one that was added while a proxy was down is completed later, with the same token', async () => {
    const [has, gone] = lab.proxies as [Host, Host];
    const host = ['--host', `${has.address},${gone.address}`];
    await deploy(['--no-verify', ...host], deploys.withToken(deploys.TOKEN));
    await stopSshd(gone);
    const added = await bearers(['add', 'editor', '--no-verify', '--json', ...host]);
    await startSshd(gone);
    assert.equal(added.status, 1);
    const different = await lab.run('status', ['--json', ...host]);
    const { hosts, clientDifferences } = JSON.parse(different.stdout);
    assert.equal(different.status, 3);
    assert.equal(clientDifferences.length, 1);
    assert.equal(clientDifferences[0].client, 'editor');
    assert.equal(clientDifferences[0].on[gone.address], 'missing');
    assert.ok(hosts.every(({ verdict }: { verdict: string }) => verdict === 'needs attention'));
    // The command printed by both scripts.
    const command = /`npx tsx scripts\/bearers\.ts (copy editor [^`]*)`/;
    const [, words = ''] = command.exec(added.stderr.replace(/\s+/g, ' ')) ?? [];
    assert.equal(command.exec(different.stderr.replace(/\s+/g, ' '))?.[1], words);
    const { status, stderr } = await bearers(words.split(' '));
    assert.equal(status, 0, stderr);
    assert.equal(await bearerFiles(gone), await bearerFiles(has));
    assert.equal(await answerOn(gone, JSON.parse(added.stdout).token), '200');
    assert.deepEqual(JSON.parse((await lab.run('status', ['--json', ...host])).stdout).clientDifferences, []);
  });

  test('are copied unchanged in one change, and the tokens are visible nowhere else', async () => {
    const [from, to] = lab.proxies as [Host, Host];
    const host = ['--host', `${from.address},${to.address}`];
    await deploy(['--no-verify', ...host], deploys.withToken(deploys.TOKEN));
    const token = (name: string) => `${name}.$0123456789abcdef(x)`;
    const add = (at: Host, client: string, more: Partial<Wanted> = {}, text = token(client)) =>
      change(at, { verb: 'add_client', client, token: new Secret(text), scope: 'full', ...more });
    await add(from, 'plain');
    await add(from, 'limited', { limit: '60', concurrent: '2', scope: 'inference', end: '+9000' });
    await add(from, 'suspended');
    await add(from, 'ended');
    await add(from, 'expired', { end: '+2' });
    await change(from, { verb: 'suspend_client', client: 'suspended' });
    const rotated = new Secret(token('rotated'));
    await change(from, { verb: 'rotate', client: 'plain', token: rotated, keepPrevious: 3600 });
    await from.sh('rm /etc/nginx/ia-enso-live/ended.*');
    // Its key equals that of another client, ignoring case.
    const alike = `ALIKE-0123456789-0123456789-there`;
    await add(from, 'alike', {}, alike);
    await add(to, 'other', {}, 'alike-0123456789-0123456789-here');
    const args = ['copy', '--from', from.address, '--to', to.address, '--verbose', '--json'];
    const words = ['0123456789abcdef', 'ALIKE-0123456789', deploys.TOKEN];
    const watch = watchProcesses(words, /$^/);

    const before = await bearerFiles(to);
    const planned = await bearers([...args, '--dry-run']);
    assert.equal(planned.status, 0, planned.stderr);
    assert.equal(await bearerFiles(to), before);
    const result = await bearers(args);
    assert.equal(result.status, 0, result.stderr);
    assert.deepEqual(watch.stop(), []);
    for (const word of words) assert.ok(!JSON.stringify([planned, result]).includes(word), word);
    const { hosts, clients } = JSON.parse(result.stdout);
    assert.equal(hosts[0].host, to.address);
    assert.deepEqual(clients.sort(), [
      'alike',
      'default',
      'ended',
      'expired',
      'limited',
      'plain',
      'suspended',
    ]);
    assert.equal(hosts[0].checks.filter(({ ok }: { ok: boolean }) => ok).length, 5, result.stdout);
    const logs = await Promise.all(
      [from, to].map((host) => host.sh(`grep -rlF 0123456789 /var/lib/gatepost`)),
    );
    assert.deepEqual(
      logs.map(({ stdout }) => stdout),
      ['', ''],
    );

    const status = await lab.run('status', ['--json', ...host]);
    const differences = JSON.parse(status.stdout).clientDifferences as { client: string }[];
    // A token that was ended by hand arrives suspended, so that only `resume` makes it live.
    assert.deepEqual(
      differences.map(({ client }) => client),
      ['ended', 'other'],
      status.stdout,
    );
    const live = ['plain', 'rotated', 'limited'].map(token);
    for (const text of [...live, alike, deploys.TOKEN]) assert.equal(await answerOn(to, text), '200', text);
    for (const name of ['suspended', 'ended', 'expired'])
      assert.equal(await answerOn(to, token(name)), '401', name);
    const again = JSON.parse((await bearers(args)).stdout);
    assert.equal(again.hosts[0].outcome, 'unchanged');
  });

  test('do not replace others of the same name, and are not copied where sudo records the output', async () => {
    const [from, to] = lab.proxies as [Host, Host];
    await deploy(
      ['--no-verify', '--host', `${from.address},${to.address}`],
      deploys.withToken(deploys.TOKEN),
    );
    for (const [host, text] of [
      [from, 'one'],
      [to, 'two'],
    ] as const)
      await change(host, {
        verb: 'add_client',
        scope: 'full',
        client: 'guest',
        token: new Secret(`${text}-0123456789abcdef`),
      });
    await change(from, {
      verb: 'add_client',
      scope: 'full',
      client: 'editor',
      token: new Secret('editor-0123456789abcdef'),
    });
    const before = await bearerFiles(to);
    const args = ['--from', from.address, '--to', to.address, '--json', '--no-verify'];
    const refused = await bearers(['copy', ...args]);
    const [{ failure }] = JSON.parse(refused.stdout).hosts;
    assert.deepEqual([refused.status, failure.code], [1, 'copy-exists'], refused.stdout);
    assert.match(failure.text, /guest/);
    assert.equal(await bearerFiles(to), before);
    assert.equal((await bearers(['copy', 'editor', ...args])).status, 0);
    assert.equal((await bearers(['copy', 'nobody', ...args])).status, 1);
    assert.equal(await answerOn(to, 'editor-0123456789abcdef'), '200');
    assert.equal(await answerOn(to, 'two-0123456789abcdef'), '200');

    const sudoers = (text: string) =>
      from.sh(`echo '${text}' >/etc/sudoers.d/record; chmod 440 /etc/sudoers.d/record`);
    const copy = () => bearers(['copy', 'editor', ...args]);
    await sudoers('Defaults log_output');
    const recorded = await copy();
    const [host] = JSON.parse(recorded.stdout).hosts;
    assert.deepEqual([recorded.status, host.failure.code], [1, 'output-log'], recorded.stdout);
    assert.match(host.failure.text, /\(\/etc\/sudoers\.d\/record\)/);
    const { stdout } = await from.sh('grep -rc editor- /var/log/sudo-io || :');
    assert.doesNotMatch(stdout, /:[1-9]/);
    await sudoers('Defaults log_output\nDefaults:ncantu !log_output');
    const copied = await copy();
    assert.equal(copied.status, 0, copied.stdout);
    await from.sh('rm -rf /etc/sudoers.d/record /var/log/sudo-io');
  });
});

test('docs/backup.md restores a proxy and moves its site to a new one, as written', async () => {
  // The public name resolves to the first proxy, the new one.
  const [to, from] = lab.proxies as [Host, Host];
  const page = await readFile(`${CHECKOUT}/docs/backup.md`, 'utf8');
  const blocks = [...page.matchAll(/^( *)```sh\n([\s\S]*?)^ *```$/gm)].map(([, , text = '']) => text);
  assert.equal(blocks.length, 8);
  const names: Readonly<Record<string, string>> = { PROXY: from.address, OLD: from.address, NEW: to.address };
  const typed = async (block: string) => {
    const words = block
      .replaceAll('USER@JUMP', 'ncantu@4nk.myftp.biz')
      .replaceAll('USER@', 'ncantu@')
      .replaceAll(/\b(PROXY|OLD|NEW)\b(?!_)/g, (name) => names[name] ?? '')
      .replaceAll('npx tsx scripts/', `node ${TYPESCRIPT.join(' ')} ${CHECKOUT}/scripts/`);
    const result = await finished(
      spawn('sh', ['-euc', words], {
        cwd: lab.directory,
        env: { ...lab.env, IA_ENSO_PROXY_HOST: to.address },
      }),
    );
    assert.equal(result.status, 0, `${words}\n${result.stdout}${result.stderr}`);
  };
  const [backup = '', restore = '', ...move] = blocks;
  const first = await deploy(['--no-verify', '--host', from.address]);
  await lab.run('bearers', ['add', 'editor', '--no-verify', '--host', from.address]);
  await lab.run('bearers', ['suspend', 'editor', '--no-verify', '--host', from.address]);
  const clients = await bearerFiles(from);
  await typed(backup);
  await deploys.reset(from);
  await from.sh('rm -rf /etc/letsencrypt');
  await typed(restore);
  assert.equal(await bearerFiles(from), clients);
  assert.equal(await answerOn(from, first.token ?? ''), '200');

  await to.sh('rm -rf /etc/letsencrypt');
  for (const block of move) await typed(block);
  assert.equal(await bearerFiles(to), clients);
  assert.equal(await answerOn(to, first.token ?? ''), '200');
  const left = await from.sh(`grep -rl ${first.token} /etc/nginx /var/lib/gatepost; ls ${deploys.VHOST}`);
  assert.equal(left.stdout, '');
});

describe('a check of the public name', () => {
  test('counts, but belongs to no single proxy in the JSON', async () => {
    const [first] = lab.proxies as [Host];
    await lab.run('deploy', ['--no-verify'], { env: deploys.withToken(deploys.TOKEN) });
    // The name resolves to the first proxy, which loses its internet link but keeps its LAN.
    await first.sh('ip link set eth0 down');
    try {
      const result = await deploy([], deploys.withToken(deploys.TOKEN));
      const { checks } = result as unknown as FleetResult['hosts'][0];
      assert.equal(result.status, 3, result.stderr);
      assert.ok(checks.some(({ ok }) => !ok));
      for (const { checks: own } of result.hosts) assert.ok(own.length > 0 && own.every(({ ok }) => ok));
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
    const result = await deploy(['--canary', '--no-verify']);
    assert.deepEqual([result.status, outcomes(result)], [0, ['applied', 'applied', 'applied']]);
  });

  test('that is refused stops the rollout and sets the exit status', async () => {
    await break_(lab.proxy);
    const result = await deploy(['--canary']);
    assert.deepEqual([result.status, outcomes(result)], [1, ['refused', 'refused', 'refused']]);
    assert.deepEqual(
      result.hosts.map(({ failure }) => failure?.code),
      ['sick', 'not-tried', 'not-tried'],
    );
    assert.match(result.stderr, /^192\.168\.1\.102: not tried/m);
    await untouched();
  });

  test('that is unreachable stops the rollout', async () => {
    await stopSshd(lab.proxy);
    try {
      const result = await deploy(['--canary', '--no-verify']);
      assert.deepEqual([result.status, outcomes(result)], [1, ['failed', 'refused', 'refused']]);
      await untouched();
    } finally {
      await startSshd(lab.proxy);
    }
  });

  test('that fails its checks stops the rollout with 3', async () => {
    const result = await deploy(['--canary'], { IA_ENSO_BACKEND_IP: '192.168.1.165' });
    assert.deepEqual(
      [result.status, outcomes(result)],
      [3, ['applied', 'refused', 'refused']],
      result.stderr,
    );
    await untouched();
  });
});

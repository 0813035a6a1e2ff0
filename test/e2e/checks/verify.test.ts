/**
 * verify.ts against the real site, over every route, and defects outside of nginx: DNS, open ports, the route. Defects
 * in nginx are in sabotages.ts.
 */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { deploy, MAPS, TOKEN, withToken } from '../../lab/actors/deploys.ts';
import { startRelay } from '../../lab/faults/start-relay.ts';
import { type Lab, startBackends, startLab } from '../../lab/namespaces/lab.ts';
import { type HostSpec, proxies, publicNames, SITE, STATE } from '../../lab/namespaces/network.ts';
import { script } from '../clients/clients-lab.ts';

const ALL = 14;
const LOG = `/var/log/nginx/${SITE}.access.log`;

let lab: Lab;
let env: Record<string, string> = {};
before(async () => {
  lab = await startLab({ proxies: 2, relays: ['jump'] });
  assert.equal((await deploy(lab, withToken(TOKEN))).exit, 0);
  const { json } = await script(lab, 'bearers', ['add', 'judy', '--json', '--no-verify']);
  env = { ...withToken(TOKEN), IA_ENSO_INFERENCE_TOKEN: `${json.token}` };
});
after(() => lab.stop());

interface Checked {
  readonly name: string;
  readonly status: string;
  readonly detail: string;
  readonly milliseconds: number;
  readonly curl?: string;
}

/** Runs verify.ts --json; returns its checks by status. */
async function verify(args: readonly string[] = [], settings: Record<string, string> = env) {
  const result = await script(lab, 'verify', ['--json', ...args], { env: settings });
  for (const secret of [TOKEN, env.IA_ENSO_INFERENCE_TOKEN]) assert.ok(!result.all.includes(`${secret}`));
  const [host] = result.json.hosts;
  const checks = (host?.checks ?? []) as readonly Checked[];
  const named = (status: string) => checks.flatMap((each) => (each.status === status ? each.name : []));
  const detail = (name: string) => checks.find((each) => each.name === name)?.detail ?? '';
  return { ...result, host, checks, named, detail, why: JSON.stringify(checks, undefined, 1) };
}

/** The run's time without streaming, which waits for the model, and without Node's start. */
function ownTime({ host, checks }: Awaited<ReturnType<typeof verify>>): number {
  const { checks: all = 0 } = (host?.milliseconds ?? {}) as Record<string, number>;
  const elapsed = (name: string) => checks.find((each) => each.name === name)?.milliseconds ?? 0;
  const others = Math.max(...checks.map(({ name }) => (name === 'streaming' ? 0 : elapsed(name))));
  return others + (all - Math.max(others, elapsed('streaming')));
}

test('passes on a healthy site, in under two seconds apart from streaming', async () => {
  await lab.proxy.sh(`: >${LOG}`);
  const result = await verify();
  const { status, host, named, checks, why } = result;
  assert.equal(named('passed').length, ALL, why);
  assert.equal(status, 0);
  assert.equal(host?.host, SITE);
  for (const { curl } of checks) assert.match(`${curl}`, /^curl /);
  const { stdout } = await lab.proxy.sh(`grep '" 401 ' ${LOG} | grep -vc /api/me`);
  assert.equal(Number(stdout), 32, `${stdout} failed attempts: three runs must stay under 100`);
  // The fastest of three, because this machine may be busy.
  const times = [ownTime(result)];
  while (Math.min(...times) >= 2000 && times.length < 3) times.push(ownTime(await verify()));
  assert.ok(Math.min(...times) < 2000, `${times.join(', ')} ms`);
});

test('takes as long as its longest check and three round trips', async () => {
  const roundTrip = 200;
  const port = 8443;
  await startRelay(proxies(1)[0] as HostSpec, roundTrip, port, 443);
  const timed = async (...args: readonly string[]) => {
    const { host, why } = await verify(args);
    const { checks = 0 } = (host?.milliseconds ?? {}) as Record<string, number>;
    return { checks, why };
  };
  const far = ['--connect-to', `203.0.113.100:${port}`];
  let seen = '';
  // The fastest of three, because this machine may be busy.
  for (let tries = 0; tries < 3; tries += 1) {
    const near = await timed();
    const [all, longest] = [await timed(...far), await timed(...far, '--only', 'streaming')];
    // This machine's own work, without the stream's 0.7 s.
    if (all.checks <= longest.checks + 4 * roundTrip + near.checks - 700) return;
    seen = `${all.checks} ms, near ${near.checks} ms, streaming alone ${longest.checks} ms: ${all.why}`;
  }
  assert.fail(seen);
});

test('--curl shows the commands, --only runs some checks', async () => {
  const { stdout, status } = await lab.run('verify', ['--curl', '--only', 'GATE'], { env });
  assert.equal(status, 0, stdout);
  assert.match(
    stdout,
    /✓ bearer gate opens .*\n +curl -sS -H "Authorization: Bearer \$IA_ENSO_OLLAMA_BEARER_TOKEN" 'https/,
  );
  assert.match(stdout, /checks: 2 passed\n$/);
  assert.ok(!stdout.includes(TOKEN));
});

test('--connect-to and --via-ssh check a site before its name is public', async () => {
  await writeFile(`${STATE}/operator/hosts`, publicNames().replace(` ${SITE}`, ''));
  try {
    const lost = await verify();
    assert.equal(lost.status, 3);
    assert.match(lost.detail('certificate'), /getaddrinfo E.*DNS/);
    assert.match(lost.detail('public DNS'), /does not resolve here/);
    assert.ok(lost.named('skipped').includes('backend ports'), lost.why);
    for (const way of [
      ['--connect-to', '203.0.113.100'],
      ['--connect-to', '203.0.113.100:443'],
      ['--via-ssh'],
    ]) {
      const { status, named, detail, why } = await verify(way);
      assert.deepEqual(named('skipped'), ['public DNS', 'backend ports'], why);
      assert.equal(named('passed').length, ALL - 2, why);
      assert.equal(status, 0);
      assert.match(detail('public DNS'), new RegExp(way[0] ?? ''));
    }
  } finally {
    await writeFile(`${STATE}/operator/hosts`, publicNames());
  }
});

test('without tokens, skips the checks that need one without failing', async () => {
  const { status, named, detail, why } = await verify([], {});
  assert.deepEqual(
    named('skipped'),
    ['bearer gate opens', 'streaming', 'inference scope', 'cloud account'],
    why,
  );
  assert.equal(named('passed').length, ALL - 4, why);
  assert.equal(status, 0);
  assert.match(detail('inference scope'), /set IA_ENSO_INFERENCE_TOKEN/);
});

/** Changes the machine with Ollama. */
const changeMachine = (machine: object, address = lab.backend.address) =>
  lab.backend.sh(`curl -fsS -X PUT -d @- http://${address}:11434/stand-in`, {
    input: JSON.stringify(machine),
  });

test('warns about an account at ollama.com that any client can spend, and generates nothing', async () => {
  const only = ['--only', 'cloud'];
  const remote = { name: 'big:cloud', remote_host: 'https://ollama.com:443' };
  const { IA_ENSO_INFERENCE_TOKEN: token = '' } = env;
  const inference = { IA_ENSO_INFERENCE_TOKEN: token };
  const judged = async (machine: object, settings = env) => {
    await changeMachine(machine);
    await lab.proxy.sh(`: >${LOG}`);
    const { status, checks } = await verify(only, settings);
    assert.equal(status, 0);
    const { stdout } = await lab.proxy.sh(`cut -d'"' -f2 ${LOG} | sort | tr '\\n' ';'`);
    return [checks[0]?.status, checks[0]?.detail, stdout] as const;
  };
  try {
    const [signedIn, detail, requests] = await judged({ account: 'owner', models: [remote] });
    assert.equal(signedIn, 'warned', detail);
    assert.match(`${detail}`, /signed in.*scope inference.*1 model .*big:cloud.*OLLAMA_NO_CLOUD=1/);
    assert.doesNotMatch(`${detail}`, /owner/);
    assert.match(requests, /^GET \S+status;GET \S+tags;POST \S+me;$/);
    const [unknown, why] = await judged({ models: [] }, inference);
    assert.equal(unknown, 'skipped', why);
    assert.match(`${why}`, /scope full in IA_ENSO_OLLAMA_BEARER_TOKEN/);
    const [off, how, requestLog] = await judged({ isCloudDisabled: true });
    assert.equal(off, 'passed', how);
    assert.doesNotMatch(
      requestLog,
      /api\/me/,
      'a server with cloud models disabled is not queried for its account',
    );
  } finally {
    await changeMachine({ account: '', isCloudDisabled: false, models: [] });
  }
});

test('fails if a name also resolves to a private address', async () => {
  await writeFile(`${STATE}/operator/hosts`, `${publicNames()}10.1.2.3 ${SITE}\n`);
  const { status, named, detail, why } = await verify();
  await writeFile(`${STATE}/operator/hosts`, publicNames());
  assert.deepEqual([status, named('warned'), named('failed')], [0, ['public DNS'], []], why);
  assert.match(detail('public DNS'), /resolves to 10\.1\.2\.3: .*`ssrf_blocked`.*DNS record/);
});

test('fails if a backend port is open to the world', async () => {
  const listen = `require('net').createServer().listen(3001, '203.0.113.100', () => console.log('up'))`;
  const open = spawn('nsenter', ['-t', `${lab.proxy.pid}`, '-n', '--', process.execPath, '-e', listen]);
  await once(open.stdout, 'data');
  const { status, named, detail, why } = await verify();
  open.kill('SIGKILL');
  assert.deepEqual([status, named('failed')], [3, ['backend ports']], why);
  assert.match(
    detail('backend ports'),
    /^203\.0\.113\.100:3001 is reachable.*ufw allow from 192\.168\.1\.100 to any port 11434,3001 proto tcp && .*ufw deny/,
  );
});

test('reports usage errors and makes no connection', async () => {
  const bad = [
    [['--only', 'nonsense'], /no such check; there are: .*path bypass attempts/],
    [['--connect-to', 'a b'], /it must be HOST, HOST:PORT/],
    [['--connect-to', '203.0.113.100', '--via-ssh'], /two ways/],
  ] as const;
  for (const [args, says] of bad) {
    const { status, stdout } = await lab.run('verify', args, { env });
    assert.equal(status, 2);
    assert.match(stdout, says);
  }
});

test('--via-ssh checks each proxy and names the failing one', async () => {
  const second = lab.proxies[1];
  await second?.sh(`sed -i 's/|version)/|version|delete)/' ${MAPS}; nginx -s reload`);
  await sleep(400);
  const before = lab.relay.connections;
  const { status, json, stderr } = await verify(['--via-ssh']);
  assert.equal(status, 3, stderr);
  assert.equal(lab.relay.connections - before, 1, 'by one connection to the jump host');
  const failing = json.hosts.map(({ host, checks }) => [
    host,
    checks.flatMap((each) => (each.status === 'failed' ? each.name : [])),
  ]);
  assert.deepEqual(failing, [
    ['192.168.1.100', []],
    ['192.168.1.101', ['inference scope']],
  ]);
  assert.match(stderr, /on 192\.168\.1\.101, through SSH\n(?: +[✓–✗].*\n)+/);
});

test('reports a proxy that SSH cannot reach, and nothing about the site', async () => {
  const { status, host } = await verify(['--via-ssh', '--host', '192.168.1.250']);
  assert.equal(status, 1);
  assert.equal(host?.outcome, 'failed');
  assert.equal(host?.failure?.code, 'ssh');
});

test('--via-ssh and status query each of several machines, and show their differences', async () => {
  const other = '192.168.1.165';
  const backends = { IA_ENSO_OLLAMA_BACKENDS: `${lab.backend.address},${other}` };
  const [at, there] = [`${lab.backend.address}:11434`, `${other}:11434`];
  await lab.backend.sh(`ip addr add ${other}/24 dev eth1`);
  await startBackends(other);
  assert.equal((await deploy(lab, { ...withToken(TOKEN), ...backends })).exit, 0);
  const queryMachines = async () => {
    const machines = await verify(['--via-ssh', '--only', 'machines'], { ...env, ...backends });
    const { json, all } = await script(lab, 'status', ['--json'], { env: backends });
    const host = json.hosts[0] as unknown as Record<
      'attention' | 'backends',
      readonly Record<string, string>[]
    >;
    const faults = host.attention.flatMap(({ about, text }) => (about === 'a backend' ? `${text}` : []));
    return { exit: machines.status, check: machines.checks[0], faults, backends: host.backends, all };
  };
  const alike = await queryMachines();
  assert.deepEqual([alike.exit, alike.check?.status, alike.faults], [0, 'passed', []], alike.all);
  const models = [{ name: 'tiny:latest', digest: 'a'.repeat(12) }];
  assert.deepEqual(
    alike.backends.filter(({ port }) => `${port}` === '11434'),
    [lab.backend.address, other].map((address) => ({
      address,
      port: 11434,
      state: 'open',
      version: '0.12.0',
      models,
    })),
  );
  await changeMachine({ version: '0.13.1', models: [{ name: 'extra' }] }, other);
  const unlike = await queryMachines();
  assert.deepEqual([unlike.exit, unlike.check?.status], [0, 'warned'], unlike.all);
  assert.deepEqual(unlike.faults, [
    `the machines have different versions: 0.12.0 (${at}), 0.13.1 (${there}); bring them to the same one`,
    `the machines have different models: extra is not on ${at}. Each request goes to one of them: \`ollama pull MODEL\` on the machine itself (through the gate, only the first one changes)`,
  ]);
  assert.match(`${unlike.check?.detail}`, /different versions.*different models/);
  const here = await verify(['--only', 'machines'], { ...env, ...backends });
  assert.deepEqual([here.status, here.named('skipped')], [0, ['backend machines']]);
});

test('checks CORS only with origins, and reports one that was not deployed', async () => {
  const chat = 'https://chat.example.org';
  const settings = { ...withToken(TOKEN), IA_ENSO_CORS_ORIGINS: chat };
  assert.equal((await deploy(lab, settings)).exit, 0);
  const { status, named, why } = await verify([], { ...env, IA_ENSO_CORS_ORIGINS: chat });
  assert.deepEqual([status, named('passed').includes('CORS')], [0, true], why);
  const other = await verify(['--only', 'CORS'], {
    ...env,
    IA_ENSO_CORS_ORIGINS: `${chat},http://localhost:3000`,
  });
  assert.equal(other.status, 3, other.why);
  assert.match(other.detail('CORS'), /preflight of http:\/\/localhost:3000 returns 4(?:01|29).*Deploy/);
});

/** verify.ts against the real site: content with it as it is, and not with it spoilt in one way; by every way to ask. */
import '../lab/enter.ts';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { deploy, MAPS, TOKEN, VHOST, withToken } from '../lab/deploys.ts';
import { type Lab, startLab } from '../lab/lab.ts';
import { publicNames, SITE, STATE } from '../lab/lab-network.ts';
import { script } from './clients-lab.ts';

const ALL = 11;
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

/** Runs verify.ts --json; its checks by status. */
async function verify(args: readonly string[] = [], settings: Record<string, string> = env) {
  const ran = await script(lab, 'verify', ['--json', ...args], { env: settings });
  for (const secret of [TOKEN, env.IA_ENSO_INFERENCE_TOKEN]) assert.ok(!ran.all.includes(`${secret}`));
  const [host] = ran.json.hosts;
  const checks = (host?.checks ?? []) as readonly Checked[];
  const named = (status: string) => checks.flatMap((each) => (each.status === status ? each.name : []));
  const detail = (name: string) => checks.find((each) => each.name === name)?.detail ?? '';
  return { ...ran, host, checks, named, detail, why: JSON.stringify(checks, undefined, 1) };
}

async function reload() {
  const { status, stderr } = await lab.proxy.sh('nginx -t && nginx -s reload');
  assert.equal(status, 0, stderr);
  await sleep(400);
}

/** Changes a file of nginx by sed while `use` runs. */
async function spoilt<T>(file: string, sed: string, use: () => Promise<T>): Promise<T> {
  const { stdout } = await lab.proxy.sh(
    `cp ${file} /root/kept; sed -i '${sed}' ${file}; cmp ${file} /root/kept`,
  );
  assert.notEqual(stdout, '', 'sed changed nothing');
  await reload();
  try {
    return await use();
  } finally {
    await lab.proxy.sh(`cat /root/kept >${file}`);
    await reload();
  }
}

test('is content with the site as it is, in under two seconds beside streaming', async () => {
  await lab.proxy.sh(`: >${LOG}`);
  const { status, host, named, checks, why } = await verify();
  assert.equal(named('passed').length, ALL, why);
  assert.equal(status, 0);
  assert.equal(host?.host, SITE);
  for (const { name, milliseconds, curl } of checks) {
    assert.ok(name === 'streaming' || milliseconds < 2000, `${name} took ${milliseconds} ms`);
    assert.match(`${curl}`, /^curl /);
  }
  const { stdout } = await lab.proxy.sh(`grep -c '" 401 ' ${LOG}`);
  assert.equal(Number(stdout), 32, `${stdout} failed attempts: three runs must stay under 100`);
});

test('--curl tells how to ask by hand, --only asks a part', async () => {
  const { stdout, status } = await lab.run('verify', ['--curl', '--only', 'GATE'], { env });
  assert.equal(status, 0, stdout);
  assert.match(
    stdout,
    /✓ bearer gate opens .*\n +curl -sS -H "Authorization: Bearer \$IA_ENSO_OLLAMA_BEARER_TOKEN" 'https/,
  );
  assert.match(stdout, /checks: 2 passed\n$/);
  assert.ok(!stdout.includes(TOKEN));
});

test('by --connect-to and by --via-ssh, before the name is public', async () => {
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

test('without tokens, what needs one is skipped, and that is no failure', async () => {
  const { status, named, detail, why } = await verify([], {});
  assert.deepEqual(named('skipped'), ['bearer gate opens', 'streaming', 'inference scope'], why);
  assert.equal(named('passed').length, ALL - 3, why);
  assert.equal(status, 0);
  assert.match(detail('inference scope'), /set IA_ENSO_INFERENCE_TOKEN/);
});

test('a scope that is too wide', async () => {
  const { status, named, detail, why } = await spoilt(MAPS, 's/|version)/|version|delete)/', () => verify());
  assert.deepEqual(named('failed'), ['inference scope'], why);
  assert.equal(status, 3);
  assert.match(detail('inference scope'), /DELETE \S+ gives 200 .*bearers.ts list.*deploy the site again/);
});

test('a nested location that the gate does not guard', async () => {
  const nested = 's,proxy_redirect default;,&\\n location ~ \\\\.js$ { proxy_pass http://ia_enso_ollama; },';
  const { named, detail, why } = await spoilt(VHOST, nested, () => verify());
  assert.deepEqual(named('failed'), ['path spellings'], why);
  assert.match(detail('path spellings'), /\/ollama\/x\.js reaches Ollama.*nginx -T.*Deploy the site again/);
});

test('a regex location beside the gate', async () => {
  const beside =
    's,location = /ollama {,location ~* ^/ollama { rewrite ^/[^/]*(/.*)$ $1 break; proxy_set_header Host localhost; proxy_pass http://ia_enso_ollama; }\\n&,';
  const { named, detail, checks, why } = await spoilt(VHOST, beside, () => verify());
  assert.deepEqual(named('failed'), ['path spellings'], why);
  assert.match(detail('path spellings'), /\/OLLAMA\/api\/tags.* reach Ollama: anyone/);
  assert.match(`${checks.find(({ name }) => name === 'path spellings')?.curl}`, /--path-as-is/);
});

test('a gate that is open is told once, not for every spelling', async () => {
  const { named, detail, why } = await spoilt(VHOST, 's/ia_enso_ollama_[a-z]* != 1/host = none/', () =>
    verify(),
  );
  assert.ok(named('failed').includes('bearer gate refuses'), why);
  assert.match(detail('path spellings'), /gate is open as it is/);
});

test('a name that leads to a private address as well', async () => {
  await writeFile(`${STATE}/operator/hosts`, `${publicNames()}10.1.2.3 ${SITE}\n`);
  const { status, named, detail, why } = await verify();
  await writeFile(`${STATE}/operator/hosts`, publicNames());
  assert.deepEqual([status, named('warned'), named('failed')], [0, ['public DNS'], []], why);
  assert.match(detail('public DNS'), /leads to 10\.1\.2\.3, .*`ssrf_blocked`.*DNS record/);
});

test('a backend port that is open to the world', async () => {
  const listen = `require('net').createServer().listen(3001, '203.0.113.100', () => console.log('up'))`;
  const open = spawn('nsenter', ['-t', `${lab.proxy.pid}`, '-n', '--', process.execPath, '-e', listen]);
  await once(open.stdout, 'data');
  const { status, named, detail, why } = await verify();
  open.kill('SIGKILL');
  assert.deepEqual([status, named('failed')], [3, ['backend ports']], why);
  assert.match(
    detail('backend ports'),
    /^203\.0\.113\.100:3001 is open.*ufw allow from 192\.168\.1\.100 to any port 11434,3001 proto tcp && .*ufw deny/,
  );
});

test('names what is wrong in the command line, and contacts nobody', async () => {
  const bad = [
    [['--only', 'nonsense'], /no such check; there are: .*path spellings/],
    [['--connect-to', 'a b'], /it must be HOST, HOST:PORT/],
    [['--connect-to', '203.0.113.100', '--via-ssh'], /two ways/],
  ] as const;
  for (const [args, says] of bad) {
    const { status, stdout } = await lab.run('verify', args, { env });
    assert.equal(status, 2);
    assert.match(stdout, says);
  }
});

test('--via-ssh asks each proxy, and tells which one is spoilt', async () => {
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

test('a proxy that cannot be reached by SSH is told, and nothing is said of the site', async () => {
  const { status, host } = await verify(['--via-ssh', '--host', '192.168.1.250']);
  assert.equal(status, 1);
  assert.equal(host?.outcome, 'failed');
  assert.equal(host?.failure?.code, 'ssh');
});

/** status.ts reports what is on a proxy, and changes nothing. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';
import { script } from '../clients/clients-lab.ts';

const TOKEN = 'IA_ENSO_OLLAMA_BEARER_TOKEN';
const FIRST = 'first-vMx3qLr81TzWk60b';
const STORE = '/var/lib/gatepost';
const VHOST = '/etc/nginx/sites-available/ia.enso.4nkweb.com.conf';

let lab: Lab;
const env = { [TOKEN]: FIRST };
/** The status of the only host; only the lab's certificate, which nothing renews, needs attention. */
const status = async (expected: readonly string[] = ['renewal']) => {
  const { status: exit, json, all } = await script(lab, 'status', ['--json']);
  const attention = (json.hosts[0]?.attention ?? []) as readonly { about: string }[];
  assert.deepEqual([...new Set(attention.map(({ about }) => about))], expected, all);
  assert.equal(exit, expected.length > 0 ? 3 : 0, all);
  assert.ok(!all.includes(FIRST));
  return (json.hosts[0] ?? {}) as unknown as Record<string, never>;
};
/** Names, times and content of everything that a run could change. */
const everything = async () =>
  (
    await lab.proxy.sh(
      `find ${STORE} /etc/nginx -printf '%p %m %T@ %s\\n' 2>/dev/null | sort; cat ${STORE}/lock 2>/dev/null; ls /tmp`,
    )
  ).stdout;

before(async () => {
  lab = await startLab();
});
after(() => lab.stop());

test('reports a proxy without the site', async () => {
  const before = await everything();
  const { nginx, releases, clients, backends, verdict } = await status([]);
  assert.equal(verdict, 'not deployed');
  assert.deepEqual(nginx, { version: '1.22.1', healthy: true, running: true });
  assert.deepEqual([releases, clients, backends], [[], [], []]);
  assert.equal(await everything(), before);
});

test('reports releases, files, certificate, clients and backends, and writes nothing', async () => {
  await script(lab, 'deploy', ['--json', '--no-verify'], { env });
  await script(lab, 'bearers', ['add', 'judy', '--json', '--no-verify']);
  const before = await everything();
  const now: Record<string, never> = await status();
  assert.equal(await everything(), before);
  const releases = now.releases as unknown as Record<string, string>[];
  assert.deepEqual(
    releases.map(({ kind, about }) => [kind, about]),
    [
      ['add client', 'judy'],
      ['deploy', ''],
    ],
  );
  assert.match(`${releases[0]?.who}`, /^root@/);
  assert.match(`${releases[0]?.gatepost}`, /^\d+\.\d+\.\d+$/);
  assert.equal(now.current, releases[0]?.id);
  assert.deepEqual(now.drift, []);
  const { daysLeft, names } = now.certificate as unknown as Record<string, unknown>;
  assert.ok(Number(daysLeft) > 10, `${daysLeft}`);
  assert.equal(names, 'ia.enso.4nkweb.com');
  assert.deepEqual(
    (now.clients as unknown as { name: string }[]).map(({ name }) => name),
    ['default', 'judy'],
  );
  assert.deepEqual(now.backends, [
    { address: '192.168.1.164', port: 3001, state: 'open' },
    {
      address: '192.168.1.164',
      port: 11434,
      state: 'open',
      version: '0.12.0',
      models: [{ name: 'tiny:latest', digest: 'a'.repeat(12) }],
    },
  ]);
});

test('the text output shows the same', async () => {
  const { stdout } = await lab.run('status');
  for (const words of [
    /nginx 1\.22\.1: running, accepts/,
    /days left/,
    /add client judy \(current\)/,
    /11434 +open, checked from the proxy: version 0\.12\.0, 1 model$/m,
    /as released/,
    /: needs attention: renewal$/m,
  ])
    assert.match(stdout, words);
  assert.doesNotMatch(stdout, /✓ +192\./);
});

test('reports drift, a broken configuration, a backend that is down, a missing certificate', async () => {
  const live = '/etc/letsencrypt/live';
  await lab.proxy.sh(
    `echo broken >>${VHOST}; rm /etc/nginx/conf.d/ia-enso-http-maps.conf; mv ${live} ${live}.away`,
  );
  await lab.proxy.sh('ip route add unreachable 192.168.1.164/32');
  const now: Record<string, never> = await status(['nginx', 'the certificate', 'files', 'a backend']);
  await lab.proxy.sh(`ip route del unreachable 192.168.1.164/32; mv ${live}.away ${live}`);
  assert.deepEqual(now.drift, [
    { path: '/etc/nginx/conf.d/ia-enso-http-maps.conf', how: 'removed' },
    { path: VHOST, how: 'changed' },
  ]);
  assert.deepEqual(now.nginx, { version: '1.22.1', healthy: false, running: true });
  assert.match(`${now.messages}`, /emerg/);
  assert.match(JSON.stringify(now.backends), /11434,"state":"unreachable"/);
  assert.match(JSON.stringify(now.certificate), /"ends":"missing"/);
  const { status: mended } = await script(lab, 'deploy', ['--json', '--no-verify'], { env });
  assert.equal(mended, 0);
});

test('reports who holds the lock without waiting for it, and a run left unfinished', async () => {
  const hold = `exec 9>>${STORE}/lock; flock 9; echo "eve@desk (site x, run y, process $$)" >${STORE}/lock; echo held; read -r _`;
  const { spawn } = await import('node:child_process');
  const holder = spawn('nsenter', ['-t', `${lab.proxy.pid}`, '-m', '-u', '-n', '--', 'sh', '-c', hold]);
  await new Promise((held) => holder.stdout.once('data', held));
  assert.match(`${(await status()).busy}`, /^eve@desk/);
  holder.stdin.end('\n');
  await new Promise((ended) => holder.once('close', ended));
  const journal = `${STORE}/ia.enso.4nkweb.com/journal`;
  await lab.proxy.sh(`mkdir ${journal}; echo 'RUN of mallory@desk' >${journal}/run; : >${journal}/before`);
  const now = await status(['an interrupted run', 'renewal']);
  assert.equal(now.busy, undefined);
  assert.equal(now.unfinished, 'RUN of mallory@desk');
});

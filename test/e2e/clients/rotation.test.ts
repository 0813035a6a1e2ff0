/** Rotation: the new token is live and the old one rejected, even after failures, without affecting other clients. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';
import { NAMED, readStream, script, startWrk, statusOf } from './clients-lab.ts';

const TOKEN = 'IA_ENSO_OLLAMA_BEARER_TOKEN';
const FIRST = 'first-vMx3qLr81TzWk60b';
const SECOND = 'second.t*ken+(a)[b]{c}^$|?;#~%&=<>$host`@!,:_-/';
const MAP = '/etc/nginx/ia-enso-bearers/default.map';

let lab: Lab;
let envFile: string;
const settings = (token: string | undefined) => ({ env: { [TOKEN]: token } });
const rotate = (args: readonly string[], token?: string) =>
  script(lab, 'rotate-bearer', ['--json', ...args], settings(token));

before(async () => {
  lab = await startLab();
  await script(lab, 'deploy', ['--json', '--no-verify'], settings(FIRST));
  envFile = join(lab.directory, '.env');
});
after(() => lab.stop());

describe('rotation', () => {
  beforeEach(async () => {
    await rm(envFile, { force: true });
    if ((await statusOf(FIRST)) === 200) return;
    const deployed = await script(lab, 'deploy', ['--json', '--no-verify'], settings(FIRST));
    assert.equal(deployed.status, 0, deployed.stderr);
  });

  test('generates a token and shows it once; the old one is rejected', async () => {
    const { status, stdout, stderr } = await lab.run('rotate-bearer', [], settings(undefined));
    assert.equal(status, 0, stderr);
    const tokens = (stdout + stderr).match(/[0-9a-f]{64}/g) ?? [];
    assert.equal(tokens.length, 1);
    assert.deepEqual([await statusOf(tokens[0]), await statusOf(FIRST)], [200, 401]);
    assert.match(stdout, /Override OpenAI Base URL +https:\/\/ia\.enso\.4nkweb\.com\/ollama\/v1/);
    assert.match(stdout, /OLLAMA_AUTH_TOKEN='<token>'/);
  });

  test('takes the token from the environment, with any characters', async () => {
    await writeFile(envFile, `${TOKEN}=${FIRST}\n`, { mode: 0o600 });
    const { status, json, all } = await rotate([], SECOND);
    assert.equal(status, 0, all);
    assert.equal(json.token, undefined);
    assert.deepEqual(
      json.hosts[0]?.checks.map(({ name, status: how }) => [name, how]),
      [
        ['new bearer opens', 'passed'],
        ['old bearer is refused', 'passed'],
      ],
    );
    assert.ok(!all.includes(SECOND) && !all.includes(FIRST));
    assert.deepEqual([await statusOf(SECOND), await statusOf(FIRST)], [200, 401]);
    assert.equal(await statusOf(SECOND.replace('t*ken', 'T*ken')), 401);
  });

  test('refuses the token that is already live', async () => {
    const { status, json } = await rotate([], FIRST);
    assert.equal(status, 1);
    assert.equal(json.hosts[0]?.outcome, 'refused');
    assert.equal(json.hosts[0]?.failure?.text, 'the new token is already the current one');
    assert.equal(await statusOf(FIRST), 200);
  });

  test('--keep-previous accepts the previous token until it is revoked', async () => {
    await writeFile(envFile, `${TOKEN}=${FIRST}\n`, { mode: 0o600 });
    const kept = await rotate(['--keep-previous'], SECOND);
    assert.equal(kept.status, 0, kept.all);
    assert.deepEqual(kept.json.hosts[0]?.checks.length, 2);
    assert.deepEqual([await statusOf(SECOND), await statusOf(FIRST)], [200, 200]);
    const third = await rotate(['--revoke-previous'], 'a-third-token-not-looked-at');
    assert.equal(third.status, 0, third.all);
    assert.equal(third.json.token, undefined);
    assert.deepEqual([await statusOf(SECOND), await statusOf(FIRST)], [200, 401]);
    assert.equal((await rotate(['--revoke-previous'])).json.hosts[0]?.outcome, 'unchanged');
  });

  test("a named client always gets a generated token; the environment's token is not used", async () => {
    const added = await script(lab, 'bearers', ['add', 'bob', '--json'], settings(SECOND));
    const { status, json } = await rotate(['--client', 'bob'], SECOND);
    assert.equal(status, 0);
    assert.match(`${json.token}`, /^[0-9a-f]{64}$/);
    const seen = await Promise.all(
      [json.token, added.json.token, FIRST, SECOND].map((token) => statusOf(token)),
    );
    assert.deepEqual(seen, [200, 401, 200, 401]);
    const [, scope] =
      /(full|inference):bob\./.exec((await lab.proxy.sh(`cat ${MAP.replace('default', 'bob')}`)).stdout) ??
      [];
    assert.equal(scope, 'inference');
    assert.equal((await script(lab, 'bearers', ['revoke', 'bob', '--json'])).status, 0);
  });

  test('refuses an unknown client and lists the known ones', async () => {
    const { status, json } = await rotate(['--client', 'nobody']);
    assert.equal(status, 1);
    assert.match(`${json.hosts[0]?.failure?.text}`, /no client nobody; there are: default$/);
  });

  test('--dry-run changes nothing and shows no token', async () => {
    const { status, all, json } = await rotate(['--dry-run', '--write-env']);
    assert.equal(status, 0);
    assert.equal(json.hosts[0]?.outcome, 'planned');
    assert.doesNotMatch(all, /[0-9a-f]{64}/);
    assert.equal(await statusOf(FIRST), 200);
    await assert.rejects(stat(envFile), { code: 'ENOENT' });
  });

  test('verifies the rotation while a backend is down', async () => {
    await lab.proxy.sh('ip route add blackhole 192.168.1.164/32');
    const { status, json, all } = await rotate([]);
    await lab.proxy.sh('ip route del blackhole 192.168.1.164/32');
    assert.equal(status, 0, all);
    assert.match(`${json.hosts[0]?.checks[0]?.detail}`, /accepted at .* returns 50/);
  });
});

describe('under load', () => {
  test('ten rotations of another client fail no request and cut no stream', async () => {
    await rotate([], FIRST);
    assert.equal((await script(lab, 'bearers', ['add', 'other', '--json'], settings(undefined))).status, 0);
    const stream = readStream(FIRST, 100, 150);
    const load = startWrk(FIRST);
    for (let i = 0; i < 10; i++) assert.equal((await rotate(['--client', 'other', '--no-verify'])).status, 0);
    const { failed, count } = await load.stop();
    assert.deepEqual(failed, []);
    assert.ok(count > 1000, `${count} requests`);
    assert.equal(await stream, 100);
    const releases = '/var/lib/gatepost/ia.enso.4nkweb.com/releases';
    const kinds = (await lab.proxy.sh(`cat ${releases}/*/meta | grep ^kind | sort | uniq -c`)).stdout;
    assert.match(kinds, /kind apply/, 'ten rotations displace no deploy in the history');
  });

  test('five deploys fail no request and cut no stream', async () => {
    const stream = readStream(FIRST, 60, 150);
    const load = startWrk(FIRST);
    for (let i = 0; i < 5; i++) {
      await lab.proxy.sh(`echo '# by hand' >>/etc/nginx/sites-available/ia.enso.4nkweb.com.conf`);
      const { json } = await script(lab, 'deploy', ['--no-verify', '--json'], settings(FIRST));
      assert.equal(json.hosts[0]?.outcome, 'applied');
    }
    const { failed, count } = await load.stop();
    assert.deepEqual(failed, []);
    assert.ok(count > 500, `${count} requests`);
    assert.equal(await stream, 60);
  });

  test("stores no token on the proxy outside the clients' files", async () => {
    const { json } = await rotate([], undefined);
    const token = `${json.token}`;
    const recent = 'find /etc /var/lib/gatepost /var/log /var/tmp /tmp /run /home -type f -mmin -5';
    const { stdout } = await lab.proxy.sh(`${recent} -exec grep -lF ${token} {} + 2>/dev/null`);
    assert.equal(stdout, `${MAP}\n`);
    assert.equal(
      NAMED.test((await lab.proxy.sh('tail -n 1 /var/log/nginx/ia.enso.4nkweb.com.access.log')).stdout),
      true,
    );
  });
});

/** --write-env: the env file and the proxy agree, even after an interruption between the two. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';
import { script, statusOf } from './clients-lab.ts';

const TOKEN = 'IA_ENSO_OLLAMA_BEARER_TOKEN';
const FIRST = 'first-vMx3qLr81TzWk60b';
const SECOND = 'second.t*ken+(a)[b]{c}^$|?;#~%&=<>$host`@!,:_-/';

let lab: Lab;
let envFile: string;
let whole: Promise<{ down: number }>;
const settings = (token: string | undefined) => ({ env: { [TOKEN]: token } });
const rotate = (args: readonly string[], token?: string) =>
  script(lab, 'rotate-bearer', ['--json', ...args], settings(token));
const inFile = async () =>
  /^IA_ENSO_OLLAMA_BEARER_TOKEN=(.*?)\r?$/m.exec(await readFile(envFile, 'utf8'))?.[1] ?? '';

describe('--write-env', () => {
  before(async () => {
    lab = await startLab({ relays: ['jump'] });
    envFile = join(lab.directory, '.env');
    await script(lab, 'deploy', ['--json', '--no-verify'], settings(SECOND));
    await script(lab, 'rotate-bearer', ['--json', '--no-verify'], settings(FIRST));
    whole = lab.relay.traffic();
    await whole;
  });
  after(() => lab.stop());

  beforeEach(async () => {
    await writeFile(envFile, `# mine\r\nIA_ENSO_BACKEND_IP=192.168.1.164\r\n${TOKEN}=${FIRST}\r\n`);
    if ((await statusOf(FIRST)) === 200) return;
    await lab.run('deploy', ['--no-verify'], settings(undefined));
    assert.equal(await statusOf(FIRST), 200);
  });

  test('writes the new token into the file with mode 0600, keeps every other byte, and the proxy accepts it', async () => {
    const { status, json, all } = await rotate(['--write-env']);
    assert.equal(status, 0, all);
    assert.equal(
      await readFile(envFile, 'utf8'),
      `# mine\r\nIA_ENSO_BACKEND_IP=192.168.1.164\r\n${TOKEN}=${json.token}\r\n`,
    );
    assert.equal((await stat(envFile)).mode & 0o777, 0o600);
    assert.deepEqual([await statusOf(`${json.token}`), await statusOf(FIRST)], [200, 401]);
  });

  test('a live token that would be refused today is replaced, and rejected afterwards', async () => {
    const weak = 'passwordpassword';
    const map = '/etc/nginx/ia-enso-bearers/default.map';
    await lab.proxy.sh(
      `sed -i 's/^"[^"]*" "[^ ]*/"=${weak}" "${weak}/' ${map} && nginx -s reload; sleep 0.5`,
    );
    assert.equal(await statusOf(weak), 200);
    await writeFile(envFile, `${TOKEN}=${weak}\n`);
    const refused = await lab.run('rotate-bearer', ['--json']);
    assert.equal(refused.status, 2, refused.stdout);
    assert.ok(!(refused.stdout + refused.stderr).includes(weak));
    assert.match(refused.stdout, /IA_ENSO_OLLAMA_BEARER_TOKEN: .*openssl rand -hex 32/);
    const { status, json, all } = await rotate(['--write-env']);
    assert.equal(status, 0, all);
    assert.match(all, /✓ old bearer is refused/);
    assert.ok(!all.includes(weak));
    assert.equal(await inFile(), json.token);
    assert.deepEqual([await statusOf(`${json.token}`), await statusOf(weak)], [200, 401]);
  });

  test('writes a token of the process environment into the file, quoted as needed', async () => {
    assert.equal((await rotate(['--write-env'], SECOND)).status, 0);
    assert.equal(await inFile(), `'${SECOND}'`);
    assert.equal(await statusOf(SECOND), 200);
    const again = await rotate(['--write-env'], SECOND);
    assert.deepEqual([again.status, await inFile()], [1, `'${SECOND}'`]);
    assert.match(again.all, /already contains the new token/);
    assert.doesNotMatch(again.all, /was restored|not live/);
  });

  test('restores the old line when the change is rolled back', async () => {
    await lab.proxy.sh('echo "server { listen 80; broken" >/etc/nginx/conf.d/other.conf');
    const { status, all } = await rotate(['--write-env']);
    await lab.proxy.sh('rm /etc/nginx/conf.d/other.conf');
    assert.equal(status, 1, all);
    assert.match(all, /was restored: the new token is not live on any proxy/);
    assert.equal(await inFile(), FIRST);
    assert.equal(await statusOf(FIRST), 200);
  });

  test('makes no connection and no change if the file cannot be written', async () => {
    const before = lab.relay.connections;
    const { status, all } = await script(lab, 'rotate-bearer', [
      '--json',
      '--write-env',
      '--env',
      'none/.env',
    ]);
    assert.equal(status, 1);
    assert.match(all, /none\/\.env cannot be written/);
    assert.equal(lab.relay.connections, before);
  });

  for (const moment of ['before the program is there', 'while the program runs'] as const) {
    test(`killed ${moment}: run again, file and proxy agree`, async () => {
      const child = lab.spawn('rotate-bearer', ['--write-env', '--json'], settings(undefined));
      const until = moment === 'while the program runs' ? /inspect nginx/ : /now contains the new token/;
      await new Promise<void>((done) => child.stderr?.on('data', (part) => until.test(`${part}`) && done()));
      child.kill('SIGKILL');
      assert.match(await inFile(), /^[0-9a-f]{64}$/);
      const again = await rotate(['--write-env']);
      assert.equal(again.status, 0, again.all);
      assert.equal(await inFile(), again.json.token);
      assert.deepEqual([await statusOf(await inFile()), await statusOf(FIRST)], [200, 401]);
    });
  }

  for (const [kind, part] of [
    ['fin', 0.7],
    ['rst', 0.85],
    ['fin', 0.95],
  ] as const) {
    test(`connection lost (${kind}) after ${part} of the output: the outcome is queried, the file agrees`, async () => {
      const { down } = await whole;
      await lab.relay.fault({ kind, direction: 'down', afterBytes: Math.round(down * part) });
      const { status, json, all } = await rotate(['--write-env']);
      await lab.relay.heal();
      const live = await inFile();
      assert.equal(await statusOf(live), 200, all);
      assert.equal(status, json.hosts[0]?.outcome === 'applied' ? 0 : 1, all);
      assert.equal(live === FIRST, status === 1, all);
    });
  }
});

describe('--write-env, two proxies', () => {
  before(async () => {
    lab = await startLab({ proxies: 2 });
    envFile = join(lab.directory, '.env');
    await writeFile(envFile, `${TOKEN}=${FIRST}\n`);
    assert.equal((await script(lab, 'deploy', ['--json', '--no-verify'], settings(undefined))).status, 0);
  });
  after(() => lab.stop());

  test('if one refuses, the file keeps the token that the other accepts; run again, both accept one', async () => {
    await lab.proxies[1]?.sh('echo "server { broken" >/etc/nginx/conf.d/other.conf');
    const { status, json, all } = await rotate(['--write-env', '--no-verify']);
    assert.equal(status, 1, all);
    assert.deepEqual(
      json.hosts.map(({ outcome }) => outcome),
      ['applied', 'refused'],
    );
    assert.match(all, /keeps the new token; [\d.]+ still accepts the old one/);
    assert.equal(await inFile(), json.token);
    await lab.proxies[1]?.sh('rm /etc/nginx/conf.d/other.conf');
    const again = await rotate(['--write-env', '--no-verify']);
    assert.equal(again.status, 0, again.all);
    assert.equal(await inFile(), again.json.token);
    const listed = await script(lab, 'bearers', ['list', '--json']);
    const prints = listed.json.hosts.map(({ clients }) => clients?.[0]?.fingerprints);
    assert.deepEqual(prints[0], prints[1]);
  });

  test('if one proxy is unreachable, the file and the other proxy agree', async () => {
    const hosts = `${lab.proxy.address},192.168.1.250`;
    const { status, json, all } = await rotate(['--write-env', '--host', hosts]);
    assert.equal(status, 1, all);
    assert.deepEqual(
      json.hosts.map(({ outcome }) => outcome),
      ['applied', 'failed'],
    );
    assert.equal(await statusOf(await inFile()), 200);
  });
});

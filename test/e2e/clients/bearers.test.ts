/** Named clients: added, listed, revoked, each with its scope. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';
import { readStream, script, statusOf } from './clients-lab.ts';

const TOKEN = 'IA_ENSO_OLLAMA_BEARER_TOKEN';
const FIRST = 'first-vMx3qLr81TzWk60b';

let lab: Lab;
const bearers = (args: readonly string[], env: Record<string, string | undefined> = {}) =>
  script(lab, 'bearers', [...args, '--json'], { env });
const listed = async () => (await bearers(['list'])).json.hosts[0]?.clients ?? [];
const added = async (...args: string[]): Promise<string> => {
  const { status, json, all } = await bearers(['add', ...args], { [TOKEN]: FIRST });
  assert.equal(status, 0, all);
  return `${json.token}`;
};

before(async () => {
  lab = await startLab();
});
after(() => lab.stop());

test('is refused before the first deploy, and names deploy.ts', async () => {
  const { status, json } = await bearers(['add', 'early']);
  assert.equal(status, 1);
  assert.equal(json.hosts[0]?.failure?.code, 'no-gate');
  assert.match(`${json.hosts[0]?.failure?.next}`, /scripts\/deploy\.ts/);
  assert.equal(json.token, undefined);
  assert.equal((await lab.proxy.sh('ls /etc/nginx/ia-enso-bearers')).status, 2);
  const { status: deployed } = await script(lab, 'deploy', ['--json', '--no-verify'], {
    env: { [TOKEN]: FIRST },
  });
  assert.equal(deployed, 0);
});

test('a new client may only use inference: 403 for everything else, in every encoding', async () => {
  const token = await added('carol');
  assert.match(token, /^[0-9a-f]{64}$/);
  assert.equal(await statusOf(token), 200);
  const outside = [
    '/ollama/api/delete',
    '/ollama//api/delete',
    '/ollama/v1/../api/delete',
    '/ollama/api/%64elete',
    '/ollama/api/tags/',
  ];
  for (const path of outside) assert.equal(await statusOf(token, path, 'DELETE'), 403, path);
  assert.equal(await statusOf(FIRST, '/ollama/api/delete', 'DELETE'), 200);
});

test('--scope full reaches everything', async () => {
  const token = await added('dave', '--scope', 'full');
  assert.equal(await statusOf(token, '/ollama/api/delete', 'DELETE'), 200);
});

test('lists names, scopes, times and fingerprints, and no token', async () => {
  const token = await added('erin');
  await statusOf(token);
  const { json, all } = await bearers(['list']);
  assert.doesNotMatch(all, /[0-9a-f]{64}/);
  assert.ok(!all.includes(FIRST));
  const clients = json.hosts[0]?.clients ?? [];
  assert.deepEqual(
    clients.map(({ name, scope }) => [name, scope]),
    [
      ['carol', 'inference'],
      ['dave', 'full'],
      ['default', 'full'],
      ['erin', 'inference'],
    ],
  );
  const { fingerprints, created, rotated, lastUsed } = clients[3] ?? {};
  assert.deepEqual(fingerprints, [createHash('sha256').update(token).digest('hex').slice(0, 12)]);
  assert.match(`${created}`, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.equal(created, rotated);
  const ago = Date.now() - Date.parse(`${lastUsed}`);
  assert.ok(ago >= 0 && ago < 60_000, `${lastUsed}`);
});

test('--limit gives 429 above the requests per minute, also after a rotation', async () => {
  const passing = async (token: string) => {
    const all = await Promise.all(Array.from({ length: 14 }, () => statusOf(token)));
    assert.deepEqual(
      all.filter((status) => status !== 200 && status !== 429),
      [],
    );
    return all.filter((status) => status === 200).length;
  };
  const token = await added('judy', '--limit', '10');
  const first = await passing(token);
  assert.ok(first >= 5 && first <= 11, `${first} of 14, some of the ten went into the proof`);
  const own = (await listed()).find(({ name }) => name === 'judy');
  assert.deepEqual([own?.scope, own?.limit], ['inference', 10]);
  const rotated = await script(lab, 'rotate-bearer', ['--client', 'judy', '--no-verify', '--json']);
  assert.equal(rotated.status, 0, rotated.all);
  const then = await passing(`${rotated.json.token}`);
  assert.ok(then < 5, `a new token is no new limit: ${then} of 14`);
  assert.equal((await bearers(['revoke', 'judy'])).status, 0);
});

test('a token with special characters has its own fingerprint', async () => {
  const odd = '$host.a+b*(c)[d]{e}^f|g?;#~%&=<>`@!,:_-/';
  assert.equal((await script(lab, 'rotate-bearer', ['--json'], { env: { [TOKEN]: odd } })).status, 0);
  const own = (await listed()).find(({ name }) => name === 'default');
  assert.deepEqual(own?.fingerprints, [createHash('sha256').update(odd).digest('hex').slice(0, 12)]);
  assert.equal((await script(lab, 'rotate-bearer', ['--json'], { env: { [TOKEN]: FIRST } })).status, 0);
});

test('a rotation to the token of another client is refused', async () => {
  const token = await added('frank');
  const { status, json } = await script(lab, 'rotate-bearer', ['--json'], { env: { [TOKEN]: token } });
  assert.equal(status, 1);
  assert.equal(json.hosts[0]?.failure?.text, 'the new token is already used by the client frank');
});

test('refuses an existing name, and its token stays', async () => {
  const token = await added('grace');
  const { status, json } = await bearers(['add', 'grace']);
  assert.equal(status, 1);
  assert.equal(json.hosts[0]?.failure?.code, 'client-exists');
  assert.equal(json.token, undefined);
  assert.equal(await statusOf(token), 200);
});

test('a revoked client is rejected; its running stream is not cut', async () => {
  const token = await added('heidi');
  const stream = readStream(token, 30, 100);
  const { status, all } = await bearers(['revoke', 'heidi']);
  assert.equal(status, 0, all);
  assert.match(all, /Streams that this client has open/);
  assert.equal(await statusOf(token), 401);
  assert.equal(await stream, 30);
  assert.equal((await lab.proxy.sh('ls /etc/nginx/ia-enso-bearers | grep heidi')).stdout, '');
  const again = await bearers(['revoke', 'heidi']);
  assert.equal(again.status, 1);
  assert.match(`${again.json.hosts[0]?.failure?.text}`, /no client heidi; there are: carol dave default/);
});

test('no deploy and no rollback restores a revoked client', async () => {
  const token = await added('ivan');
  const env = { [TOKEN]: FIRST, IA_ENSO_BACKEND_IP: '192.168.1.165' };
  assert.equal((await script(lab, 'deploy', ['--json', '--no-verify'], { env })).status, 0);
  assert.equal((await bearers(['revoke', 'ivan'])).status, 0);
  const back = await script(lab, 'rollback', ['--json', '--no-verify']);
  assert.equal(back.json.hosts[0]?.outcome, 'applied', back.all);
  assert.equal(await statusOf(token), 401);
  assert.equal(await statusOf(FIRST), 200);
});

test('the gate rejects everybody without its last client, and that is reported', async () => {
  for (const { name } of await listed())
    if (name !== 'default') assert.equal((await bearers(['revoke', `${name}`])).status, 0);
  const { status, all, json } = await bearers(['revoke', 'default'], { [TOKEN]: FIRST });
  assert.equal(status, 0, all);
  assert.match(all, /default is the last client: the gate now rejects every request/);
  assert.equal(json.hosts[0]?.checks[0]?.name, 'its bearer is refused');
  assert.equal(await statusOf(FIRST), 401);
  assert.deepEqual(await listed(), []);
});

const MISTAKES: readonly (readonly [args: readonly string[], says: RegExp])[] = [
  [[], /the command is missing/],
  [
    ['remove', 'x'],
    /^unknown command; there are: list, add NAME, set NAME, .*revoke NAME, copy \[NAME\], usage$/,
  ],
  [['list', 'x'], /list: takes no name/],
  [['add'], /add: the name of the client is missing/],
  [['add', ''], /^add NAME: a client's name is 1 to 64/],
  [['add', '../x'], /a client's name is/],
  [['add', 'a/b'], /a client's name is/],
  [['add', '.x'], /a client's name is/],
  [['add', 'Alice'], /a client's name is/],
  [['add', 'x'.repeat(65)], /a client's name is/],
  [['add', 'default'], /add default: this name is reserved for the token in the settings/],
  [['add', 'x', 'y'], /takes one name/],
  [['add', 'x', '--scope', 'all'], /--scope: must be full or inference/],
  [['add', 'x', '--limit', '7'], /--limit: must be one of 10, 60, 600/],
  [['add', 'x', '--limit', ''], /--limit: must not be empty/],
  [['revoke', 'x', '--limit', '10'], /--limit: only for add and set/],
  [['revoke', 'x', '--scope', 'full'], /--scope: only for add and set/],
  [['copy'], /copy: --from HOST and --to HOST are missing/],
  [['copy', '--from', '10.0.0.1'], /--to/],
  [['copy', '--from', '10.0.0.1', '--to', '10.0.0.1'], /^--from and --to: are the same proxy/],
  [['copy', '--from', 'a b', '--to', '10.0.0.1'], /^--from: must be a host name or an address/],
  [['copy', '--from', '10.0.0.1', '--to', '10.0.0.2', '--host', '10.0.0.3'], /--from and --host/],
  [['copy', '../x', '--from', '10.0.0.1', '--to', '10.0.0.2'], /a client's name is/],
  [['list', '--from', '10.0.0.1', '--to', '10.0.0.2'], /only for copy/],
];

test('usage errors end before any connection', async () => {
  const runs = MISTAKES.map(async ([args, says]) => {
    const { status, json } = await bearers(args, { DEPLOY_SSH_PROXY_HOST: 'nowhere.invalid' });
    assert.equal(status, 2, args.join(' '));
    assert.match(`${json.error?.message}`, says);
  });
  await Promise.all(runs);
});

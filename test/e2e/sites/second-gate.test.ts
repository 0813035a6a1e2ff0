/**
 * A second site with a gate, from the unmodified files of examples/llama.cpp, next to the first one on the same proxy.
 */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import * as deploys from '../../lab/actors/deploys.ts';
import { copyProject, ROOT } from '../../lab/actors/project.ts';
import { DIRECTORY } from '../../lab/certificates/lab-ca.ts';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';
import { BACKEND } from '../../lab/namespaces/network.ts';
import {
  finished,
  local,
  PATH,
  ready,
  spawnProcess,
  TYPESCRIPT,
  typescript,
} from '../../lab/namespaces/process.ts';
import type { ScriptResult } from '../clients/clients-lab.ts';

const NAME = 'llm.example.org';
const EXAMPLE = join(ROOT, 'examples/llama.cpp');
const TOKEN = 'Second.Gate.Token+0123456789abcdef';
const VHOST = `/etc/nginx/sites-available/${NAME}.conf`;

let lab: Lab;
let copy: string;
before(async () => {
  lab = await startLab();
  copy = await copyProject(join(lab.directory, 'llm'));
  await cp(EXAMPLE, join(copy, 'sites'), { recursive: true });
  const backend = [`--net=/run/netns/${BACKEND.name}`, process.execPath];
  const args = [...backend, ...typescript('test/lab/stand-ins/llama-cpp.ts', [`${BACKEND.lan}`])];
  await Promise.all([
    ready(spawnProcess({ env: { PATH }, stdio: ['ignore', 'pipe', 'pipe'] }, 'nsenter', args), 'llama.cpp'),
    lab.startAcme(),
    deploys.deploy(lab, deploys.withToken(deploys.TOKEN)),
  ]);
});
after(() => lab.stop());

/** Runs a script of the copy for the second site, with --json. */
async function run(script: string, args: readonly string[] = [], env: Record<string, string> = {}) {
  const command = [...TYPESCRIPT, join(copy, `scripts/${script}.ts`), '--site', NAME, '--json', ...args];
  const own = {
    LLM_PROXY_HOST: lab.proxy.address,
    LLM_PROXY_USER: 'ncantu',
    LLM_BACKEND_IP: lab.backend.address,
    ACME_DIRECTORY_URL: DIRECTORY,
  };
  const child = spawn(process.execPath, command, {
    cwd: lab.directory,
    env: { ...lab.env, ...own, ...env },
  });
  const { status, stdout, stderr } = await finished(child);
  if (!stdout.endsWith('}\n')) throw new Error(`${script} ended with ${status} and no JSON: ${stderr}`);
  return { status, stderr, json: JSON.parse(stdout) as ScriptResult['json'] };
}

/** The second site's HTTP status. */
async function statusOf(path: string, token?: string): Promise<number> {
  const header = token ? ['-H', `Authorization: Bearer ${token}`] : [];
  const curl = local({ nothrow: true });
  const { stdout } =
    await curl`curl -sk -m 10 -o /dev/null -w ${'%{http_code}'} ${header} https://${NAME}${path}`;
  return Number(stdout);
}

const models = (token?: string): Promise<number> => statusOf('/v1/models', token);
/** The names of failed checks and warnings. */
const problems = ({ json }: Awaited<ReturnType<typeof run>>) =>
  [...(json.hosts[0]?.checks ?? []), ...((json as { checks?: [] }).checks ?? [])]
    .filter(({ status }) => status === 'failed' || status === 'warned')
    .map(({ name, detail }: { name: string; detail: string }) => `${name}: ${detail}`);
/** In the lab, the public name's address is from a documentation network. */
const isOfLab = (problem: string): boolean => !problem.startsWith('public name');

test('the example is at most three files of one screen each', async () => {
  const files = (await readdir(EXAMPLE)).filter((name) => !name.endsWith('.md'));
  assert.ok(files.length <= 3, files.join(', '));
  for (const file of files) {
    const lines = (await readFile(join(EXAMPLE, file), 'utf8')).split('\n').length - 1;
    assert.ok(lines <= 51, `${file}: ${lines} lines`);
  }
});

test('gets its certificate and is deployed next to the first site, with every check passing', async () => {
  const before = await deploys.tree(lab.proxy, deploys.MAPS, deploys.VHOST, '/etc/nginx/ia-enso-bearers');
  const deployed = await run('bootstrap-tls', [], { LLM_BEARER_TOKEN: TOKEN });
  assert.deepEqual([deployed.status, problems(deployed).filter(isOfLab)], [0, []], deployed.stderr);
  assert.equal(
    await deploys.tree(lab.proxy, deploys.MAPS, deploys.VHOST, '/etc/nginx/ia-enso-bearers'),
    before,
  );
  assert.equal((await run('deploy', ['--no-verify'])).json.hosts[0]?.outcome, 'unchanged');
});

test('the token of one site does not work on the other', async () => {
  assert.deepEqual([await models(TOKEN), await models(deploys.TOKEN), await models()], [200, 401, 401]);
  assert.deepEqual([await deploys.gate(deploys.TOKEN), await deploys.gate(TOKEN)], [200, 401]);
  assert.deepEqual(
    [await statusOf('/health'), await statusOf('/'), await statusOf('/props', TOKEN)],
    [401, 401, 200],
  );
});

test('has its own clients: added, rotated at their limit, listed, revoked', async () => {
  const added = await run('bearers', ['add', 'editor', '--limit', '10']);
  const token = added.json.token ?? '';
  assert.deepEqual([added.status, problems(added)], [0, []], added.stderr);
  assert.match(added.json.use ?? '', /https:\/\/llm\.example\.org\/v1\n/);
  assert.doesNotMatch(added.json.use ?? '', /ollama|org\/\//i);
  assert.deepEqual([await statusOf('/v1/models', token), await statusOf('/slots', token)], [200, 403]);
  for (let tries = 0; tries < 12 && (await models(token)) === 200; tries++);
  assert.equal(await models(token), 429);
  const rotated = await run('rotate-bearer', ['--client', 'editor']);
  assert.deepEqual([rotated.status, problems(rotated)], [0, []], rotated.stderr);
  assert.equal(await models(token), 401);
  const { json } = await run('bearers', ['list']);
  assert.deepEqual(json.hosts[0]?.clients?.map(({ name }) => name).sort(), ['default', 'editor']);
  assert.equal((await run('bearers', ['revoke', 'editor'])).status, 0);
  assert.equal(await models(rotated.json.token), 401);
  const first = await lab.run('bearers', ['list', '--json']);
  assert.deepEqual(
    (JSON.parse(first.stdout) as ScriptResult['json']).hosts[0]?.clients?.map(({ name }) => name),
    ['default'],
  );
});

test('verify and status report it, and a rollback keeps its clients', async () => {
  const checked = await run('verify', [], { LLM_BEARER_TOKEN: TOKEN });
  assert.deepEqual([checked.status, problems(checked).filter(isOfLab)], [0, []], checked.stderr);
  assert.equal((await run('status')).status, 0);
  const elsewhere = { LLM_BACKEND_IP: '192.168.1.2' };
  assert.equal((await run('deploy', ['--no-verify'], elsewhere)).json.hosts[0]?.outcome, 'applied');
  assert.equal(await models(TOKEN), 502);
  const back = await run('rollback', ['--no-verify']);
  assert.equal(back.json.hosts[0]?.outcome, 'applied', back.stderr);
  assert.equal(await models(TOKEN), 200);
});

test('a location that bypasses the gate is found, although the backend has no such path', async () => {
  const leak = 'location ~* "[.](js|css)$" { proxy_pass http://llm_server; }';
  const modified = await lab.proxy.sh(
    `sed -i 's,location ^~ / {,${leak} location / {,' ${VHOST} && nginx -t && nginx -s reload && sleep 0.5`,
  );
  assert.equal(modified.status, 0, modified.stderr);
  const checked = await run('verify', ['--only', 'bypass']);
  assert.equal(checked.status, 3, checked.stderr);
  assert.match(problems(checked).join(), /\/v1\/x\.js reaches llama\.cpp/);
  assert.equal((await run('deploy', ['--no-verify'])).json.hosts[0]?.outcome, 'applied');
});

test('a file that defines a variable of the site is refused by its name, before any change', async () => {
  const copied = '/etc/nginx/conf.d/copied.conf';
  await deploys.put(lab.proxy, copied, 'map $uri $llm_authorized { default 1; }\n');
  const before = await deploys.config(lab.proxy);
  const elsewhere = { LLM_BACKEND_IP: '192.168.1.2' };
  const { status, json } = await run('deploy', ['--no-verify'], elsewhere);
  assert.deepEqual(
    [status, json.hosts[0]?.outcome, json.hosts[0]?.failure?.code],
    [1, 'refused', 'variable'],
  );
  assert.match(json.hosts[0]?.failure?.text ?? '', /conf\.d\/copied\.conf defines \$llm_authorized/);
  assert.equal(await deploys.config(lab.proxy), before);
  await lab.proxy.sh(`rm ${copied}`);
  assert.equal((await run('deploy', ['--no-verify'])).status, 0);
});

test('its removal does not change the first site', async () => {
  const before = await deploys.tree(lab.proxy, deploys.MAPS, deploys.VHOST, '/etc/nginx/ia-enso-bearers');
  const { status, stderr } = await run('remove', ['--yes']);
  assert.equal(status, 0, stderr);
  assert.equal(
    await deploys.tree(lab.proxy, deploys.MAPS, deploys.VHOST, '/etc/nginx/ia-enso-bearers'),
    before,
  );
  assert.deepEqual([await deploys.gate(deploys.TOKEN), await deploys.gate()], [200, 401]);
  const { stdout } = await lab.proxy.sh('find /etc/nginx -name "*llm*"');
  assert.equal(stdout, '');
});

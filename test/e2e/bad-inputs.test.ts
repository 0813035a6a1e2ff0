/** Bad inputs, as an operator gives them: exit 2, the variable or the flag named, no secret repeated, nobody contacted. */
import '../lab/enter.ts';
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { inParallel } from '../../lib/parallel.ts';
import { finished, type Result, typescript } from '../lab/lab-process.ts';

const TOKEN = 'IA_ENSO_OLLAMA_BEARER_TOKEN';
const SECRET = 'Sesame-Open-0123456789';
const folder = mkdtempSync(join(tmpdir(), 'gatepost-bad-'));
const file = (name: string, content = '') => {
  writeFileSync(join(folder, name), content, { mode: 0o600 });
  return name;
};

let contacts = 0;
let server: Server;
let port = 0;
before(async () => {
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  server = createServer((socket) => {
    contacts += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as { port: number });
});
after(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

/** Runs a script whose only way is to our listener, without a terminal. */
function run(script: string, args: readonly string[], env: Record<string, string> = {}): Promise<Result> {
  const way = {
    DEPLOY_SSH_PROXY_HOST: '127.0.0.1',
    DEPLOY_SSH_PROXY_PORT: `${port}`,
    IA_ENSO_SSH_KEY: join(folder, 'key'),
  };
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, typescript(`scripts/${script}.ts`, args), {
    cwd: folder,
    env: { PATH, HOME: '/root', LANG: 'C.UTF-8', SSH_KNOWN_HOSTS: join(folder, 'known'), ...way, ...env },
    timeout: 60_000,
  });
  return finished(child);
}

/** The script, its arguments, the environment, and what must be named. */
type Case = readonly [script: string, args: readonly string[], env: Record<string, string>, names: RegExp];

const CASES: readonly Case[] = [
  [
    'deploy',
    [],
    { [TOKEN]: `${SECRET} `, IA_ENSO_BACKEND_IP: '10.1', IA_ENSO_PROXY_PORT: '８０' },
    /PROXY_PORT: [\s\S]*BACKEND_IP: [\s\S]*TOKEN: /,
  ],
  ['deploy', [], { [TOKEN]: `Bearer ${SECRET}` }, /TOKEN: .*without "Bearer "/],
  ['rotate-bearer', [], { [TOKEN]: `${SECRET}"` }, /TOKEN:/],
  ['deploy', ['--env', file('long', `${TOKEN}=${SECRET.repeat(50_000)}\n`)], {}, /TOKEN:/],
  ['deploy', ['--env', file('nul', `${TOKEN}=${SECRET}\0\n`)], {}, /TOKEN:/],
  [
    'deploy',
    ['--env', file('twice', `${TOKEN}=${SECRET}\n${TOKEN}: ${SECRET}\n`)],
    {},
    /TOKEN: stands more than once/,
  ],
  [
    'deploy',
    ['--env', file('typo', `IA_ENSO_BEARER_TOKEN=${SECRET}\n`)],
    {},
    /IA_ENSO_BEARER_TOKEN: .*OLLAMA_BEARER_TOKEN is meant/,
  ],
  ['deploy', ['--env', '.'], {}, /\.: is a directory/],
  ['deploy', ['--env', 'pipe'], {}, /pipe: is a pipe/],
  ['deploy', [], { IA_ENSO_SSH_KEY: '/none' }, /IA_ENSO_SSH_KEY: is "\/none"; there is no such file/],
  ['status', [], { SSH_KNOWN_HOSTS: '/etc' }, /SSH_KNOWN_HOSTS: is "\/etc"; it is a directory/],
  ['verify', ['--via-ssh'], { SSH_KNOWN_HOSTS: 'pipe' }, /SSH_KNOWN_HOSTS: .*not a file/],
  ['bootstrap-tls', ['--site', 'nexus'], {}, /NEXUS_PROXY_HOST: must be set/],
  ['deploy', ['--host', '10.0.0.1,10.0.0.1'], {}, /IA_ENSO_PROXY_HOST: .*each named once/],
  [
    'deploy',
    ['--site', 'nowhere'],
    {},
    /--site nowhere: no such site; there are: ia\.enso\.4nkweb\.com, nexus/,
  ],
  ['deploy', ['--site'], {}, /'--site <value>' argument missing/],
  ['remove', ['--force'], {}, /Unknown option '--force'/],
  ['status', ['--dry-run'], {}, /Unknown option '--dry-run'/],
  ['deploy', [SECRET], {}, /a word too many/],
  ['rollback', ['--to', '../../x'], {}, /--to: must be the id of a release/],
  ['bearers', ['add'], {}, /add: the name of the client is missing/],
  ['bearers', ['add', '../x'], {}, /a client's name is/],
  ['rotate-bearer', ['--client', 'A'], {}, /--client: a client's name is/],
  ['rotate-bearer', ['--keep-previous', '--revoke-previous'], {}, /give one of them/],
  ['bearers', ['list', '--site', 'nexus'], { NEXUS_PROXY_HOST: '10.0.0.1' }, /has no bearer gate/],
  ['deploy', ['--parallel', '٣'], {}, /--parallel/],
];

const short = ([script, args, env]: Case) => [script, ...args, ...Object.keys(env)].join(' ').slice(0, 80);

describe('a bad input', () => {
  test('of good settings the listener hears, so that it would hear of bad ones', async () => {
    file('known', '');
    file('key', '-----BEGIN nothing');
    const { status, stdout } = await run('status', []);
    assert.equal(status, 1, stdout);
    assert.ok(contacts > 0, stdout);
  });

  test(`ends with 2 before any connection, named, and without the secret: ${CASES.length} ways`, async () => {
    const before = contacts;
    await inParallel(CASES, 4, async (each) => {
      const [script, args, env, names] = each;
      const { status, stdout, stderr } = await run(script, args, env);
      const told = `${short(each)}\n${stdout}${stderr}`;
      assert.equal(status, 2, told);
      assert.match(stdout + stderr, names, told);
      assert.ok(!(stdout + stderr).includes(SECRET), `${short(each)} repeats the secret`);
    });
    assert.equal(contacts, before);
  });

  test('with --json is told in one document, too', async () => {
    const { status, stdout } = await run('deploy', ['--json', '--bogus', '--site', 'x']);
    assert.equal(status, 2);
    assert.match(JSON.parse(stdout).error.message, /Unknown option '--bogus'/);
  });

  test('that concerns SSH only does not keep away what uses none', async () => {
    const gone = { IA_ENSO_SSH_KEY: '/none', SSH_KNOWN_HOSTS: '/none' };
    const { status, stdout } = await run('deploy', ['--bundle', 'site.sh'], gone);
    assert.equal(status, 0, stdout);
  });
});

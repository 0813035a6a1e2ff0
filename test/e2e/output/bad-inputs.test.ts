/**
 * Typical bad inputs of operators: exit status 2, the variable or the flag by name, no secret repeated, no connection.
 */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { inParallel } from '../../../lib/util/parallel.ts';
import { CHECKOUT, finished, type Result, TYPESCRIPT } from '../../lab/namespaces/process.ts';
import { copyWithWiki, VHOST, WIKI } from '../sites/wiki-site.ts';

const TOKEN = 'IA_ENSO_OLLAMA_BEARER_TOKEN';
const SECRET = 'Sesame-Open-0123456789';
const HEX = '0123456789abcdef'.repeat(4);
const folder = mkdtempSync(join(tmpdir(), 'gatepost-bad-'));
const file = (name: string, content = '') => {
  writeFileSync(join(folder, name), content, { mode: 0o600 });
  return name;
};

let contacts = 0;
let server: Server;
let port = 0;
before(async () => {
  file('.env');
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

/** Runs a script that can connect only to the test's listener, without a terminal. */
function run(script: string, args: readonly string[], env: Record<string, string> = {}): Promise<Result> {
  return runFile(`${CHECKOUT}/scripts/${script}.ts`, args, env);
}

function runFile(path: string, args: readonly string[], env: Record<string, string>): Promise<Result> {
  const way = {
    IA_ENSO_SERVER_NAME: 'ia.enso.4nkweb.com',
    DEPLOY_SSH_PROXY_HOST: '127.0.0.1',
    DEPLOY_SSH_PROXY_PORT: `${port}`,
    IA_ENSO_SSH_KEY: join(folder, 'key'),
  };
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [...TYPESCRIPT, path, ...args], {
    cwd: folder,
    env: { PATH, HOME: '/root', LANG: 'C.UTF-8', SSH_KNOWN_HOSTS: join(folder, 'known'), ...way, ...env },
    timeout: 60_000,
  });
  return finished(child);
}

/** The script, its arguments, the environment, and what the error must name. */
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
    /TOKEN: set more than once/,
  ],
  [
    'deploy',
    ['--env', file('typo', `IA_ENSO_BEARER_TOKEN=${SECRET}\n`)],
    {},
    /IA_ENSO_BEARER_TOKEN: .*did you mean IA_ENSO_OLLAMA_BEARER_TOKEN/,
  ],
  ...['passwordpassword', '1234567890123456', 'ollamaollamaollama'].map(
    (token): Case => [
      'deploy',
      [],
      { IA_ENSO_OLLAMA_BEARER_TOKEN: token },
      /BEARER_TOKEN: .*openssl rand -hex 32/,
    ],
  ),
  ['verify', [], { IA_ENSO_INFERENCE_TOKEN: 'qwertyuiopasdfgh' }, /INFERENCE_TOKEN: .*openssl rand -hex 32/],
  ['deploy', ['--env', '.'], {}, /\.: is a directory/],
  ['deploy', ['--env', 'pipe'], {}, /pipe: is a pipe/],
  ['deploy', [], { IA_ENSO_SSH_KEY: '/none' }, /IA_ENSO_SSH_KEY: is "\/none"; the file does not exist/],
  ['status', [], { SSH_KNOWN_HOSTS: '/etc' }, /SSH_KNOWN_HOSTS: is "\/etc"; it is a directory/],
  ['verify', ['--via-ssh'], { SSH_KNOWN_HOSTS: 'pipe' }, /SSH_KNOWN_HOSTS: .*not a file/],
  ['bootstrap-tls', ['--site', 'nexus'], {}, /NEXUS_PROXY_HOST: must be set/],
  ['deploy', ['--host', '10.0.0.1,10.0.0.1'], {}, /IA_ENSO_PROXY_HOST: .*each named once/],
  [
    'deploy',
    ['--site', 'nowhere'],
    {},
    /--site nowhere: unknown site; available: ia\.enso\.4nkweb\.com, nexus/,
  ],
  ['deploy', ['--site'], {}, /'--site <value>' argument missing/],
  ['remove', ['--force'], {}, /Unknown option '--force'/],
  ['status', ['--dry-run'], {}, /Unknown option '--dry-run'/],
  ['deploy', [SECRET], {}, /unexpected argument/],
  ['rollback', ['--to', '../../x'], {}, /--to: must be the id of a release/],
  ['bearers', ['add'], {}, /add: the name of the client is missing/],
  ['bearers', ['add', '../x'], {}, /a client's name is/],
  ['rotate-bearer', ['--client', 'A'], {}, /--client: a client's name is/],
  ['rotate-bearer', ['--keep-previous', '--revoke-previous'], {}, /use only one of them/],
  ['bearers', ['list', '--site', 'nexus'], { NEXUS_PROXY_HOST: '10.0.0.1' }, /has no bearer gate/],
  ['deploy', ['--parallel', '٣'], {}, /--parallel/],
  ['status', ['--local', '--host', '10.0.0.5'], {}, /--local and --host: .*use only one of them/],
  ['remove', ['--local', '--canary', '--dry-run'], {}, /--local and --canary/],
  ['deploy', ['--env', '', '--host', '', '--bundle='], {}, /--env: [\s\S]*--host: [\s\S]*--bundle: /],
  ['bearers', [SECRET], {}, /unknown command; there are: list, add NAME, /],
  ['bearers', ['add', SECRET], {}, /add NAME: a client's name is/],
  ['bearers', ['revoke', HEX], {}, /revoke NAME: .*a token/],
  ['approve', ['--bundle', file('mine.env', 'A=1\n')], {}, /mine\.env: already exists/],
  ['status', ['--env', file('inherited', 'constructor=x\ntoString=y\n'), '--parallel=0'], {}, /--parallel/],
];

const short = ([script, args, env]: Case) => [script, ...args, ...Object.keys(env)].join(' ').slice(0, 80);

describe('a bad input', () => {
  test('good settings reach the listener, so bad ones would too', async () => {
    file('known', '');
    file('key', '-----BEGIN nothing');
    const { status, stdout } = await run('status', []);
    assert.equal(status, 1, stdout);
    assert.ok(contacts > 0, stdout);
  });

  test(`exits with 2 before any connection, named, without the secret: ${CASES.length} ways`, async () => {
    const before = contacts;
    await inParallel(CASES, 4, async (each) => {
      const [script, args, env, names] = each;
      const { status, stdout, stderr } = await run(script, args, env);
      const output = `${short(each)}\n${stdout}${stderr}`;
      assert.equal(status, 2, output);
      assert.match(stdout + stderr, names, output);
      for (const secret of [SECRET, HEX])
        assert.ok(!(stdout + stderr).includes(secret), `${short(each)} repeats the secret`);
    });
    assert.equal(contacts, before);
  });

  test('with --json is reported in one document', async () => {
    const { status, stdout } = await run('deploy', ['--json', '--bogus', '--site', 'x']);
    assert.equal(status, 2);
    assert.match(JSON.parse(stdout).error.message, /Unknown option '--bogus'/);
  });

  test('an existing output file is not changed', async () => {
    assert.equal(readFileSync(join(folder, 'mine.env'), 'utf8'), 'A=1\n');
  });

  test('SSH settings do not block scripts without SSH', async () => {
    const gone = { IA_ENSO_SSH_KEY: '/none', SSH_KNOWN_HOSTS: '/none' };
    const { status, stdout } = await run('deploy', ['--bundle', 'site.sh'], gone);
    assert.equal(status, 0, stdout);
  });
});

describe('only a warning', () => {
  file('open', `${TOKEN}=${SECRET}\n`);
  before(() => chmodSync(join(folder, 'open'), 0o644));

  test('one line each for a token that others may read and for unknown names', async () => {
    const foreign = { NEXUS_URL: 'https://x', NEXUS_PROXY_HOTS: 'x' };
    const { status, stdout } = await run('deploy', ['--bundle', 'site.sh', '--env', 'open'], foreign);
    assert.equal(status, 0, stdout);
    assert.match(stdout, /! open contains a token and is readable by others: `chmod 600 open`$/m);
    assert.match(stdout, /! NEXUS_URL: set in the environment, but not a setting of any site$/m);
    assert.match(stdout, /! NEXUS_PROXY_HOTS: .*did you mean NEXUS_PROXY_HOST/);
    assert.ok(!stdout.includes(SECRET));
  });

  test("for a missing env file, also in another user's home", async () => {
    const { status, stdout } = await run('deploy', ['--bundle', 'site.sh', '--env=~nobody/x']);
    assert.equal(status, 0, stdout);
    assert.match(stdout, /! --env ~nobody\/x: the file does not exist/);
  });

  test('not for a missing .env', async () => {
    assert.doesNotMatch((await run('deploy', ['--bundle', 'site.sh'])).stdout, /the file does not exist/);
  });
});

describe("a site's template", () => {
  const env = { WIKI_PROXY_HOST: '127.0.0.1', WIKI_PROXY_USER: 'admin', WIKI_BACKEND_IP: '10.0.0.1' };
  let copy: string;
  before(async () => {
    copy = await copyWithWiki(join(folder, 'copy'));
  });

  /** Runs deploy with this vhost template, or without one. */
  const deploy = (vhost: string | undefined) => {
    const path = join(copy, `sites/${WIKI}.conf`);
    if (vhost === undefined) rmSync(path);
    else writeFileSync(path, vhost);
    return runFile(join(copy, 'scripts/deploy.ts'), ['--site', WIKI], env);
  };

  const FAULTS: readonly (readonly [what: string, vhost: string | undefined, expected: RegExp])[] = [
    ['with a marker that has no value', VHOST.replace('LAN.', '__NO_SUCH__'), /WIKI\.conf: .*NO_SUCH/],
    [
      'without the marker of a setting',
      VHOST.replace('__WIKI_BACKEND_IP__', '::1'),
      /WIKI\.conf: .*BACKEND_IP/,
    ],
    ['with a missing snippet', VHOST.replace('websocket', 'none'), /snippets\/none\.conf/],
    ['that is missing', undefined, /WIKI\.conf: the template cannot be read \(ENOENT\)/],
  ];
  for (const [what, vhost, expected] of FAULTS)
    test(`${what} exits with 2, named, before any connection`, async () => {
      const before = contacts;
      const { status, stdout } = await deploy(vhost);
      assert.equal(status, 2, stdout);
      assert.match(stdout, new RegExp(expected.source.replace('WIKI', WIKI)));
      assert.equal(contacts, before);
    });
});

/** Runs every script, including failures and crashes, then searches everything that they left for tokens. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import * as deploys from '../../lab/actors/deploys.ts';
import { copyProject } from '../../lab/actors/project.ts';
import { finished, type Lab, type Result, startLab } from '../../lab/namespaces/lab.ts';
import { filesWith, operatorFilesWith } from '../../lab/probes/find-words.ts';
import { watchProcesses } from '../../lab/probes/watch-processes.ts';

/** Unique per run, so that no earlier file can contain them. */
const fresh = (text: string) => `${text}${randomBytes(9).toString('base64url')}`;
const TOKENS = {
  first: fresh('A.first+(token)*[x]'),
  second: fresh('Second|{y}^$host#'),
  byHand: fresh('By.hand_'),
};
const FILES = [deploys.MAPS, deploys.CLIENT];
const DEFAULT = 'IA_ENSO_OLLAMA_BEARER_TOKEN';
const escaped = (token: string) => token.replace(/[^A-Za-z0-9]/g, '\\$&');
const spelled = (token: string) => [
  token,
  escaped(token),
  Buffer.from(token).toString('base64').slice(0, 20),
];

let lab: Lab;
let since: string;
let watch: ReturnType<typeof watchProcesses>;
const generated: string[] = [];
const outputs: { readonly what: string; readonly text: string }[] = [];

const record = (what: string, { stdout, stderr }: Result) =>
  void outputs.push({ what, text: stdout + stderr });

/** Runs a script with this token; records its output, and the token that it generated. */
async function run(name: string, args: readonly string[], token?: string): Promise<Result> {
  const result = await lab.run(name, args, { env: { [DEFAULT]: token } });
  const made = (result.stdout + result.stderr).match(/\b[0-9a-f]{64}\b/g) ?? [];
  assert.ok(made.length <= 1, `${name} shows a token ${made.length} times`);
  generated.push(...made);
  record(`${name} ${args.join(' ')}`, {
    ...result,
    stdout: result.stdout.replace(made[0] ?? '', ''),
    stderr: result.stderr.replace(made[0] ?? '', ''),
  });
  return result;
}

/** Runs deploy.ts in a modified copy of the project. */
async function runChanged(
  what: string,
  file: string,
  before: string | RegExp,
  after: string,
): Promise<Result> {
  const copy = await copyProject(join(lab.directory, what));
  const text = await readFile(join(copy, file), 'utf8');
  const changed = text.replace(before, () => after);
  assert.notEqual(changed, text);
  await writeFile(join(copy, file), changed);
  const args = ['--import', 'tsx', 'scripts/deploy.ts', '--no-verify', '--verbose', '--json'];
  const child = spawn(process.execPath, args, { cwd: copy, env: { ...lab.env, [DEFAULT]: TOKENS.second } });
  const result = await finished(child);
  record(what, result);
  return result;
}

before(async () => {
  lab = await startLab();
  since = join(lab.directory, 'since');
  await writeFile(since, '');
  watch = watchProcesses(
    Object.values(TOKENS).flatMap(spelled),
    /\0[^\0]*scripts\/[a-z-]+\.(?:ts|cjs)['\0]|esbuild\0/,
  );
});
after(() => lab.stop());

describe('tokens', () => {
  const steps: readonly (readonly [
    name: string,
    args: readonly string[],
    token: string | undefined,
    status: number,
  ])[] = [
    ['deploy', ['--verbose'], undefined, 0],
    ['deploy', ['--dry-run', '--verbose'], TOKENS.first, 0],
    ['deploy', ['--json', '--verbose', '--no-verify'], TOKENS.first, 0],
    ['rotate-bearer', ['--verbose', '--keep-previous'], TOKENS.second, 0],
    ['rotate-bearer', ['--json', '--revoke-previous'], TOKENS.first, 0],
    ['rotate-bearer', ['--json', '--write-env'], undefined, 0],
    ['bearers', ['add', 'editor', '--verbose'], TOKENS.first, 0],
    ['bearers', ['list', '--json'], TOKENS.first, 0],
    ['verify', ['--verbose', '--curl', '--html', 'page.html'], TOKENS.second, 3],
    // Nothing renews the lab's certificate.
    ['status', ['--json', '--verbose'], TOKENS.first, 3],
    ['bootstrap-tls', ['--no-verify', '--verbose'], TOKENS.first, 0],
    ['bearers', ['revoke', 'editor'], TOKENS.first, 0],
    ['rollback', ['--no-verify', '--json'], TOKENS.first, 1],
    ['approve', ['--bundle', 'approve.sh'], TOKENS.first, 0],
    ['deploy', ['--bundle', 'site.sh'], TOKENS.first, 0],
  ];
  for (const [name, args, token, status] of steps)
    test(`are not shown by ${name} ${args.join(' ')}`, async () => {
      const result = await run(name, args, token);
      assert.equal(result.status, status, result.stdout + result.stderr);
    });

  test('are not shown by a bundle that runs', async () => {
    const result = await lab.proxy.sh('exec sh -s', {
      input: await readFile(join(lab.directory, 'site.sh'), 'utf8'),
    });
    record('bundle', result);
    assert.equal(result.status, 0, result.stdout);
  });

  test('are not shown when nginx quotes an invalid key line', async () => {
    const maps = 'http-maps/ia-enso-ollama-bearer.map.conf.example';
    const result = await runChanged(
      'quoted',
      maps,
      /^map /m,
      'include /etc/nginx/ia-enso-bearers/*.map;\nmap ',
    );
    assert.equal(result.status, 1, result.stdout);
    assert.match(result.stdout, /unknown directive \\"=<key>\\"/);
  });

  test('are not shown when nginx quotes a handwritten line', async () => {
    const file = '/etc/nginx/conf.d/by-hand.conf';
    for (const text of [`map $uri $x { "~Bearer ${TOKENS.byHand}(" 1; }`, `"Bearer ${TOKENS.byHand}" on;`]) {
      await deploys.put(lab.proxy, file, text);
      const result = await run('deploy', ['--json', '--verbose'], TOKENS.first);
      assert.deepEqual(
        [result.status, JSON.parse(result.stdout).hosts[0].failure.code],
        [1, 'sick'],
        result.stdout,
      );
    }
    await lab.proxy.sh(`rm ${file}`);
  });

  test('are not shown by dry runs and status if somebody wrote them into files of the site', async () => {
    const byHand = `"~^\\w+ ${TOKENS.byHand}\\z" full:x; # ${TOKENS.byHand}\n`;
    const read = async (file: string) => (await lab.proxy.sh(`cat ${file}`)).stdout;
    const kept = await Promise.all(FILES.map(read));
    const [maps = '', client = ''] = kept;
    const inMap = maps.replace(/^map .*ia_enso_bearer \{\n/m, (line) => line + byHand);
    assert.notEqual(inMap, maps);
    await deploys.put(lab.proxy, deploys.MAPS, `${inMap}# ${TOKENS.byHand}\n`);
    await deploys.put(lab.proxy, deploys.CLIENT, `${client}${byHand}# token: ${TOKENS.byHand}\n`);
    assert.equal((await lab.proxy.sh('nginx -t')).status, 0);
    for (const [name, ...args] of [
      ['deploy', '--dry-run'],
      ['deploy', '--dry-run', '--json'],
      ['status'],
    ] as const) {
      const result = await run(name, args, TOKENS.second);
      assert.match(result.stdout, name === 'deploy' ? /line hidden: \d+ characters/ : /by hand/);
    }
    const input = await readFile(join(lab.directory, 'site.sh'), 'utf8');
    const planned = await lab.proxy.sh('exec sh -s -- --dry-run', { input });
    record('bundle --dry-run', planned);
    assert.match(planned.stdout, /^-\[unrecognized line hidden: \d+ characters\]$/m);
    for (const [i, file] of FILES.entries()) await deploys.put(lab.proxy, file, kept[i] ?? '');
  });

  const program = '  underWay.hosts.set(proxy.host, undefined);';
  const crashes = [
    ['thrown-whole', 'lib/commands/rollout.ts', program, `${program} throw new Error(program.text);`],
    [
      'thrown-beside',
      'lib/commands/rollout.ts',
      program,
      `${program} setTimeout(() => { throw Object.assign(new Error(program.text), { context, program }); });`,
    ],
    [
      'thrown-with-settings',
      'lib/commands/deploy.ts',
      'const { site, settings,',
      'throw Object.assign(new Error("slip"), { context });\n  const { site, settings,',
    ],
  ] as const;
  for (const [what, file, text, mistake] of crashes)
    test(`are not shown by a crash: ${what}`, async () => {
      const result = await runChanged(what, file, text, mistake);
      assert.notEqual(result.status, 0);
      assert.match(result.stdout + result.stderr, /\n\s+at |error/i);
    });

  test('appear in no process except the scripts themselves', () => {
    assert.deepEqual(watch.stop(), []);
    assert.ok(watch.samples() > 100, `${watch.samples()}`);
  });

  const all = () => [...Object.values(TOKENS), ...generated];

  test('appear in no output', () => {
    assert.equal(generated.length, 3);
    for (const { what, text } of outputs)
      for (const token of all()) for (const word of spelled(token)) assert.ok(!text.includes(word), what);
  });

  test("are stored on the hosts only in their clients' files", async () => {
    const words = all().flatMap(spelled);
    assert.deepEqual(await filesWith(lab.proxy, words), [deploys.CLIENT]);
    assert.deepEqual(await filesWith(lab.jump, words), []);
    assert.deepEqual(await filesWith(lab.backend, words), []);
  });

  test('are stored here only where requested, readable only by the operator', async () => {
    const files = await operatorFilesWith(since, all().flatMap(spelled));
    assert.deepEqual(files.sort(), [join(lab.directory, '.env'), join(lab.directory, 'site.sh')]);
    const { stdout } = await finished(spawn('stat', ['-c', '%a', ...files]));
    assert.equal(stdout, '600\n600\n');
  });
});

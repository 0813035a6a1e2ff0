/** deploy.ts without a proxy: --render and --bundle, without any settings. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { $ } from '../../../lib/util/shell.ts';
import { typescript } from '../../lab/namespaces/process.ts';

const SITE = 'ia.enso.4nkweb.com';
let home: string;
before(async () => {
  home = await mkdtemp(join(tmpdir(), 'gatepost-'));
  await writeFile(join(home, 'empty'), '');
});
after(() => rm(home, { recursive: true }));

async function deploy(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const run = $({ nothrow: true, cwd: home, env: { PATH: process.env.PATH, HOME: home, ...env }, input: '' });
  const { exitCode, stdout, stderr } =
    await run`umask 077; exec ${[process.execPath, ...typescript('scripts/deploy.ts')]} --env empty ${[...args]}`;
  return { status: exitCode, stdout, stderr };
}

describe('--render', () => {
  const MODES = {
    'ia-enso-http-maps.conf': 0o600,
    'websocket-connection-map.conf': 0o644,
    [`${SITE}.conf`]: 0o644,
  };
  const texts = async (folder: string) =>
    Promise.all(Object.keys(MODES).map((name) => readFile(join(home, folder, name), 'utf8')));

  test('writes the vhost and the maps with their modes and no client, and nothing the second time', async () => {
    const token = '0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0';
    const first = await deploy(['--render', 'new/out'], { IA_ENSO_OLLAMA_BEARER_TOKEN: token });
    assert.equal(first.status, 0, first.stderr);
    const written = await texts('new/out');
    assert.deepEqual((await readdir(join(home, 'new/out'))).toSorted(), Object.keys(MODES).toSorted());
    for (const [name, mode] of Object.entries(MODES))
      assert.equal((await stat(join(home, 'new/out', name))).mode & 0o777, mode, name);
    assert.match(written.join(), new RegExp(`server_name ${SITE.replaceAll('.', '\\.')};`));
    assert.ok(!(written.join() + first.stdout + first.stderr).includes(token));
    const again = await deploy(['--render', 'new/out', '--json']);
    const { files, hosts } = JSON.parse(again.stdout);
    assert.deepEqual(
      [again.status, hosts, files.some(({ changed }: { changed: boolean }) => changed)],
      [0, [], false],
    );
    assert.deepEqual(await texts('new/out'), written);
  });

  test('replaces only regular files of the same names', async () => {
    const folder = join(home, 'mine');
    await mkdir(folder);
    await writeFile(join(folder, 'notes'), 'mine');
    await writeFile(join(folder, `${SITE}.conf`), 'an earlier one');
    assert.equal((await deploy(['--render', 'mine'])).status, 0);
    assert.equal(await readFile(join(folder, 'notes'), 'utf8'), 'mine');
    assert.match(await readFile(join(folder, `${SITE}.conf`), 'utf8'), /server_name/);
    await rm(join(folder, `${SITE}.conf`));
    await symlink('notes', join(folder, `${SITE}.conf`));
    for (const where of ['mine', 'mine/notes']) {
      const { status, stderr, stdout } = await deploy(['--render', where]);
      assert.equal(status, 2, where);
      assert.match(stdout + stderr, /--render mine.*is not a/);
    }
    assert.equal(await readFile(join(folder, 'notes'), 'utf8'), 'mine');
  });
});

describe('--bundle -', () => {
  test('writes the bundle to stdout, everything else to stderr, and no file', async () => {
    const before = await readdir(home);
    const { status, stdout, stderr } = await deploy(['--bundle', '-']);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^#!\/bin\/sh\n\{\ngatepost\(\) \{\n[\s\S]*\n# sha256 [0-9a-f]{64}$/);
    assert.match(
      stderr,
      /New token of client default[\s\S]*contains|contains[\s\S]*New token of client default/,
    );
    await writeFile(join(home, 'piped'), stdout);
    const checked = await $({ nothrow: true })`sh ${join(home, 'piped')} --help`;
    assert.equal(checked.exitCode, 0, checked.stderr);
    await rm(join(home, 'piped'));
    assert.deepEqual(await readdir(home), before);
  });
});

describe('the reader of --bundle -', () => {
  const bundle = [process.execPath, ...typescript('scripts/deploy.ts'), '--env', 'empty', '--bundle', '-'];
  const shell = () => $({ nothrow: true, cwd: home, env: { PATH: process.env.PATH, HOME: home } });

  test('may be slow: it gets the whole bundle', async () => {
    const { stdout } = await shell()`${bundle} 2>/dev/null | { sleep 2; tail -n 1; }`;
    assert.match(stdout, /^# sha256 [0-9a-f]{64}$/);
  });

  test('may be a full disk: exit status 1, and the reason', async () => {
    const { exitCode, stderr } = await shell()`${bundle} >/dev/full`;
    assert.equal(exitCode, 1);
    assert.match(stderr, /stdout cannot be written: ENOSPC/);
  });
});

describe('in CI', () => {
  const tokensIn = (text: string) => text.match(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g) ?? [];
  const bundle = async (args: readonly string[], CI: string) => {
    const { status, stdout, stderr } = await deploy(['--bundle', 'ci.bundle', ...args], { CI });
    assert.equal(status, 0, stderr);
    return { tokens: tokensIn(stdout + stderr), text: stdout + stderr, stdout };
  };

  test('a generated token is hidden, with instructions to get one', async () => {
    const { tokens, text } = await bundle([], 'true');
    assert.deepEqual(tokens, []);
    assert.match(text.replaceAll(/\s+/g, ' '), /hidden.*--show-token.*rotate-bearer\.ts --write-env/);
  });

  test('it is hidden in JSON, too', async () => {
    const { tokens, text, stdout } = await bundle(['--json'], '1');
    assert.deepEqual([tokens, JSON.parse(stdout).tokenHidden], [[], true]);
    assert.equal(text.match(/is hidden/g)?.length, 1);
  });

  test('it is shown with --show-token, and if CI is empty or false', async () => {
    for (const [args, ci] of [
      [['--show-token'], 'true'],
      [['--show-token', '--json'], 'true'],
      [[], ''],
      [['--json'], 'false'],
    ] as const)
      assert.equal((await bundle(args, ci)).tokens.length, 1, `${args} CI=${ci}`);
  });
});

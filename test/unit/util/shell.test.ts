/** Local processes by zx's `$`, as lib/util/shell.ts configures it, with the real /bin/sh. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { $, quote } from '../../../lib/util/shell.ts';

const ROOT = new URL('../../../', import.meta.url);
const ODD = `it's "$HOME" \`id\` \\ \n\t* ; # é €`;

describe('$', () => {
  test('quotes every argument for a POSIX shell', async () => {
    for (const shell of ['sh', 'dash', 'bash'])
      assert.equal((await $`${shell} -c ${`printf %s ${quote(ODD)}`}`).stdout, ODD, shell);
    assert.equal((await $`printf '<%s>' ${['a b', "c'd", '']}`).stdout, "<a b><c'd><>");
  });

  test('runs /bin/sh without set -e and ignores ZX_ variables', async () => {
    const script = `const { $ } = await import('${new URL('lib/util/shell.ts', ROOT)}');
      const { stdout, stderr } = await $\`false; printf %s "$0" >&2; pwd; false | printf piped\`;
      process.stdout.write(stderr + ' ' + stdout);`;
    const env = {
      ...process.env,
      ZX_SHELL: '/bin/false',
      ZX_PREFIX: 'exit 9;',
      ZX_POSTFIX: '; exit 9',
      ZX_CWD: '/tmp',
      ZX_TIMEOUT: '1ms',
      ZX_VERBOSE: 'true',
      ZX_PREFER_LOCAL: 'true',
    };
    const command = $({ env, nothrow: true });
    const { stdout, stderr } =
      await command`cd / && ${process.execPath} --import ${import.meta.resolve('tsx')} --input-type=module -e ${script}`;
    assert.deepEqual([stdout, stderr], ['/bin/sh /\npiped', '']);
  });

  test('throws on failure with the text of stderr, except with nothrow', async () => {
    await assert.rejects($`echo why >&2; exit 3`, (error: { exitCode?: number; stderr?: string }) => {
      assert.deepEqual([error.exitCode, error.stderr], [3, 'why\n']);
      return true;
    });
    assert.equal((await $({ nothrow: true })`exit 3`).exitCode, 3);
  });

  test('passes the input, even to a program that exits before reading it', async () => {
    const input = 'x'.repeat(1_000_000);
    assert.equal((await $({ input })`wc -c`).stdout.trim(), '1000000');
    assert.equal((await $({ input })`exec true`).exitCode, 0);
  });

  test('kills a program at its time limit without ps', async () => {
    const start = performance.now();
    const signal = AbortSignal.timeout(100);
    const output = await $({ signal, nothrow: true, env: { PATH: '/nonexistent' } })`exec /bin/sleep 10`;
    assert.ok(performance.now() - start < 5000);
    assert.ok(!output.ok && signal.aborted);
  });

  test('starts a detached program in its own session', async () => {
    const session = 'cut -d" " -f6 /proc/self/stat';
    const own = (await $({ detached: true })`eval ${session}`).stdout;
    assert.notEqual(own, (await $`eval ${session}`).stdout);
  });
});

test('no other module in lib/ and scripts/ starts processes', async () => {
  const files = (
    await Promise.all(
      ['lib', 'scripts'].map((folder) =>
        readdir(new URL(folder, ROOT), { recursive: true }).then((names) =>
          names.map((name) => `${folder}/${name}`),
        ),
      ),
    )
  ).flat();
  const texts = await Promise.all(
    files
      .filter((file) => file.endsWith('.ts'))
      .map(async (file) => [file, await readFile(new URL(file, ROOT), 'utf8')] as const),
  );
  assert.ok(texts.length > 100);
  assert.deepEqual(
    texts.filter(([, text]) => text.includes('child_process')).map(([file]) => file),
    [],
  );
});

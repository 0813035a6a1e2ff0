/** The full test run: its output and exit status if tests fail once, twice, or if there are none. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { $ } from 'zx';

const folder = mkdtempSync(join(tmpdir(), 'gatepost-twice-'));
after(() => rmSync(folder, { recursive: true }));

/** A test file with one passing test, and one that begins with `body`. */
function fileOf(name: string, body: string): string {
  const path = join(folder, `${name}.test.ts`);
  writeFileSync(
    path,
    `import { existsSync, writeFileSync } from 'node:fs';
    import { test } from 'node:test';
    const mark: string = ${JSON.stringify(`${path}.mark`)};
    test('good', () => {});
    test('bad', () => { ${body} });`,
  );
  return path;
}

const once = "const is = existsSync(mark); writeFileSync(mark, ''); if (!is) throw new Error('once');";

async function twice(files: readonly string[], strict = '0') {
  // Otherwise, Node's runner would treat the inner run as a part of itself.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const result = await $({
    quiet: true,
    nothrow: true,
    env: { ...env, STRICT: strict },
  })`sh test/twice.sh ${files}`;
  const closing = result.stdout.trimEnd().split('\n').slice(-10);
  return { status: result.exitCode, closing: closing.join('\n') };
}

test('passes with the summary of Node if every test passes', async () => {
  const { status, closing } = await twice([fileOf('good', '')]);
  assert.equal(status, 0);
  assert.match(closing, /ℹ tests 2\n(.*\n)+ℹ pass 2\nℹ fail 0\n/);
  assert.doesNotMatch(closing, /FLAKY|FAILED/);
});

test('names a file that passes on the second try, and ends with the counts of all files', async () => {
  const { status, closing } = await twice([fileOf('once', once), fileOf('good', '')]);
  assert.equal(status, 0);
  assert.match(closing, /^FLAKY: .*once\.test\.ts$/m);
  assert.match(
    closing,
    /ℹ tests 4\nℹ suites 0\nℹ pass 4\nℹ fail 0\nℹ cancelled 0\nℹ skipped 0\nℹ todo 0\nℹ dur/,
  );
});

test('fails in strict mode if a file passes only on the second try', async () => {
  const { status, closing } = await twice([fileOf('strict', once)], '1');
  assert.equal(status, 1);
  assert.match(closing, /^FLAKY: .*strict\.test\.ts$/m);
});

test('fails if a file fails twice', async () => {
  const { status, closing } = await twice([fileOf('bad', "throw new Error('always');"), fileOf('good', '')]);
  assert.equal(status, 1);
  assert.match(closing, /^FAILED: .*bad\.test\.ts$/m);
  assert.match(closing, /ℹ tests 4\n(.*\n)+ℹ pass 3\nℹ fail 1\n/);
});

test('fails if a file cannot be loaded', async () => {
  const path = join(folder, 'broken.test.ts');
  writeFileSync(path, "import './none.ts';");
  assert.equal((await twice([path])).status, 1);
});

test('fails if no test ran', async () => {
  assert.notEqual((await twice([])).status, 0);
  const { status, closing } = await twice([join(folder, 'no-such.test.ts')]);
  assert.notEqual(status, 0, closing);
});

/** The env file gets one new value; all other bytes stay. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { parse } from 'dotenv';
import fc from 'fast-check';
import { withSetting, writeSetting } from '../../../lib/config/env-edit.ts';
import { StopError } from '../../../lib/util/errors.ts';
import { Secret } from '../../../lib/util/secret.ts';

const CASES: readonly (readonly [what: string, before: string, value: string, after: string])[] = [
  ['an empty file', '', 'new', 'T=new\n'],
  ['an existing line', 'A=1\nT=old\nB=2\n', 'new', 'A=1\nT=new\nB=2\n'],
  ['no line yet', 'A=1\n', 'new', 'A=1\nT=new\n'],
  ['no final newline', 'A=1', 'new', 'A=1\nT=new\n'],
  ['the last line without newline', 'A=1\nT=old', 'new', 'A=1\nT=new'],
  ['Windows line ends', 'A=1\r\nT=old\r\nB=2\r\n', 'new', 'A=1\r\nT=new\r\nB=2\r\n'],
  ['Windows line ends, no line yet', 'A=1\r\n', 'new', 'A=1\r\nT=new\r\n'],
  ['an export', 'export T=old\n', 'new', 'export T=new\n'],
  ['blanks around', '  T = old  \nA=1', 'new', '  T = new  \nA=1'],
  ['a trailing comment', 'T=old # mine\n', 'new', 'T=new # mine\n'],
  ['a comment after quotes', "T='o#d' # mine\n", 'new', 'T=new # mine\n'],
  ['a commented line', '# T=old\nA=1\n', 'new', '# T=old\nA=1\nT=new\n'],
  ['an empty value', 'T=\nA=1\n', 'new', 'T=new\nA=1\n'],
  ['double quotes', 'T="old"\n', 'new', 'T=new\n'],
  ['backquotes', 'T=`old`\n', 'new', 'T=new\n'],
  ['a name that is part of others', 'XT=1\nT2=2\nT=old\n', 'new', 'XT=1\nT2=2\nT=new\n'],
  ['a value that looks like the line', 'A="\nT=not\n"\nT=old\n', 'new', 'A="\nT=not\n"\nT=new\n'],
  ['a byte order mark', '\uFEFFT=old\n', 'new', '\uFEFFT=new\n'],
  ['a value that needs quotes', 'T=old\n', 'a#b$c`d=e', "T='a#b$c`d=e'\n"],
  ['a replacement pattern', 'T=old\n', '$&$1$`', "T='$&$1$`'\n"],
];

for (const [what, before, value, after] of CASES) {
  test(`sets the value: ${what}`, () => assert.equal(withSetting(before, 'T', value), after));
}

test('dotenv reads back any token, and all other values unchanged', () => {
  const token = fc.stringMatching(/^[!#-&(-[\]-~]{16,64}$/);
  const line = fc.constantFrom('A=1', '# c', '', "B='x y'", 'C="a # b"', 'export D=2', 'E=', 'F: 3');
  fc.assert(
    fc.property(fc.array(line, { maxLength: 5 }), fc.boolean(), token, (lines, has, value) => {
      const before = [...lines, ...(has ? ['T=old'] : []), 'Z=9', ''].join('\n');
      assert.deepEqual(parse(withSetting(before, 'T', value)), { ...parse(before), T: value });
    }),
  );
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'env-write-'));
});
afterEach(() => rm(folder, { recursive: true }));

const NEW = new Secret('new-token-for-the-file');
const modeOf = async (file: string) => (await stat(file)).mode & 0o777;

test('creates a missing file with mode 0600, and removes it on undo', async () => {
  const file = join(folder, '.env');
  const { undo } = await writeSetting(file, 'T', NEW);
  assert.equal(await readFile(file, 'utf8'), 'T=new-token-for-the-file\n');
  assert.equal(await modeOf(file), 0o600);
  assert.equal(await undo(), true);
  await assert.rejects(stat(file), { code: 'ENOENT' });
});

test('makes a readable file private, and restores its text on undo', async () => {
  const file = join(folder, '.env');
  await writeFile(file, 'T=old # mine\n', { mode: 0o644 });
  const { undo, isNew } = await writeSetting(file, 'T', NEW);
  assert.equal(await modeOf(file), 0o600);
  assert.deepEqual([isNew, (await writeSetting(file, 'T', NEW)).isNew], [true, false]);
  assert.equal(await undo(), true);
  assert.equal(await readFile(file, 'utf8'), 'T=old # mine\n');
});

test('does not overwrite a concurrent edit', async () => {
  const file = join(folder, '.env');
  const { undo } = await writeSetting(file, 'T', NEW);
  await writeFile(file, 'T=theirs\n');
  assert.equal(await undo(), false);
  assert.equal(await readFile(file, 'utf8'), 'T=theirs\n');
});

test('writes through a symbolic link and keeps it', async () => {
  const [file, link] = [join(folder, 'real'), join(folder, '.env')];
  await writeFile(file, 'A=1\n');
  await symlink(file, link);
  await writeSetting(link, 'T', NEW);
  assert.equal(await readFile(file, 'utf8'), 'A=1\nT=new-token-for-the-file\n');
  assert.equal(await readFile(link, 'utf8'), await readFile(file, 'utf8'));
});

test('refuses a directory and a missing directory, and leaves no temporary file', async () => {
  await assert.rejects(writeSetting(folder, 'T', NEW), StopError);
  await assert.rejects(writeSetting(join(folder, 'none', '.env'), 'T', NEW), (error: StopError) => {
    assert.doesNotMatch(error.message, /new-token/);
    return error instanceof StopError;
  });
});

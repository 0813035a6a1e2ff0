/** The file of the page: what is refused before any connection, and how it is replaced. */
import assert from 'node:assert/strict';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openFile } from '../../../../lib/output/html/page-file.ts';
import { UsageError } from '../../../../lib/util/errors.ts';

const PAGE = '<!doctype html>\n';
let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatepost-page-'));
});
after(() => rm(folder, { recursive: true }));
const at = (name: string) => join(folder, name);
const modeOf = async (file: string) => (await stat(file)).mode & 0o777;

for (const [file, says] of [
  ['', /^--html: requires a file name$/],
  [' ', /requires a file name$/],
  ['new/', /is a directory name, not a file name$/],
  ['folder', /^--html \S+folder: is a directory, not a file$/],
  ['none/page.html', /: the directory \S+none does not exist$/],
  ['text/page.html', /cannot be written \(ENOTDIR\)$/],
  ['text', /already exists and is not a report page; it was not changed$/],
  ['nowhere', /is a broken symlink$/],
  ['loop', /cannot be written \(ELOOP\)$/],
  [`${'x'.repeat(300)}.html`, /cannot be written \(ENAMETOOLONG\)$/],
  ['/dev/null', /is not a regular file$/],
] as const)
  test(`--html ${JSON.stringify(file.slice(0, 20))} is refused`, async () => {
    await mkdir(at('folder'), { recursive: true });
    await writeFile(at('text'), 'TOKEN=1\n');
    for (const [name, target] of [
      ['nowhere', 'missing'],
      ['loop', 'loop'],
    ] as const)
      await symlink(target, at(name)).catch(() => {});
    const path = file.trim() === '' || file.startsWith('/') ? file : join(folder, file);
    await assert.rejects(openFile(path), (error: unknown) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, says);
      return true;
    });
    assert.equal(await readFile(at('text'), 'utf8'), 'TOKEN=1\n');
    await rm(folder, { recursive: true });
    await mkdir(folder);
  });

test('a new page is world-readable, minus the umask', async () => {
  for (const [umask, mode] of [
    [0o022, 0o644],
    [0o077, 0o600],
  ] as const) {
    const before = process.umask(umask);
    const { write } = await openFile(at(`new-${mode}`));
    process.umask(before);
    await write(PAGE);
    assert.equal(await modeOf(at(`new-${mode}`)), mode);
  }
});

test('no file exists before the page is written, and no other file after', async () => {
  await mkdir(at('empty'));
  const { path, write } = await openFile(at('empty/page.html'));
  assert.deepEqual(await readdir(at('empty')), []);
  await write(PAGE);
  assert.deepEqual(await readdir(at('empty')), ['page.html']);
  assert.equal(await readFile(path, 'utf8'), PAGE);
});

test('an earlier page or an empty file is replaced and keeps its mode; a symbolic link is followed', async () => {
  await writeFile(at('old'), PAGE);
  await chmod(at('old'), 0o606);
  await symlink('old', at('link'));
  const { write } = await openFile(at('link'));
  await write(`${PAGE}new`);
  assert.equal(await readFile(at('old'), 'utf8'), `${PAGE}new`);
  assert.deepEqual([await modeOf(at('old')), await readlink(at('link'))], [0o606, 'old']);
  await writeFile(at('blank'), '');
  await (await openFile(at('blank'))).write(PAGE);
  assert.equal(await readFile(at('blank'), 'utf8'), PAGE);
});

test('a page that cannot be renamed leaves the old one and no temporary file', async () => {
  await mkdir(at('taken'));
  const { write } = await openFile(at('taken/page.html'));
  await mkdir(at('taken/page.html'));
  await assert.rejects(write(PAGE));
  assert.deepEqual(await readdir(at('taken')), ['page.html']);
});

/** The file of the page: tried before anything is contacted, replaced whole at the end. */
import { constants } from 'node:fs';
import { access, lstat, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { UsageError } from '../../util/errors.ts';
import { replaceFile, tryFolder } from '../../util/replace-file.ts';

export interface PageFile {
  /** Absolute; a link is followed. */
  readonly path: string;
  /** @throws what the system says */
  readonly write: (text: string) => Promise<void>;
}

/** For everybody to read, as files of a web server are; the umask takes from it. */
const MODE = 0o644;

/**
 * An earlier page is replaced and keeps its mode; anything else that is there is left alone.
 * @throws UsageError when `file` cannot be written
 */
export async function openFile(file: string): Promise<PageFile> {
  const fault = await faultOf(file);
  if (fault !== '') throw refused(file, fault);
  const there = await stat(file).catch(() => undefined);
  const path = there ? await realpath(file) : resolve(file);
  const fresh = await tryFolder(path, MODE).catch((cause: NodeJS.ErrnoException) => {
    throw refused(file, folderFault(dirname(path), cause), cause);
  });
  return { path, write: (text) => replaceFile(path, text, there ? there.mode & 0o7777 : fresh) };
}

async function faultOf(file: string): Promise<string> {
  if (file.trim() === '') return 'needs the name of a file';
  if (file.endsWith('/')) return 'names a directory, not a file';
  try {
    const there = await stat(file);
    if (there.isDirectory()) return 'is a directory, not a file';
    if (!there.isFile()) return 'is no ordinary file';
    await access(file, constants.W_OK);
    return there.size === 0 || (await isPage(file))
      ? ''
      : 'is there already and is no page; it is left as it is';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') return `cannot be written (${code})`;
    return (await lstat(file).catch(() => undefined)) ? 'is a link that leads nowhere' : '';
  }
}

/** A slip such as `--html .env` must not cost the file. */
async function isPage(file: string): Promise<boolean> {
  return /^<!doctype html>/i.test(await readFile(file, 'utf8').catch(() => ''));
}

function folderFault(folder: string, { code }: NodeJS.ErrnoException): string {
  return code === 'ENOENT' ? `there is no directory ${folder}` : `${folder} is not writable (${code})`;
}

const refused = (file: string, fault: string, cause?: unknown): UsageError =>
  new UsageError([`--html ${file}: ${fault}`.replace(' : ', ': ')], undefined, { cause });

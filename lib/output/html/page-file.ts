/** The file of the page: checked before any connection is made, replaced atomically at the end. */
import { constants } from 'node:fs';
import { access, lstat, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { UsageError } from '../../util/errors.ts';
import { replaceFile, tryFolder } from '../../util/replace-file.ts';

export interface PageFile {
  /** Absolute; a link is followed. */
  readonly path: string;
  /** @throws the system error */
  readonly write: (text: string) => Promise<void>;
}

/** World-readable like the files of a web server, minus the umask. */
const MODE = 0o644;

/**
 * An earlier page is replaced and keeps its mode; any other existing file is left unchanged.
 * @throws UsageError if `file` cannot be written
 */
export async function openFile(file: string): Promise<PageFile> {
  const fault = await faultOf(file);
  if (fault !== '') throw refused(file, fault);
  const existing = await stat(file).catch(() => undefined);
  const path = existing ? await realpath(file) : resolve(file);
  const newMode = await tryFolder(path, MODE).catch((cause: NodeJS.ErrnoException) => {
    throw refused(file, folderFault(dirname(path), cause), cause);
  });
  return { path, write: (text) => replaceFile(path, text, existing ? existing.mode & 0o7777 : newMode) };
}

async function faultOf(file: string): Promise<string> {
  if (file.trim() === '') return 'requires a file name';
  if (file.endsWith('/')) return 'is a directory name, not a file name';
  try {
    const existing = await stat(file);
    if (existing.isDirectory()) return 'is a directory, not a file';
    if (!existing.isFile()) return 'is not a regular file';
    await access(file, constants.W_OK);
    return existing.size === 0 || (await isPage(file))
      ? ''
      : 'already exists and is not a report page; it was not changed';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') return `cannot be written (${code})`;
    return (await lstat(file).catch(() => undefined)) ? 'is a broken symlink' : '';
  }
}

/** A mistake such as `--html .env` must not overwrite the file. */
async function isPage(file: string): Promise<boolean> {
  return /^<!doctype html>/i.test(await readFile(file, 'utf8').catch(() => ''));
}

function folderFault(folder: string, { code }: NodeJS.ErrnoException): string {
  return code === 'ENOENT' ? `the directory ${folder} does not exist` : `${folder} is not writable (${code})`;
}

const refused = (file: string, fault: string, cause?: unknown): UsageError =>
  new UsageError([`--html ${file}: ${fault}`.replace(' : ', ': ')], undefined, { cause });

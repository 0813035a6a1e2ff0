/** Replaces a file atomically: a crash leaves either the old or the new file, complete. */
import { randomBytes } from 'node:crypto';
import { chown, type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Writes a temporary file next to `path`, syncs and renames it; as root, keeps the owner of the existing file.
 * @param mode exact, regardless of the umask
 * @param check validates the new file before the rename; if it throws, the old file stays
 * @throws the system error
 */
export async function replaceFile(
  path: string,
  text: string,
  mode: number,
  check: (temporary: string) => Promise<void> = async () => {},
): Promise<void> {
  const temporary = temporaryPathOf(path);
  try {
    const handle = await open(temporary, 'wx', 0o600);
    await fill(handle, text, mode).finally(() => handle.close());
    await check(temporary);
    const owner = await stat(path).catch(() => undefined);
    if (owner && process.getuid?.() === 0) await chown(temporary, owner.uid, owner.gid);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function fill(handle: FileHandle, text: string, mode: number): Promise<void> {
  await handle.writeFile(text);
  await handle.chmod(mode);
  await handle.sync();
}

/**
 * Checks that a file can be created in the folder of `path`; removes it again.
 * @param mode of a new file, before the umask
 * @returns the mode that it received
 * @throws the system error
 */
export async function tryFolder(path: string, mode: number): Promise<number> {
  const temporary = temporaryPathOf(path);
  const handle = await open(temporary, 'wx', mode);
  try {
    return (await handle.stat()).mode & 0o777;
  } finally {
    await handle.close();
    await rm(temporary, { force: true });
  }
}

/** A short name of fixed length: a suffix could exceed the maximum length of a file name. */
const temporaryPathOf = (path: string): string =>
  join(dirname(path), `.gatepost.${randomBytes(6).toString('hex')}.new`);

/** Replaces a file: a crash at any moment leaves the old one or the new one, whole. */
import { randomBytes } from 'node:crypto';
import { chown, type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Writes beside `path`, syncs and renames; the owner of what is there stays, where that is ours to say.
 * @param mode exactly, whatever the umask
 * @param check judges the new file before it takes its place; when it throws, the old one stays
 * @throws what the system says
 */
export async function replaceFile(
  path: string,
  text: string,
  mode: number,
  check: (beside: string) => Promise<void> = async () => {},
): Promise<void> {
  const beside = besideOf(path);
  try {
    const handle = await open(beside, 'wx', 0o600);
    await fill(handle, text, mode).finally(() => handle.close());
    await check(beside);
    const owner = await stat(path).catch(() => undefined);
    if (owner && process.getuid?.() === 0) await chown(beside, owner.uid, owner.gid);
    await rename(beside, path);
  } finally {
    await rm(beside, { force: true });
  }
}

async function fill(handle: FileHandle, text: string, mode: number): Promise<void> {
  await handle.writeFile(text);
  await handle.chmod(mode);
  await handle.sync();
}

/**
 * Tries whether a file can be written in the folder of `path`; nothing stays behind.
 * @param mode of a new file, from which the umask takes
 * @returns the mode that it got
 * @throws what the system says
 */
export async function tryFolder(path: string, mode: number): Promise<number> {
  const beside = besideOf(path);
  const handle = await open(beside, 'wx', mode);
  try {
    return (await handle.stat()).mode & 0o777;
  } finally {
    await handle.close();
    await rm(beside, { force: true });
  }
}

/** Short, whatever the name: one as long as names may be must not be too long here. */
const besideOf = (path: string): string =>
  join(dirname(path), `.gatepost.${randomBytes(6).toString('hex')}.new`);

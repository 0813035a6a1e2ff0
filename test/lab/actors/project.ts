/** A temporary copy of the project, for tests that break a template. */
import { cp, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Copies what a script needs into `directory`; node_modules is a symlink. */
export async function copyProject(directory: string): Promise<string> {
  await mkdir(directory, { recursive: true });
  const parts = ['lib', 'scripts', 'sites', 'http-maps', 'package.json', 'tsconfig.json'];
  await Promise.all(parts.map((part) => cp(join(ROOT, part), join(directory, part), { recursive: true })));
  await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  return directory;
}

/** The files that a site is rendered from: its own, else those of gatepost. */
import { access, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Site } from '../model/site.ts';
import { UsageError } from '../util/errors.ts';
import { ROOT } from '../util/project.ts';

type Home = Pick<Site, 'folder'>;

/**
 * The text of a file, and its name for messages, by its path in gatepost, such as `sites/snippets/hsts.conf`; adds a missing
 * final newline. A third-party site can have its own version in its directory, without `sites/` in the path.
 * @throws UsageError if it cannot be read
 */
export async function readTemplate(path: string, site: Home) {
  const own = await ownFile(path, site);
  const name = own ? fileURLToPath(own) : path;
  return { name, text: await readText(name, own ?? new URL(path, ROOT)) };
}

/** Whether the site or gatepost has this file. */
export const hasTemplate = async (path: string, site: Home): Promise<boolean> =>
  (await ownFile(path, site)) !== undefined || exists(new URL(path, ROOT));

async function ownFile(path: string, { folder }: Home): Promise<URL | undefined> {
  if (folder === undefined) return undefined;
  const own = new URL(path.replace(/^sites\//, ''), folder);
  return (await exists(own)) ? own : undefined;
}

const exists = (file: URL): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

async function readText(name: string, file: URL): Promise<string> {
  try {
    const text = await readFile(file, 'utf8');
    if (text.includes('\0')) throw new UsageError([`${name}: contains a NUL byte`]);
    return text.endsWith('\n') ? text : `${text}\n`;
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError([`${name}: the template cannot be read (${(cause as NodeJS.ErrnoException).code})`]);
  }
}

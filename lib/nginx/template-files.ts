/** The files that a site is rendered from: its own, else those of gatepost. */
import { access, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Site } from '../model/site.ts';
import { UsageError } from '../util/errors.ts';
import { ROOT } from '../util/project.ts';

interface Template {
  readonly name: string;
  readonly text: string;
}

type Home = Pick<Site, 'folder'>;

/**
 * A file by its path in gatepost, such as `sites/snippets/hsts.conf`; adds a missing final newline. A third-party site
 * can have its own version in its directory, without `sites/` in the path.
 * @throws UsageError if it cannot be read
 */
export async function readTemplate(path: string, site: Home): Promise<Template> {
  const own = ownFile(path, site);
  const isOwn = own !== undefined && (await exists(own));
  const name = isOwn ? fileURLToPath(own) : path;
  return { name, text: await readText(name, isOwn ? own : new URL(path, ROOT)) };
}

/** Whether the site or gatepost has this file. */
export async function hasTemplate(path: string, site: Home): Promise<boolean> {
  const own = ownFile(path, site);
  return (own !== undefined && (await exists(own))) || exists(new URL(path, ROOT));
}

const ownFile = (path: string, { folder }: Home): URL | undefined =>
  folder === undefined ? undefined : new URL(path.replace(/^sites\//, ''), folder);

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

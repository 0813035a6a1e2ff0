/** Sites in a directory outside of gatepost: how their files are loaded, and what they may import. */
import { realpath } from 'node:fs/promises';
import { register } from 'node:module';
import { pathToFileURL } from 'node:url';
import { UsageError } from '../util/errors.ts';
import { ROOT } from '../util/project-root.ts';

/**
 * Runs in Node's loader. `gatepost/…` is looked up in the exports of gatepost's package.json. The files of the directory are
 * modules even where no package.json says so: as CommonJS, tsx would load a second copy of gatepost for them.
 */
const hooks = (own: string): string => `
const own = ${JSON.stringify(own)}, parentURL = ${JSON.stringify(new URL('package.json', ROOT).href)};
export async function resolve(name, context, next) {
  const found = await next(name, name.startsWith('gatepost/') ? { ...context, parentURL } : context);
  if (!found.url.startsWith(own) || !/\\.ts(\\?|$)/.test(found.url)) return found;
  const isNative = !found.format || found.format.endsWith('-typescript');
  return { ...found, format: isNative ? 'module-typescript' : 'module' };
}`;

/**
 * Prepares the directory of one's own sites; call it once.
 * @returns its URL, without symbolic links, as the loader has it
 * @throws UsageError if it is none
 */
export async function openOwnSites(folder: string): Promise<URL> {
  const path = await realpath(folder).catch((cause: NodeJS.ErrnoException) => {
    throw new UsageError([
      `GATEPOST_SITES: is ${JSON.stringify(folder)}; it cannot be opened (${cause.code})`,
    ]);
  });
  const own = pathToFileURL(`${path}/`);
  register(`data:text/javascript,${encodeURIComponent(hooks(own.href))}`);
  return own;
}

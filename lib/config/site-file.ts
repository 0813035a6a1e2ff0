/** Loads the files of sites, including those outside of gatepost, and reports mistakes in them by line. */
import { readdir, readFile, realpath } from 'node:fs/promises';
import { register } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Site } from '../model/site.ts';
import { UsageError } from '../util/errors.ts';
import { ROOT } from '../util/project.ts';
import { judgeSite } from './site-fields.ts';

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
 * @throws UsageError if it is none, or cannot be read
 */
export async function openOwnSites(folder: string): Promise<URL> {
  const path = await readable(folder).catch((cause: NodeJS.ErrnoException) => {
    throw new UsageError([
      `GATEPOST_SITES: is ${JSON.stringify(folder)}; it cannot be opened as a directory (${cause.code})`,
    ]);
  });
  const own = pathToFileURL(`${path}/`);
  register(`data:text/javascript,${encodeURIComponent(hooks(own.href))}`);
  return own;
}

async function readable(folder: string): Promise<string> {
  const path = await realpath(folder);
  await readdir(path);
  return path;
}

export interface LoadedSite {
  /** For messages: `sites/NAME.ts`. */
  readonly file: string;
  readonly site?: Site;
  readonly problems: readonly string[];
}

/** Imports a site; a mistake in its file is a result, not an error. */
export async function loadSite(url: URL, file: string): Promise<LoadedSite> {
  let exported: Readonly<Record<string, unknown>>;
  try {
    exported = await import(url.href);
  } catch (error) {
    return { file, problems: [importProblem(error as Error, url, file)] };
  }
  if (!('site' in exported)) return { file, problems: [`${file}: must contain \`export const site\``] };
  const found = judgeSite(exported.site);
  if (found.length === 0) return { file, site: exported.site as Site, problems: [] };
  const lines = (await readFile(url, 'utf8')).split('\n');
  return { file, problems: found.map(({ field, text }) => `${file}${lineOf(field, lines)}: ${text}`) };
}

/** The line of a field, if the file has it exactly once. */
function lineOf(field: string, lines: readonly string[]): string {
  const isHere = new RegExp(`(?<![\\w$])${field.replace(/\W/g, '\\$&')}\\s*[:,]`);
  const found = lines.flatMap((line, i) => (isHere.test(line) ? [i + 1] : []));
  return found.length === 1 ? `:${found[0]}` : '';
}

/** The error of an import, with the line in the file that Node or tsx names in its text or stack. */
function importProblem(error: Error, url: URL, file: string): string {
  const path = fileURLToPath(url).replace(/\W/g, '\\$&');
  const place = new RegExp(`${path}(?:\\?[\\w=.-]*)?:(\\d+)`).exec(`${error.message}\n${error.stack}`);
  const [first = '', ...rest] = error.message.split('\n');
  // esbuild announces the number of errors; each is in a line of its own, after the place.
  const said = /^Transform failed/.test(first) ? (rest[0] ?? '').replace(/^.*?: ERROR: /, '') : first;
  return `${file}${place ? `:${place[1]}` : ''}: ${said}`;
}

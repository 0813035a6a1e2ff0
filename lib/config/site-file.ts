/** Loads site files, including third-party ones, and reports their mistakes by line. */
import { readdir, readFile, realpath } from 'node:fs/promises';
import { register } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Site } from '../model/site.ts';
import { UsageError } from '../util/errors.ts';
import { ROOT } from '../util/project.ts';
import { judgeSite } from './site-fields.ts';

/**
 * Runs in Node's loader. Resolves `gatepost/…` through the exports in gatepost's package.json. Treats the directory's
 * files as ES modules even without a package.json: for CommonJS, tsx would load a second copy of gatepost.
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
 * Prepares the directory of third-party sites; call it once.
 * @returns its URL without symbolic links, as the loader has it
 * @throws UsageError if it is not a readable directory
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
  /** `sites/NAME.ts`, for messages. */
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

/** The error of an import, with the line in the file that Node or tsx reports in its message or stack. */
function importProblem(error: Error, url: URL, file: string): string {
  const path = fileURLToPath(url).replace(/\W/g, '\\$&');
  const place = new RegExp(`${path}(?:\\?[\\w=.-]*)?:(\\d+)`).exec(`${error.message}\n${error.stack}`);
  const [first = '', ...rest] = error.message.split('\n');
  // esbuild's first line has the number of errors; each error follows on a separate line, after its position.
  const message = /^Transform failed/.test(first) ? (rest[0] ?? '').replace(/^.*?: ERROR: /, '') : first;
  return `${file}${place ? `:${place[1]}` : ''}: ${message}`;
}

/** One file of a folder with sites -> its site, or what is wrong with it and where. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Site } from '../model/site.ts';
import { judgeSite } from './site-fields.ts';

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

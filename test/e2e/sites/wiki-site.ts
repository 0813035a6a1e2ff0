/** The example site in docs/sites.md. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { copyProject, ROOT } from '../../lab/actors/project.ts';

export const WIKI = 'wiki.example.org';

/** The first code block of docs/sites.md in `language`. */
async function example(language: string): Promise<string> {
  const page = await readFile(join(ROOT, 'docs/sites.md'), 'utf8');
  const [, text = ''] = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'ms').exec(page) ?? [];
  return text;
}

/** Its vhost. */
export const VHOST = await example('nginx');

/** Writes the site's two files into a directory. */
export async function writeWiki(directory: string): Promise<string> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, `${WIKI}.conf`), VHOST);
  await writeFile(join(directory, `${WIKI}.ts`), await example('ts'));
  return directory;
}

/** Copies the project into `directory`, and adds the site. */
export async function copyWithWiki(directory: string): Promise<string> {
  const copy = await copyProject(directory);
  await writeWiki(join(copy, 'sites'));
  return copy;
}

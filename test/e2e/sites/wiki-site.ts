/** A copy of the project with a third site, by data alone, as docs/sites.md says. */
import { readFile, writeFile } from 'node:fs/promises';
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

/** Copies the project into `directory` and adds the site. */
export async function copyWithWiki(directory: string): Promise<string> {
  const copy = await copyProject(directory);
  await writeFile(join(copy, `sites/${WIKI}.conf`), VHOST);
  await writeFile(join(copy, `sites/${WIKI}.ts`), await example('ts'));
  return copy;
}

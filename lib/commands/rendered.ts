/** The files of a site in a local directory, as a deploy would send them: to read, compare and keep under version control. */
import { chmod, lstat, mkdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { titleOf } from '../model/site.ts';
import { render, type SiteFile } from '../nginx/render.ts';
import { EXIT, refuseAll, UsageError } from '../util/errors.ts';
import { replaceFile } from '../util/replace-file.ts';
import { notWritten } from './bundle.ts';
import type { Context, Result } from './context.ts';

/**
 * Writes the vhost and the maps of the site into `folder`, without making a connection. They contain no client and no token.
 * Other files in the folder stay.
 * @throws UsageError where something else than a file or a directory is in the way
 * @throws StopError when it cannot be written
 */
export async function writeRendered(context: Context, folder: string): Promise<Result> {
  const { site, settings, report } = context;
  const directory = resolve(folder);
  const files = await render(site, settings);
  await judge(folder, directory, files);
  const written = await writeAll(directory, files).catch(notWritten(folder));
  for (const { path, changed } of written) if (changed) report.print({ kind: 'file', text: `wrote ${path}` });
  const count = written.filter(({ changed }) => changed).length;
  const what = count === 0 ? 'unchanged' : `${count} of ${files.length} files written`;
  report.print({ kind: 'summary', ok: true, text: `${folder}: the files of ${titleOf(site)}; ${what}` });
  return { exit: EXIT.done, json: { hosts: [], render: directory, files: written } };
}

/** Everything in the way is found before anything is written. */
async function judge(folder: string, directory: string, files: readonly SiteFile[]): Promise<void> {
  const there = await stat(directory).catch(() => undefined);
  if (there && !there.isDirectory()) throw new UsageError([`--render ${folder}: is not a directory`]);
  const found = await Promise.all(
    files.map(({ name }) => lstat(join(directory, name)).catch(() => undefined)),
  );
  refuseAll(
    files.map(
      ({ name }, i) =>
        found[i]?.isFile() === false && `--render ${folder}: ${name} is there and is not a regular file`,
    ),
  );
}

async function writeAll(directory: string, files: readonly SiteFile[]) {
  await mkdir(directory, { recursive: true });
  return Promise.all(files.map((file) => writeOne(directory, file)));
}

/** A file that is the same keeps its times, so that build tools see no change. */
async function writeOne(directory: string, { name, mode, content }: SiteFile) {
  const path = join(directory, name);
  const bits = Number.parseInt(mode, 8);
  const changed = (await readFile(path, 'utf8').catch(() => undefined)) !== content;
  if (changed) await replaceFile(path, content, bits);
  else await chmod(path, bits);
  return { path, changed };
}

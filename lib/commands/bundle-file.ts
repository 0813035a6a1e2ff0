/** The file that `--bundle FILE` names: an earlier one of its kind is replaced whole, anything else is left alone. */
import { lstat, readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { StopError, UsageError } from '../util/errors.ts';
import { replaceFile } from '../util/replace-file.ts';

interface BundleFile {
  /** Absolute. */
  readonly path: string;
  /** @throws StopError when it cannot be written */
  readonly write: (text: string) => Promise<void>;
}

/**
 * Judged before anything is made for it: a slip such as `--bundle .env` must not cost the file.
 * @param isOurs knows the text of an earlier one
 * @throws UsageError where FILE is something else
 */
export async function bundleFile(
  file: string,
  mode: number,
  isOurs: (text: string) => boolean,
): Promise<BundleFile> {
  const path = resolve(file);
  if (!(await lstat(dirname(path)).catch(() => undefined)))
    throw new UsageError([`--bundle ${file}: there is no folder ${dirname(path)}`]);
  const there = await lstat(path).catch(() => undefined);
  if (there && !(there.isFile() && isOurs(await readFile(path, 'utf8').catch(() => ''))))
    throw new UsageError([
      `--bundle ${file}: is there already and is no bundle of this kind; it is left as it is`,
    ]);
  const write = (text: string) =>
    replaceFile(path, text, mode).catch((cause: Error) => {
      throw new StopError(`${file} cannot be written: ${cause.message}`, 'Nothing was contacted.', { cause });
    });
  return { path, write };
}

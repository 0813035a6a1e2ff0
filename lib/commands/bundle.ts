/** A deploy as a file, for tools that already manage the machines: the same program, run there as root. */
import { createHash } from 'node:crypto';
import { lstat, readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { STDOUT } from '../config/flag-table.ts';
import { DEFAULT_CLIENT } from '../model/bearer.ts';
import { titleOf } from '../model/site.ts';
import { EXIT, StopError, UsageError } from '../util/errors.ts';
import { replaceFile } from '../util/replace-file.ts';
import type { Context, Result } from './context.ts';
import { planDeploy } from './deploy.ts';

const FIRST_LINE = '#!/bin/sh\n';
const MARK = '\n# sha256 ';
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * The first stage around `program`. It runs the program only if its checksum is right, and is one compound command, so that a
 * truncated file does nothing. The last line is the checksum of everything above it, which the program itself verifies.
 */
function bundleText(program: string): string {
  let end = 'END_OF_BUNDLE';
  while (program.includes(end)) end += '_';
  const above = `${FIRST_LINE}{
gatepost() {
cat <<'${end}'
${program}${end}
}
if [ "$(gatepost | sha256sum)" = '${sha256(program)}  -' ]; then gatepost | /bin/sh -s -- "$0" "$@"; exit; fi
echo 'gatepost: this bundle is damaged; nothing was done' >&2
exit 1
}
`;
  // Without a final newline: its loss would go unnoticed.
  return `${above}# sha256 ${sha256(above)}`;
}

/**
 * Writes the bundle of the site, without making a connection. A token that is generated for it is shown once.
 * @throws UsageError where FILE is something else
 * @throws StopError when it cannot be written
 */
export async function writeBundle(context: Context, file: string): Promise<Result> {
  const { report, site, flags } = context;
  const { path, label, write } = await bundleFile(file, 0o600, isBundle);
  const { program, bearer } = await planDeploy(context, 'bundle');
  const data = await write(bundleText(program.text));
  const isNew = bearer?.role === 'first-client';
  const secret = `${label} contains a bearer token: protect it like a private key`;
  const onlyFirst = 'the new token is used only on proxies that have no client yet';
  const done = `${label}: the bundle of ${titleOf(site)}; run it as root: \`${runIt(file)}\``;
  if (bearer) report.print({ kind: 'warning', text: secret });
  if (isNew && !flags.json) report.showToken(DEFAULT_CLIENT, bearer.token);
  if (isNew) report.print({ kind: 'note', text: onlyFirst });
  report.print({ kind: 'summary', ok: true, text: done });
  const json = { hosts: [], bundle: path, ...(isNew && { token: bearer.token.reveal() }) };
  return { exit: EXIT.done, ...data, json };
}

const isBundle = (text: string): boolean =>
  text.startsWith(`${FIRST_LINE}{\ngatepost() {\n`) && text.includes(MARK);

/** What runs a bundle on its host; one that was written to stdout arrives on stdin. */
export const runIt = (file: string): string => (file === STDOUT ? 'sh -s' : `sh ${basename(file)}`);

/**
 * Checked before anything is generated: a mistake such as `--bundle .env` must not overwrite the file.
 * @param isOurs knows the text of an earlier one
 * @returns its absolute path (`-` for stdout), its name in messages, and `write`, which returns what goes to stdout
 * @throws UsageError where FILE is something else
 */
export async function bundleFile(
  file: string,
  mode: number,
  isOurs: (text: string) => boolean,
): Promise<{ path: string; label: string; write: (text: string) => Promise<Pick<Result, 'data'>> }> {
  if (file === STDOUT) return { path: file, label: 'stdout', write: async (data) => ({ data }) };
  const path = resolve(file);
  if (!(await lstat(dirname(path)).catch(() => undefined)))
    throw new UsageError([`--bundle ${file}: the directory ${dirname(path)} does not exist`]);
  const there = await lstat(path).catch(() => undefined);
  if (there && !(there.isFile() && isOurs(await readFile(path, 'utf8').catch(() => ''))))
    throw new UsageError([
      `--bundle ${file}: already exists and is not such a bundle; it was not overwritten`,
    ]);
  const write = async (text: string) => {
    await replaceFile(path, text, mode).catch(notWritten(file));
    return {};
  };
  return { path, label: file, write };
}

/** What a failure to write `file` becomes. */
export const notWritten = (file: string) => (cause: Error) => {
  throw new StopError(`${file} cannot be written: ${cause.message}`, 'No connection was made.', { cause });
};

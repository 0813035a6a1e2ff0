/** A deploy as a file, for whatever already reaches the machines: the same program, run there as root. */
import { createHash } from 'node:crypto';
import { lstat, readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { DEFAULT_CLIENT } from './bearers.ts';
import type { Context, Result } from './context.ts';
import { prepareDeploy } from './deploy.ts';
import { EXIT, StopError, UsageError } from './errors.ts';
import { replaceFile } from './replace-file.ts';
import { newRun } from './run.ts';

const FIRST_LINE = '#!/bin/sh\n';
const MARK = '\n# sha256 ';
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * The first stage around `program`. It runs nothing but what has the right sum, and is one compound command, so that a
 * file that was cut does nothing. The last line is the sum of all above it, which the program itself looks at.
 */
export function bundleText(program: string): string {
  let end = 'END_OF_BUNDLE';
  while (program.includes(end)) end += '_';
  const above = `${FIRST_LINE}{
gatepost() {
cat <<'${end}'
${program}${end}
}
if [ "$(gatepost | sha256sum)" = '${sha256(program)}  -' ]; then gatepost | /bin/sh -s "$0"; exit; fi
echo 'gatepost: this bundle is damaged; nothing was done' >&2
exit 1
}
`;
  // Without a newline at its end, there is no last byte that could be missing unnoticed.
  return `${above}# sha256 ${sha256(above)}`;
}

/**
 * Writes the bundle of the site, contacting nothing. A token that is made for it is shown once.
 * @throws UsageError for flags that do not go together, and where FILE is something else
 * @throws StopError when it cannot be written
 */
export async function writeBundle(context: Context, file: string): Promise<Result> {
  judge(context);
  const { report, site, flags } = context;
  const path = resolve(file);
  await judgeTarget(file, path);
  const { program, bearer } = await prepareDeploy(context, newRun(), 'bundle');
  await replaceFile(path, bundleText(program), 0o600).catch((cause: Error) => {
    throw new StopError(`${file} cannot be written: ${cause.message}`, 'Nothing was contacted.', { cause });
  });
  const isNew = bearer?.role === 'first-client';
  if (bearer)
    report.tell({ kind: 'warning', text: `${file} holds a bearer token: keep it as you keep a key` });
  if (isNew && !flags.json) report.showToken(DEFAULT_CLIENT, bearer.token);
  if (isNew)
    report.tell({
      kind: 'note',
      text: 'the new token is taken by proxies that have no client yet, and only there',
    });
  report.tell({
    kind: 'summary',
    ok: true,
    text: `${file}: the bundle of ${site.name}; run it as root: sh ${basename(file)}`,
  });
  const json = { hosts: [], bundle: path, ...(isNew && { token: bearer.token.reveal() }) };
  return { exit: EXIT.done, json };
}

function judge({ flags }: Context): void {
  const problems = (['local', 'dry-run', 'canary', 'parallel', 'host'] as const)
    .filter((name) => flags[name])
    .map((name) => `--bundle and --${name}: a bundle contacts no host; give one of them`);
  if (problems.length > 0) throw new UsageError(problems);
}

/** An earlier bundle is replaced, anything else is left alone. */
async function judgeTarget(file: string, path: string): Promise<void> {
  const there = await lstat(path).catch(() => undefined);
  if (there === undefined || (there.isFile() && isBundle(await readFile(path, 'utf8').catch(() => ''))))
    return;
  throw new UsageError([`--bundle ${file}: is there already and is no bundle; it is left as it is`]);
}

const isBundle = (text: string): boolean =>
  text.startsWith(`${FIRST_LINE}{\ngatepost() {\n`) && text.includes(MARK);

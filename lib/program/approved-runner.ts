/** The script that runs only approved programs on a proxy: lib/program/sh/approved-only.sh with its masks. */
import { readFile } from 'node:fs/promises';
import { ROOT } from '../util/project.ts';
import { contentFunction, preludeText } from './program.ts';

const RUN_ID = '[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}';
const TIME = '[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z';
const CLIENT_NAME = '[a-z0-9][a-z0-9_-]*';
const CHALLENGE = '[A-Za-z0-9_-]+';

/** The variables of a program that differ from run to run, with the forms of their values as POSIX extended regexes. */
const VARYING: Readonly<Record<string, string>> = {
  RUN: RUN_ID,
  ASKED: RUN_ID,
  NOW: TIME,
  WHO: '[A-Za-z0-9@._-]+',
  TAKE_OVER: '(yes)?',
  TO: `(${RUN_ID}(-before)?)?`,
  NOW_EPOCH: '[0-9]+',
  NEW_END: '([+]?[0-9]+|-)?',
  NEW_SCOPE: '(full|inference)?',
  NEW_LIMIT: '([0-9]+|-)?',
  NEW_CONCURRENT: '([0-9]+|-)?',
  KEEP: '(yes|[0-9]+)?',
  CLIENT: CLIENT_NAME,
  ABOUT: CLIENT_NAME,
  CHALLENGE_NAME: CHALLENGE,
  CHALLENGE_TEXT: CHALLENGE,
  CERTIFICATE: '[A-Za-z0-9][A-Za-z0-9._-]*',
  COMMON_NAME: '[A-Za-z0-9._-]+',
  ALTERNATIVE_NAMES: '(IP|DNS):[A-Za-z0-9.:-]+',
};

/** A token has none of the three characters that could end its quotes; as a range, `(` to `[` and `^` to `~`. */
const TOKEN = '[]!#-&(-[^-~]+';

const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** One sed command per line of a program that may differ. */
function masks(): string {
  const [printing = ''] = contentFunction(0, '#').split('#');
  const commands = [
    ...Object.entries(VARYING).map(([name, form]) => `s/^=${name}='${form}'$/?${name}/`),
    `s/^=(${literal(printing).replace('0', '[0-9]+')})${TOKEN}('; \\})$/?\\1token\\2/`,
  ];
  return commands.join('\n').replaceAll("'", "'\\''");
}

/** The script that root installs as RUNNER. */
export async function runnerText(): Promise<string> {
  const text = await readFile(new URL('lib/program/sh/approved-only.sh', ROOT), 'utf8');
  const prelude = await preludeText();
  return text.replace('__MASKS__', () => masks()).replace('__PRELUDE__\n', () => prelude);
}

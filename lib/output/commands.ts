/** Commands in advice, ready to paste: with the site, the proxies and the env file of this run. */

import type { CommandLine, FlagName } from '../config/flag-table.ts';
import { quote } from '../util/shell.ts';

/** The scripts that have `--local`. */
export const LOCAL_SCRIPTS = ['bearers', 'deploy', 'remove', 'rollback', 'rotate-bearer', 'status'] as const;

/** What chooses where a command works and with which settings; another's defaults may be another site. */
const CARRIED = ['site', 'host', 'env', 'local'] as const satisfies readonly FlagName[];
type Carried = (typeof CARRIED)[number];

/** Between backticks, as all that is to be pasted. */
const COMMAND = /`((?:npx tsx|node) scripts\/([a-z-]+)\.ts)([^`\n]*)`/g;

/** Adds the flags of `line` to every command of this suite in a text, where it does not have them. */
export function commandsWith({ flags, given }: CommandLine): (text: string) => string {
  const carried = CARRIED.filter((flag) => given.has(flag)).map(
    (flag) => [flag, written(flag, flags[flag])] as const,
  );
  if (carried.length === 0) return (text) => text;
  return (text) =>
    text.replace(COMMAND, (_, start: string, script: string, rest: string) => {
      const added = carried.filter(([flag]) => takes(script, rest, flag)).map(([, text]) => ` ${text}`);
      return `\`${start}${rest}${added.join('')}\``;
    });
}

function written(flag: Carried, value: string | boolean | undefined): string {
  if (typeof value !== 'string') return `--${flag}`;
  // A value that looks like a flag is one, unless it is joined.
  return `--${flag}${value.startsWith('-') ? '=' : ' '}${/^[\w@%+:,./-]+$/.test(value) ? value : quote(value)}`;
}

/** Can the command `script rest` be given `flag`? */
function takes(script: string, rest: string, flag: Carried): boolean {
  const has = (...flags: string[]) => flags.some((other) => rest.split(/[ =]/).includes(`--${other}`));
  if (has(flag, 'help')) return false;
  if (flag === 'host') return !has('bundle', 'local');
  if (flag === 'local') return LOCAL_SCRIPTS.some((name) => name === script) && !has('bundle', 'host');
  return true;
}

/** Commands in messages, ready to paste: with the site, proxies and env file of this run. */

import type { CommandLine, FlagName } from '../config/flag-table.ts';
import { quote } from '../util/shell.ts';

/** The scripts without `--local`. */
export const NOT_LOCAL: readonly string[] = ['approve', 'verify'];

/** Flags that select the target and the settings of a command; without them it could act on another site. */
const PASSED_ON = ['site', 'host', 'env', 'local'] as const satisfies readonly FlagName[];
type PassedOn = (typeof PASSED_ON)[number];

/** In backticks, like everything that is meant to be pasted. */
const COMMAND = /`((?:npx tsx|node) scripts\/([a-z-]+)\.ts)([^`\n]*)`/g;

/** Adds the flags of this command line to every gatepost command in a text that does not have them. */
export function commandsWith({ flags, given }: CommandLine): (text: string) => string {
  const passedOn = PASSED_ON.filter((flag) => given.has(flag)).map(
    (flag) => [flag, asText(flag, flags[flag])] as const,
  );
  if (passedOn.length === 0) return (text) => text;
  return (text) =>
    text.replace(COMMAND, (_, start: string, script: string, rest: string) => {
      const added = passedOn.filter(([flag]) => supports(script, rest, flag)).map(([, text]) => ` ${text}`);
      return `\`${start}${rest}${added.join('')}\``;
    });
}

function asText(flag: PassedOn, value: string | boolean | undefined): string {
  if (typeof value !== 'string') return `--${flag}`;
  // A value that starts with a hyphen must be joined with `=`, or it is parsed as a flag.
  return `--${flag}${value.startsWith('-') ? '=' : ' '}${/^[\w@%+:,./-]+$/.test(value) ? value : quote(value)}`;
}

function supports(script: string, rest: string, flag: PassedOn): boolean {
  const has = (...flags: string[]) => flags.some((other) => rest.split(/[ =]/).includes(`--${other}`));
  if (has(flag, 'help')) return false;
  if (flag === 'host') return !has('bundle', 'local', 'from');
  return flag !== 'local' || !(NOT_LOCAL.includes(script) || has('bundle', 'host', 'from'));
}

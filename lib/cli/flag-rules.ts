/** What is wrong with flags that each are right by themselves. */
import type { FlagName } from '../config/flag-table.ts';
import type { CommandLine } from './flags.ts';

/** Flags that exclude others, and why; what --staging excludes is told with the settings' CA (acme.ts). */
const EXCLUSIONS: readonly (readonly [flag: FlagName, others: readonly FlagName[], why: string])[] = [
  ['bundle', ['local', 'dry-run', 'canary', 'parallel', 'host'], 'a bundle contacts no host'],
  ['local', ['host', 'parallel', 'canary'], 'this machine is the only host then'],
  ['connect-to', ['via-ssh'], 'they are two ways'],
  ['revoke-previous', ['keep-previous', 'write-env'], 'it makes no new token'],
];

/** Every flag that is blank, and every pair that excludes each other. */
export function judgeFlags({ flags, given }: CommandLine): readonly string[] {
  const blank = [...given].filter((name) => String(flags[name]).trim() === '');
  const pairs = EXCLUSIONS.flatMap(([flag, others, why]) =>
    others
      .filter((other) => given.has(flag) && given.has(other))
      .map((other) => `--${flag} and --${other}: ${why}; give one of them`),
  );
  return [...blank.map((name) => `--${name}: must not be empty`), ...pairs];
}

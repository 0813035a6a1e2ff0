/** The flags of every script: parsed strictly, listed by `--help`. */

import { type ParseArgsConfig, parseArgs } from 'node:util';
import { type CommandLine, FLAGS, type FlagName, type Flags, STDOUT } from '../config/flag-table.ts';
import { host } from '../config/validators.ts';
import { withLead, wrapped } from '../output/text.ts';
import { lookUp } from '../util/collections.ts';
import { refuseAll, UsageError } from '../util/errors.ts';
import { inHome } from '../util/home.ts';
import { nearest } from '../util/nearest.ts';

const EVERYWHERE: readonly FlagName[] = ['site', 'host', 'json', 'env', 'verbose', 'version', 'help'];

/** How a script is used: name, summary, flags. */
export interface Usage {
  readonly name: string;
  /** One sentence for `--help`. */
  readonly does: string;
  /** Flags beside those that every script has. */
  readonly flags: readonly FlagName[];
  /** Arguments other than flags, for `--help`; none if it is left out. */
  readonly takes?: string;
}

/**
 * The flags and the other arguments of the command line.
 * @throws UsageError for unknown flags, missing values and flags that exclude each other
 */
export function readFlags(command: Usage, args = process.argv.slice(2)): CommandLine {
  const line = parsed(command, args);
  if (!line.flags.help && !line.flags.version) refuseAll(judgeFlags(line), seeHelp(command));
  return { ...line, flags: withHome(line.flags) };
}

const seeHelp = ({ name }: Usage): string => `See: \`npx tsx scripts/${name}.ts --help\``;

function parsed(command: Usage, args: string[]): CommandLine {
  const names = new Set<string>([...EVERYWHERE, ...command.flags]);
  const options = Object.fromEntries(Object.entries(FLAGS).filter(([name]) => names.has(name)));
  // parseArgs has no optional values.
  const bare = new Map(
    Object.entries(options).flatMap(([name, flag]) => ('bare' in flag ? [[`--${name}`, flag.bare]] : [])),
  );
  try {
    const { values, positionals, tokens } = parseArgs({
      args: args.map((arg) => (bare.has(arg) ? `${arg}=${bare.get(arg)}` : arg)),
      options: options as NonNullable<ParseArgsConfig['options']>,
      strict: true,
      allowPositionals: command.takes !== undefined,
      tokens: true,
    });
    const given = tokens.flatMap((token) => (token.kind === 'option' ? [token.name as FlagName] : []));
    return { flags: values as unknown as Flags, given: new Set(given), words: positionals };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // The argument is not repeated: it may be a token.
    const isWord = code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL';
    const problem = isWord ? 'unexpected argument' : (message.split('. ')[0] ?? '');
    const valueHint = isWord ? hintOfValue(args, bare) : '';
    throw new UsageError([`${problem}${valueHint || hint(problem, args, [...names])}`], seeHelp(command));
  }
}

const CONVENTIONS: Readonly<Record<string, string>> = {
  n: 'dry-run',
  v: 'verbose',
  V: 'version',
  q: 'json',
  y: 'yes',
};

/** A suggestion for an unknown flag, or for a name without its hyphens. */
function hint(problem: string, args: readonly string[], names: readonly string[]): string {
  const unknown = /^Unknown option '--?([\w-]+)/.exec(problem)?.[1];
  const word = args.find((arg) => names.includes(arg));
  const convention = lookUp(CONVENTIONS, unknown ?? '');
  const usual = convention !== undefined && names.includes(convention) ? convention : undefined;
  const meant = unknown === undefined ? word : (usual ?? nearest(unknown, names));
  return meant === undefined ? '' : `; did you mean --${meant}?`;
}

/** A flag whose value is optional takes it in the same word. */
function hintOfValue(args: readonly string[], bare: ReadonlyMap<string, string>): string {
  const flag = args.slice(0, -1).find((arg) => bare.has(arg));
  return flag === undefined ? '' : `; a value of ${flag} follows =, without a space`;
}

/** bash does not expand `--env=~/x`. */
function withHome(flags: Flags): Flags {
  const { env, bundle, html, render } = flags;
  return {
    ...flags,
    env: inHome(env),
    ...(bundle !== undefined && { bundle: inHome(bundle) }),
    ...(render !== undefined && { render: inHome(render) }),
    ...(html !== undefined && { html: inHome(html) }),
  };
}

const STATUSES =
  'Exit status: 0 done, 1 failed or rolled back, 2 usage, 3 live but a check failed, 4 outcome unknown, 5 rollback failed.';

/** The text of `--help`, with the available sites, wrapped to `width` columns. */
export function helpText(
  { name, does, flags, takes }: Usage,
  sites: readonly string[],
  width = Number.POSITIVE_INFINITY,
): string {
  const lines = [...flags, ...EVERYWHERE].map((flag) => {
    const { help: text, ...rest } = FLAGS[flag];
    const help = flag === 'site' ? `${text}; there are: ${sites.join(', ')}` : text;
    const lead = `  ${`--${flag}${'value' in rest ? `${'bare' in rest ? '' : ' '}${rest.value}` : ''}`.padEnd(18)} `;
    return withLead(lead, help, width);
  });
  const usage = `npx tsx scripts/${name}.ts ${takes ? `${takes} ` : ''}[flags]`;
  return `${[...wrapped(does, width), '', usage, '', ...lines, '', ...wrapped(STATUSES, width)].join('\n')}\n`;
}

/** Flags that exclude others, and why. What --staging excludes depends on the CA in the settings (commands/certificates/options.ts). */
const EXCLUSIONS: readonly (readonly [flag: FlagName, others: readonly FlagName[], why: string])[] = [
  ['bundle', ['local', 'dry-run', 'canary', 'parallel', 'host'], 'a bundle connects to no host'],
  ['render', ['bundle', 'local', 'dry-run', 'canary', 'parallel', 'host'], '--render connects to no host'],
  ['local', ['host', 'parallel', 'canary'], '--local runs on this machine only'],
  ['from', ['host', 'local', 'parallel'], '--from and --to name the proxies'],
  ['connect-to', ['via-ssh'], 'they are two ways to connect'],
  ['revoke-previous', ['keep-previous', 'write-env'], 'it creates no new token'],
];

const NEEDS: readonly (readonly [flag: FlagName, needed: FlagName])[] = [['exit-code', 'dry-run']];

/** Every blank flag, every pair that excludes each other, and every flag without the one that it needs. */
function judgeFlags({ flags, given }: CommandLine): readonly string[] {
  const blank = [...given].filter((name) => String(flags[name]).trim() === '');
  const pairs = EXCLUSIONS.flatMap(([flag, others, why]) =>
    others
      .filter((other) => given.has(flag) && given.has(other))
      .map((other) => `--${flag} and --${other}: ${why}; use only one of them`),
  );
  const alone = NEEDS.flatMap(([flag, needed]) =>
    given.has(flag) && !given.has(needed) ? `--${flag}: works only with --${needed}; add it` : [],
  );
  const both =
    flags.bundle === STDOUT && flags.json
      ? ['--bundle - and --json: both write to stdout; use only one of them']
      : [];
  return [
    ...blank.map((name) => `--${name}: must not be empty`),
    ...pairs,
    ...alone,
    ...both,
    ...(blank.length === 0 ? judgeProxies(flags) : []),
  ];
}

/** The two proxies of a copy: in a list, the second one would be taken for the target. */
function judgeProxies({ from, to }: Flags): readonly string[] {
  if (from === undefined) return [];
  const [one, other] = [host.read(from), to && host.read(to)];
  return [
    ...(one === undefined ? [`--from: must be ${host.wants}`] : []),
    ...(to !== undefined && other === undefined ? [`--to: must be ${host.wants}`] : []),
    ...(one !== undefined && one === other ? [`--from and --to: are the same proxy, ${one}`] : []),
  ];
}

/** The flags of every script: parsed strictly, and listed by `--help`. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { refuseAll, UsageError } from './errors.ts';
import { judgeFlags } from './flag-rules.ts';
import { atHome } from './forms.ts';
import { DEFAULT_SITE } from './sites.ts';
import { beside, wrapped } from './text/wrap.ts';

/** Every flag of the suite: how it is parsed, and its line of `--help`. */
const FLAGS = {
  site: {
    type: 'string',
    default: DEFAULT_SITE,
    value: 'NAME',
    help: `the site, by default ${DEFAULT_SITE}`,
  },
  host: { type: 'string', value: 'A,B', help: 'the proxies, instead of the setting' },
  'dry-run': { type: 'boolean', default: false, help: 'show what would change, change nothing' },
  json: { type: 'boolean', default: false, help: 'one JSON document on stdout, all else on stderr' },
  'no-verify': { type: 'boolean', default: false, help: 'no checks after the change' },
  client: { type: 'string', value: 'NAME', help: 'the client of the gate, by default `default`' },
  'keep-previous': { type: 'boolean', default: false, help: 'the previous token goes on opening the gate' },
  'revoke-previous': { type: 'boolean', default: false, help: 'only end the previous token; no new one' },
  'write-env': { type: 'boolean', default: false, help: 'write the new token into the env file first' },
  scope: { type: 'string', value: 'SCOPE', help: 'full or inference (the default), of a new client' },
  limit: { type: 'string', value: 'N', help: 'at most N requests a minute, of a new client' },
  to: { type: 'string', value: 'ID', help: 'the release to go back to (status.ts lists them)' },
  staging: { type: 'boolean', default: false, help: "rehearse with Let's Encrypt's staging CA" },
  'force-renewal': {
    type: 'boolean',
    default: false,
    help: 'a new certificate although there is a good one',
  },
  'self-signed': { type: 'boolean', default: false, help: 'a certificate that the proxy signs itself' },
  parallel: { type: 'string', value: 'N', help: 'at most N proxies at once (1 to 100), by default all' },
  canary: {
    type: 'boolean',
    default: false,
    help: 'the first proxy alone first; the others only if all is well there',
  },
  bundle: { type: 'string', value: 'FILE', help: 'write the program as a file, contact nothing' },
  local: { type: 'boolean', default: false, help: 'run the program on this machine, without SSH' },
  curl: { type: 'boolean', default: false, help: 'under each check, how to ask the same by hand' },
  only: { type: 'string', value: 'NAME', help: 'only the checks with NAME in their name' },
  'connect-to': {
    type: 'string',
    value: 'HOST',
    help: 'ask HOST[:PORT] instead of where the name leads; PORT stands for 443',
  },
  html: { type: 'string', value: 'FILE', help: 'write what was found as a page for a browser, too' },
  'via-ssh': { type: 'boolean', default: false, help: "ask each proxy's own 443 and 80 through SSH" },
  env: { type: 'string', default: '.env', value: 'FILE', help: 'the env file, by default .env' },
  verbose: { type: 'boolean', default: false, help: 'tell more; of several proxies, every step' },
  help: { type: 'boolean', default: false, short: 'h', help: 'this text' },
} as const;

export type FlagName = keyof typeof FLAGS;
type Value<F> = F extends { type: 'boolean' }
  ? boolean
  : F extends { default: string }
    ? string
    : string | undefined;
export type Flags = { readonly [K in FlagName]: Value<(typeof FLAGS)[K]> };

/** A command line as it was read. */
export interface CommandLine {
  readonly flags: Flags;
  /** The flags that stand there, as opposed to those with a default. */
  readonly given: ReadonlySet<FlagName>;
  /** What stands beside flags. */
  readonly words: readonly string[];
}

const EVERYWHERE: readonly FlagName[] = ['site', 'host', 'json', 'env', 'verbose', 'help'];

/** What of a script its flags depend on. */
export interface Usage {
  readonly name: string;
  /** One sentence for `--help`. */
  readonly does: string;
  /** Flags beside those that every script has. */
  readonly flags: readonly FlagName[];
  /** What may stand beside flags, for `--help`; nothing when it is left out. */
  readonly takes?: string;
}

/**
 * The flags of the command line, and the words beside them.
 * @throws UsageError for flags that this script does not have, that lack their value or that exclude each other
 */
export function readFlags(command: Usage, args = process.argv.slice(2)): CommandLine {
  const line = parsed(command, args);
  if (!line.flags.help) refuseAll(judgeFlags(line), seeHelp(command));
  return { ...line, flags: withHome(line.flags) };
}

const seeHelp = ({ name }: Usage): string => `See: \`npx tsx scripts/${name}.ts --help\``;

function parsed(command: Usage, args: string[]): CommandLine {
  const names = new Set<string>([...EVERYWHERE, ...command.flags]);
  const options = Object.fromEntries(Object.entries(FLAGS).filter(([name]) => names.has(name)));
  try {
    const { values, positionals, tokens } = parseArgs({
      args,
      options: options as NonNullable<ParseArgsConfig['options']>,
      strict: true,
      allowPositionals: command.takes !== undefined,
      tokens: true,
    });
    const given = tokens.flatMap((token) => (token.kind === 'option' ? [token.name as FlagName] : []));
    return { flags: values as unknown as Flags, given: new Set(given), words: positionals };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // A word that no flag takes is not repeated: it may be a token.
    const isWord = code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL';
    const problem = isWord ? 'there is a word too many' : (message.split('. ')[0] ?? '');
    throw new UsageError([problem], seeHelp(command));
  }
}

/** bash expands no `--env=~/x`. */
function withHome(flags: Flags): Flags {
  const { env, bundle, html } = flags;
  return {
    ...flags,
    env: atHome(env),
    ...(bundle !== undefined && { bundle: atHome(bundle) }),
    ...(html !== undefined && { html: atHome(html) }),
  };
}

/** The text of `--help`, for so many columns. */
export function helpText({ name, does, flags, takes }: Usage, width = Number.POSITIVE_INFINITY): string {
  const lines = [...flags, ...EVERYWHERE].map((flag) => {
    const { help, ...rest } = FLAGS[flag];
    const lead = `  ${`--${flag}${'value' in rest ? ` ${rest.value}` : ''}`.padEnd(17)} `;
    return beside(lead, help, width);
  });
  return `${wrapped(does, width).join('\n')}\n\nnpx tsx scripts/${name}.ts ${takes ? `${takes} ` : ''}[flags]\n\n${lines.join('\n')}\n`;
}

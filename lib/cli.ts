/** How every script begins and ends: flags, site, settings, the one error boundary, the exit status. */
import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { EXIT, type ExitStatus, StopError, UsageError } from './errors.ts';
import type { Run } from './program.ts';
import { createReport, type Report } from './report.ts';
import { Secret } from './secret.ts';
import { noColor, readSettings, type Settings } from './settings.ts';
import { DEFAULT_SITE, findSites, named, pickSite, type Site } from './sites.ts';

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
  'via-ssh': { type: 'boolean', default: false, help: "ask each proxy's own 443 and 80 through SSH" },
  env: { type: 'string', default: '.env', value: 'FILE', help: 'the env file, by default .env' },
  verbose: { type: 'boolean', default: false, help: 'tell more' },
  help: { type: 'boolean', default: false, short: 'h', help: 'this text' },
} as const;

export type FlagName = keyof typeof FLAGS;
type Value<K extends FlagName> = (typeof FLAGS)[K] extends { type: 'boolean' } ? boolean : string | undefined;
export type Flags = { readonly [K in FlagName]: Value<K> };

/** The hosts that are at work on a program, and the new tokens, by client, that may go live there unseen. */
export interface UnderWay {
  readonly hosts: Set<string>;
  readonly tokens: Map<string, Secret>;
}

/** What a script gets. */
export interface Context {
  readonly site: Site;
  readonly settings: Settings;
  readonly flags: Flags;
  readonly report: Report;
  /** What stands on the command line beside flags. */
  readonly words: readonly string[];
  /** What an interruption would leave behind. */
  readonly underWay: UnderWay;
}

/** What a script leaves: its exit status, and what `--json` shows. */
export interface Result {
  readonly exit: ExitStatus;
  readonly json: Readonly<Record<string, unknown>>;
}

export interface Command {
  readonly name: string;
  /** One sentence for `--help`. */
  readonly does: string;
  /** Flags beside those that every script has. */
  readonly flags: readonly FlagName[];
  /** What may stand beside flags, for `--help`; nothing when it is left out. */
  readonly takes?: string;
  readonly run: (context: Context) => Promise<Result>;
}

const EVERYWHERE: readonly FlagName[] = ['site', 'host', 'json', 'env', 'verbose', 'help'];

/** Runs a script to its exit status. Nothing else in the suite ends the process. */
export async function main(command: Command): Promise<void> {
  // Looked for by hand: a slip in the flags must not hide that JSON is wanted.
  const json = process.argv.includes('--json');
  const report = await createReport({
    stream: json ? process.stderr : process.stdout,
    verbose: process.argv.includes('--verbose'),
    noColor,
  });
  const underWay: UnderWay = { hosts: new Set(), tokens: new Map() };
  const end = (result: Result) => {
    if (json) process.stdout.write(`${document(command, result, report)}\n`);
    process.exitCode = result.exit;
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      end(interrupted(underWay, report));
      process.exit();
    });
  }
  end(await runCommand(command, report, underWay).catch((error: unknown) => explainError(error, report)));
}

/** The one JSON document; the token, when there is one, is the only secret that stays. */
function document(command: Command, result: Result, report: Report): string {
  const whole = { script: command.name, site: DEFAULT_SITE, ...result.json };
  const clean = (key: string, value: unknown) =>
    typeof value === 'string' && key !== 'token' ? report.clean(value) : value;
  return JSON.stringify(whole, clean, 2);
}

async function runCommand(command: Command, report: Report, underWay: UnderWay): Promise<Result> {
  const { flags, words } = readFlags(command);
  if (flags.help) {
    process.stdout.write(helpText(command));
    return { exit: EXIT.done, json: {} };
  }
  const sites = await findSites();
  const picked = pickSite(sites, flags.site ?? DEFAULT_SITE);
  const settings = await readSettings(picked, sites.values(), {
    envFile: flags.env ?? '.env',
    // Nobody is reached by SSH then, so no setting need name a proxy.
    host: flags.local || flags.bundle !== undefined ? 'localhost' : flags.host,
  });
  const site = named(picked, settings.values);
  for (const value of Object.values(settings.values)) if (value instanceof Secret) report.hide(value);
  for (const text of settings.warnings) report.tell({ kind: 'warning', text });
  const result = await command.run({ site, settings, flags, words, report, underWay });
  return { ...result, json: { site: site.name, ...result.json } };
}

/** The operator can mend it, or it is a bug. (A host that failed is a result, not an error.) */
function explainError(error: unknown, report: Report): Result {
  const [message, advice, exit] =
    error instanceof StopError
      ? [error.message, error.advice, error.exit]
      : [
          `A bug in this script: ${(error as Error)?.stack ?? error}`,
          'Please report it, with this text.',
          EXIT.refused,
        ];
  report.tell({ kind: 'problem', message, advice });
  return { exit, json: { hosts: [], error: { message, advice } } };
}

/** Ctrl-C: what was sent ends by itself on the proxy, what was not sent never happens. */
function interrupted(underWay: UnderWay, report: Report): Result {
  const hosts = [...underWay.hosts];
  const message = hosts.length > 0 ? `Interrupted while ${hosts.join(', ')} was at work.` : 'Interrupted.';
  const advice =
    hosts.length > 0
      ? 'The proxy ends the change by itself: wholly live or wholly undone. Run the same command again to see and settle it.'
      : 'Nothing was changed on any proxy. Run the same command again.';
  report.tell({ kind: 'problem', message, advice });
  if (hosts.length > 0) for (const [client, token] of underWay.tokens) report.showToken(client, token);
  return {
    exit: hosts.length > 0 ? EXIT.unknown : EXIT.refused,
    json: { hosts: [], error: { message, advice } },
  };
}

function readFlags(command: Command): { readonly flags: Flags; readonly words: readonly string[] } {
  const names = new Set<FlagName>([...EVERYWHERE, ...command.flags]);
  const options = Object.fromEntries(Object.entries(FLAGS).filter(([name]) => names.has(name as FlagName)));
  try {
    const { values, positionals } = parseArgs({
      options: options as NonNullable<ParseArgsConfig['options']>,
      strict: true,
      allowPositionals: command.takes !== undefined,
    });
    return { flags: values as unknown as Flags, words: positionals };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UsageError(
      // A word that no flag takes is not repeated: it may be a token.
      [
        code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL'
          ? 'there is a word too many'
          : (message.split('. ')[0] ?? ''),
      ],
      `See: npx tsx scripts/${command.name}.ts --help`,
    );
  }
}

function helpText({ name, does, flags, takes }: Command): string {
  const lines = [...flags, ...EVERYWHERE].map((flag) => {
    const { help, ...rest } = FLAGS[flag];
    return `  ${`--${flag}${'value' in rest ? ` ${rest.value}` : ''}`.padEnd(17)} ${help}`;
  });
  return `${does}\n\nnpx tsx scripts/${name}.ts ${takes ? `${takes} ` : ''}[flags]\n\n${lines.join('\n')}\n`;
}

/** A new run: its id sorts by time and is unique. */
export function newRun(now = new Date()): Run {
  const time = `${now.toISOString().slice(0, 19)}Z`;
  const who = `${userInfo().username}@${hostname()}`.replace(/[^A-Za-z0-9@._-]/g, '_').slice(0, 100);
  return { id: `${time.replace(/[-:]/g, '')}-${randomBytes(3).toString('hex')}`, now: time, who };
}

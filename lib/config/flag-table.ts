/** The table of flags: how each is parsed, what it takes, its line of `--help`. */
import { DEFAULT_SITE } from './site-registry.ts';

/** Every flag of the suite. */
export const FLAGS = {
  site: {
    type: 'string',
    default: DEFAULT_SITE,
    value: 'NAME',
    help: `the site, by default ${DEFAULT_SITE}`,
  },
  host: { type: 'string', value: 'A,B', help: 'the proxies, instead of the setting' },
  'dry-run': { type: 'boolean', default: false, help: 'show what would change, change nothing' },
  yes: { type: 'boolean', default: false, help: 'do not ask for confirmation; required without a terminal' },
  json: { type: 'boolean', default: false, help: 'one JSON document on stdout, all else on stderr' },
  'no-verify': { type: 'boolean', default: false, help: 'no checks after the change' },
  client: { type: 'string', value: 'NAME', help: 'the client of the gate, by default `default`' },
  'keep-previous': { type: 'boolean', default: false, help: 'the previous token goes on opening the gate' },
  'revoke-previous': { type: 'boolean', default: false, help: 'only end the previous token; no new one' },
  'write-env': { type: 'boolean', default: false, help: 'write the new token into the env file first' },
  scope: { type: 'string', value: 'SCOPE', help: 'full or inference (the default), of a new client' },
  limit: {
    type: 'string',
    value: 'N',
    help: 'at most N requests a minute, of a new client; the site has the choices',
  },
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

/** What stands behind `--`. */
export type FlagName = keyof typeof FLAGS;
type Value<F> = F extends { type: 'boolean' }
  ? boolean
  : F extends { default: string }
    ? string
    : string | undefined;
/** The value of each: undefined where a script has no such flag, or it was not given. */
export type Flags = { readonly [K in FlagName]: Value<(typeof FLAGS)[K]> };

/** A command line as it was read. */
export interface CommandLine {
  readonly flags: Flags;
  /** The flags that stand there, as opposed to those with a default. */
  readonly given: ReadonlySet<FlagName>;
  /** What stands beside flags. */
  readonly words: readonly string[];
}

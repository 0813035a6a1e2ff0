/** The table of flags: how each is parsed, its value, its line in `--help`. */
import { DEFAULT_SITE } from './site-registry.ts';

/** As the FILE of --bundle. */
export const STDOUT = '-';

/** Every flag of gatepost. */
export const FLAGS = {
  site: {
    type: 'string',
    default: DEFAULT_SITE,
    value: 'NAME',
    help: `the site (default: GATEPOST_SITE, or ${DEFAULT_SITE})`,
  },
  host: { type: 'string', value: 'A,B', help: 'the proxies (overrides the setting)' },
  'dry-run': { type: 'boolean', default: false, help: 'show what would change, without changing anything' },
  'exit-code': {
    type: 'boolean',
    default: false,
    help: 'with --dry-run: exit with 3 when changes are pending, with 0 when there are none',
  },
  yes: { type: 'boolean', default: false, help: 'do not ask for confirmation; required without a terminal' },
  purge: {
    type: 'boolean',
    default: false,
    help: 'also delete the clients from the release history: no rollback restores them',
  },
  json: {
    type: 'boolean',
    default: false,
    help: 'print one JSON document on stdout, everything else on stderr',
  },
  'no-verify': { type: 'boolean', default: false, help: 'skip the checks after the change' },
  'take-over-lock': {
    type: 'boolean',
    default: false,
    help: 'end a run that has held the lock of a proxy for ten minutes without progress, and roll it back',
  },
  'show-token': {
    type: 'boolean',
    default: false,
    help: 'show a generated token even where CI is set',
  },
  client: { type: 'string', value: 'NAME', help: 'the bearer client (default: `default`)' },
  'keep-previous': {
    type: 'string',
    bare: 'always',
    value: '[=DURATION]',
    help: 'keep the previous token valid until it is revoked, or for a duration (30m, 12h, 7d)',
  },
  'revoke-previous': {
    type: 'boolean',
    default: false,
    help: 'only revoke the previous token; create no new one',
  },
  'write-env': { type: 'boolean', default: false, help: 'first write the new token to the env file' },
  scope: { type: 'string', value: 'SCOPE', help: 'scope of a client: full or inference (default)' },
  limit: {
    type: 'string',
    value: 'N',
    help: 'rate limit of a client in requests per minute (10, 60 or 600; set: also none)',
  },
  concurrent: {
    type: 'string',
    value: 'N',
    help: 'requests of a client at the same time (1, 2, 4 or 8; set: also none)',
  },
  expires: {
    type: 'string',
    value: 'WHEN',
    help: 'when its token ends: 12h, 90d, 2027-01-31 or 2027-01-31T12:00:00Z (set: also never)',
  },
  since: {
    type: 'string',
    value: 'TIME',
    help: 'usage: only the last 90s, 30m, 12h or 7d of the access log',
  },
  request: { type: 'string', value: 'ID', help: 'usage: the line of the request with this X-Request-Id' },
  prometheus: {
    type: 'boolean',
    default: false,
    help: 'usage: print metrics for the textfile collector of node_exporter',
  },
  from: { type: 'string', value: 'HOST', help: 'copy: the proxy whose clients are copied' },
  to: {
    type: 'string',
    value: 'ID|HOST',
    help: 'rollback: the release to restore (listed by status.ts); copy: the proxy that gets the clients',
  },
  staging: { type: 'boolean', default: false, help: "test with the staging CA of Let's Encrypt" },
  'force-renewal': {
    type: 'boolean',
    default: false,
    help: 'request a new certificate even if the current one is valid',
  },
  'use-certificate': {
    type: 'string',
    value: 'NAME',
    help: 'use this certificate of certbot on the proxy, such as a wildcard, instead of requesting one',
  },
  'no-preflight': {
    type: 'boolean',
    default: false,
    help: 'ask the CA without first trying the challenge path from here',
  },
  'self-signed': { type: 'boolean', default: false, help: 'generate a self-signed certificate on the proxy' },
  parallel: { type: 'string', value: 'N', help: 'at most N proxies at once (1 to 100; default: all)' },
  canary: {
    type: 'boolean',
    default: false,
    help: 'deploy to the first proxy, and to the others only if it succeeds',
  },
  bundle: {
    type: 'string',
    value: 'FILE',
    help: 'write the program to FILE (`-`: to stdout), without connecting',
  },
  render: {
    type: 'string',
    value: 'DIR',
    help: 'write the vhost and the maps to DIR, without connecting',
  },
  local: { type: 'boolean', default: false, help: 'run the program on this machine, without SSH' },
  curl: { type: 'boolean', default: false, help: 'show the curl command of each check' },
  only: { type: 'string', value: 'NAME', help: 'run only checks with NAME in their name' },
  'connect-to': {
    type: 'string',
    value: 'HOST',
    help: 'connect to HOST[:PORT] instead of the resolved address; PORT replaces 443',
  },
  html: { type: 'string', value: 'FILE', help: 'also write an HTML report' },
  'via-ssh': { type: 'boolean', default: false, help: 'check ports 443 and 80 of each proxy through SSH' },
  env: {
    type: 'string',
    default: '.env',
    value: 'FILE',
    help: 'the env file (default: .env here, else the one beside gatepost)',
  },
  verbose: {
    type: 'boolean',
    default: false,
    help: 'verbose output (with several proxies: show every step)',
  },
  version: { type: 'boolean', default: false, help: 'show the version of gatepost' },
  help: { type: 'boolean', default: false, short: 'h', help: 'show this help' },
} as const;

/** The value of --keep-previous without one. */
export const UNTIL_REVOKED: string = FLAGS['keep-previous'].bare;

/** The flags of most scripts that change a proxy. */
export const CHANGE_FLAGS = ['dry-run', 'no-verify', 'take-over-lock', 'parallel'] as const;

/** The name of a flag, without `--`. */
export type FlagName = keyof typeof FLAGS;
type Value<F> = F extends { type: 'boolean' }
  ? boolean
  : F extends { default: string }
    ? string
    : string | undefined;
/** The value of each flag; undefined if the script does not have it or it was not given. */
export type Flags = { readonly [K in FlagName]: Value<(typeof FLAGS)[K]> };

/** A parsed command line. */
export interface CommandLine {
  readonly flags: Flags;
  /** The flags that were given, as opposed to defaults. */
  readonly given: ReadonlySet<FlagName>;
  /** The positional arguments. */
  readonly words: readonly string[];
}

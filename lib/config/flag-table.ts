/** The table of flags: parsing, value, and the line in `--help`. */
import { DEFAULT_SITE } from './site-registry.ts';

/** The FILE of --bundle that means stdout. */
export const STDOUT = '-';

const toggle = (help: string) => ({ type: 'boolean', default: false, help }) as const;
const option = (value: string, help: string) => ({ type: 'string', value, help }) as const;

/** Every flag of gatepost. */
export const FLAGS = {
  site: {
    type: 'string',
    default: DEFAULT_SITE,
    value: 'NAME',
    help: `the site (default: GATEPOST_SITE, or ${DEFAULT_SITE})`,
  },
  host: option('A,B', 'the proxies (overrides the setting)'),
  'dry-run': toggle('show what would change, without changing anything'),
  'exit-code': toggle('with --dry-run: exit with 3 when changes are pending, with 0 when there are none'),
  yes: toggle('do not ask for confirmation; required without a terminal'),
  purge: toggle('also delete the clients from the release history: no rollback restores them'),
  json: toggle('print one JSON document on stdout, everything else on stderr'),
  'no-verify': toggle('skip the checks after the change'),
  'take-over-lock': toggle(
    'end a run that has held the lock of a proxy for ten minutes without progress, and roll it back',
  ),
  'show-token': toggle('show a generated token even where CI is set'),
  client: option('NAME', 'the bearer client (default: `default`)'),
  'keep-previous': {
    type: 'string',
    bare: 'always',
    value: '[=DURATION]',
    help: 'keep the previous token valid until it is revoked, or for a duration (30m, 12h, 7d)',
  },
  'revoke-previous': toggle('only revoke the previous token; create no new one'),
  'write-env': toggle('first write the new token to the env file'),
  scope: option('SCOPE', 'scope of a client: full or inference (default)'),
  limit: option('N', 'rate limit of a client in requests per minute (10, 60 or 600; set: also none)'),
  concurrent: option('N', 'requests of a client at the same time (1, 2, 4 or 8; set: also none)'),
  expires: option(
    'WHEN',
    'when its token ends: 12h, 90d, 2027-01-31 or 2027-01-31T12:00:00Z (set: also never)',
  ),
  since: option('TIME', 'usage: only the last 90s, 30m, 12h or 7d of the access log'),
  request: option('ID', 'usage: the line of the request with this X-Request-Id'),
  prometheus: toggle('usage: print metrics for the textfile collector of node_exporter'),
  from: option('HOST', 'copy: the proxy whose clients are copied'),
  to: option(
    'ID|HOST',
    'rollback: the release to restore (listed by status.ts); copy: the proxy that gets the clients',
  ),
  staging: toggle("test with the staging CA of Let's Encrypt"),
  'force-renewal': toggle('request a new certificate even if the current one is valid'),
  'use-certificate': option(
    'NAME',
    'use this certificate of certbot on the proxy, such as a wildcard, instead of requesting one',
  ),
  'no-preflight': toggle('ask the CA without first trying the challenge path from here'),
  'self-signed': toggle('generate a self-signed certificate on the proxy'),
  parallel: option('N', 'at most N proxies at once (1 to 100; default: all)'),
  canary: toggle('deploy to the first proxy, and to the others only if it succeeds'),
  bundle: option('FILE', 'write the program to FILE (`-`: to stdout), without connecting'),
  render: option('DIR', 'write the vhost and the maps to DIR, without connecting'),
  local: toggle('run the program on this machine, without SSH'),
  curl: toggle('show the curl command of each check'),
  only: option('NAME', 'run only checks with NAME in their name'),
  'connect-to': option('HOST', 'connect to HOST[:PORT] instead of the resolved address; PORT replaces 443'),
  html: option('FILE', 'also write an HTML report'),
  'via-ssh': toggle('check ports 443 and 80 of each proxy through SSH'),
  env: {
    type: 'string',
    default: '.env',
    value: 'FILE',
    help: "the env file (default: .env here, else the one in gatepost's folder)",
  },
  verbose: toggle('verbose output (with several proxies: show every step)'),
  version: toggle('show the version of gatepost'),
  help: { ...toggle('show this help'), short: 'h' },
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
  /** The flags that were set explicitly. */
  readonly given: ReadonlySet<FlagName>;
  /** The positional arguments. */
  readonly words: readonly string[];
}

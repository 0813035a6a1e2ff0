/** The arguments of bearers.ts, judged before anything is contacted, and the list of clients. */
import type { FlagName, Flags } from '../config/flag-table.ts';
import { DEFAULT_CLIENT, judgeClientName, SCOPES } from '../model/bearer.ts';
import { DURATION_FORM, secondsOf } from '../model/duration.ts';
import { type HostReport, isDone } from '../model/host-report.ts';
import type { Gate } from '../model/site.ts';
import { clientsIn } from '../remote/client-rows.ts';
import { refuseAll } from '../util/errors.ts';
import type { Context, Result } from './context.ts';
import { clientEntry } from './views/client-views.ts';
import { summarize } from './views/summary.ts';

/** The flags that only bearers.ts has. */
export const CLIENT_FLAGS = [
  'scope',
  'limit',
  'since',
  'request',
  'prometheus',
] as const satisfies readonly FlagName[];

const VERBS = ['list', 'add', 'revoke', 'usage'] as const;

interface Arguments {
  readonly verb: (typeof VERBS)[number];
  /** Empty for `list` and `usage`. */
  readonly name: string;
}

const SEE_HELP = 'See: `npx tsx scripts/bearers.ts --help`';

/** @throws UsageError for an unknown command, name or scope */
export function argumentsOf({ words, flags, site }: Context): Arguments {
  const [word, name = '', ...rest] = words;
  const verb = VERBS.find((known) => known === word);
  refuseAll(
    [
      !site.gate && `--site ${site.name}: has no bearer gate`,
      ...(verb
        ? [
            judgeName(verb, name, words.length),
            judgeScope(verb, flags.scope),
            judgeLimit(verb, flags.limit, site.gate),
            ...judgeUsage(verb, flags),
            rest.length > 0 && `${verb}: takes one name`,
          ]
        : [judgeVerb(word)]),
    ],
    SEE_HELP,
  );
  return { verb: verb as Arguments['verb'], name };
}

// Neither an unknown command nor an invalid name is repeated: it may be a token.
const judgeVerb = (word: string | undefined): string =>
  `${word === undefined ? 'the command is missing' : 'unknown command'}; there are: list, add NAME, revoke NAME, usage`;

function judgeName(verb: Arguments['verb'], name: string, count: number): string | undefined {
  if (verb === 'list' || verb === 'usage') return count > 1 ? `${verb}: takes no name` : undefined;
  if (count < 2) return `${verb}: the name of the client is missing`;
  const wrong = judgeClientName(name);
  if (wrong) return `${verb} NAME: a client's name is ${wrong}`;
  return verb === 'add' && name === DEFAULT_CLIENT
    ? `add ${name}: this name is reserved for the token in the settings; deploy creates it`
    : undefined;
}

function judgeScope(verb: Arguments['verb'], scope: string | undefined): string | undefined {
  if (scope === undefined) return undefined;
  if (verb !== 'add') return `--scope: only for a new client`;
  return SCOPES.some((known) => known === scope) ? undefined : `--scope: must be ${SCOPES.join(' or ')}`;
}

/** Judges the flags of `usage`; the flag table has their forms. */
function judgeUsage(verb: Arguments['verb'], { since, request, prometheus, json }: Flags) {
  if (verb !== 'usage')
    return [
      since !== undefined && '--since: only for usage',
      request !== undefined && '--request: only for usage',
      prometheus && '--prometheus: only for usage',
    ];
  return [
    since !== undefined && secondsOf(since) === undefined && `--since: must be ${DURATION_FORM}`,
    request !== undefined &&
      !/^[0-9a-f]{32}$/.test(request) &&
      '--request: must be 32 hex digits, as in X-Request-Id',
    prometheus && json && '--prometheus: not with --json',
    prometheus && request !== undefined && '--prometheus: not with --request',
  ];
}

function judgeLimit(verb: Arguments['verb'], limit: string | undefined, gate?: Gate): string | undefined {
  if (limit === undefined) return undefined;
  if (verb !== 'add') return `--limit: only for a new client`;
  const limits = Object.keys(gate?.limits ?? {});
  return limits.includes(limit)
    ? undefined
    : `--limit: must be one of ${limits.join(', ')} (requests a minute)`;
}

/** Reports every client with fingerprints and times. */
export function summarizeClients(context: Context, hosts: readonly HostReport[]): Result {
  const { report } = context;
  for (const host of hosts.filter(isDone)) {
    if (hosts.length > 1) report.print({ kind: 'title', text: host.host });
    report.print(clientEntry(host));
  }
  return summarize(context, { hosts, details: hosts.map((host) => ({ clients: clientsIn(host) })) });
}

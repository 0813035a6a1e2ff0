/** The arguments of bearers.ts, judged before anything is contacted, and the list of clients. */
import type { FlagName, Flags } from '../config/flag-table.ts';
import { DEFAULT_CLIENT, judgeClientName, SCOPES } from '../model/bearer.ts';
import { isDone } from '../model/host-report.ts';
import type { Gate } from '../model/site.ts';
import { readSpan, readWhen, SPAN_FORM, WHEN_FORM } from '../model/when.ts';
import { statusProgram } from '../program/history-programs.ts';
import { clientsIn } from '../remote/client-rows.ts';
import { refuseAll } from '../util/errors.ts';
import type { Context, Result } from './context.ts';
import { readAll } from './rollout.ts';
import { clientEntry } from './views/client-views.ts';
import { summarize } from './views/summary.ts';

/** The flags that only bearers.ts has. */
export const CLIENT_FLAGS = [
  'show-token',
  'scope',
  'limit',
  'concurrent',
  'expires',
  'since',
  'request',
  'prometheus',
  'from',
  'to',
] as const satisfies readonly FlagName[];

const CHANGES = ['add', 'set', 'suspend', 'resume', 'revoke'] as const;
const VERBS = ['list', 'usage', 'copy', ...CHANGES] as const;
type Word = (typeof VERBS)[number];

interface Arguments {
  readonly verb: Word;
  /** Empty for `list` and `usage`, and where `copy` is for all clients. */
  readonly name: string;
}

const SEE_HELP = 'See: `npx tsx scripts/bearers.ts --help`';
const COMMANDS = ['list', ...CHANGES.map((verb) => `${verb} NAME`), 'copy [NAME]', 'usage'].join(', ');

/** The flags that say what a client may do. */
const GRANT = ['scope', 'limit', 'concurrent', 'expires'] as const;

/** @throws UsageError for an unknown command, name, scope, limit or time */
export function argumentsOf({ words, flags, site }: Context): Arguments {
  const [word, name = '', ...rest] = words;
  const verb = VERBS.find((known) => known === word);
  refuseAll(
    [
      !site.gate && `--site ${site.name}: has no bearer gate`,
      ...(verb
        ? [
            judgeName(verb, name, words.length),
            ...judgeGrant(verb, flags, site.gate),
            ...judgeUsage(verb, flags),
            judgeCopy(verb, flags),
            rest.length > 0 && `${verb}: takes one name`,
          ]
        : [judgeVerb(word)]),
    ],
    SEE_HELP,
  );
  return { verb: verb as Word, name };
}

// Neither an unknown command nor an invalid name is repeated: it may be a token.
const judgeVerb = (word: string | undefined): string =>
  `${word === undefined ? 'the command is missing' : 'unknown command'}; there are: ${COMMANDS}`;

function judgeName(verb: Word, name: string, count: number): string | undefined {
  if (verb === 'list' || verb === 'usage') return count > 1 ? `${verb}: takes no name` : undefined;
  if (verb === 'copy' && count < 2) return undefined;
  if (count < 2) return `${verb}: the name of the client is missing`;
  const wrong = judgeClientName(name);
  if (wrong) return `${verb} NAME: a client's name is ${wrong}`;
  return verb === 'add' && name === DEFAULT_CLIENT
    ? `add ${name}: this name is reserved for the token in the settings; deploy creates it`
    : undefined;
}

function judgeGrant(verb: Word, flags: Context['flags'], gate?: Gate): readonly (string | undefined)[] {
  const given = GRANT.filter((flag) => flags[flag] !== undefined);
  if (verb !== 'add' && verb !== 'set') return given.map((flag) => `--${flag}: only for add and set`);
  const nothing = verb === 'set' && given.length === 0;
  return [
    nothing ? `set: what is to change is missing: ${GRANT.map((flag) => `--${flag}`).join(', ')}` : undefined,
    judgeChoice('--scope', flags.scope, SCOPES),
    judgeChoice(
      '--limit',
      flags.limit,
      [...Object.keys(gate?.limits ?? {}), ...noLimit(verb)],
      'requests a minute',
    ),
    judgeChoice('--concurrent', flags.concurrent, [
      ...(gate?.concurrent ?? []).map(String),
      ...noLimit(verb),
    ]),
    judgeExpiry(verb, flags.expires),
  ];
}

/** Two proxies, for `copy` only. */
function judgeCopy(verb: Word, { from, to }: Flags): string | undefined {
  if (verb !== 'copy')
    return from === undefined && to === undefined ? undefined : '--from and --to: only for copy';
  return from === undefined || to === undefined
    ? 'copy: --from HOST and --to HOST are missing: the proxy that has the clients, and the one that gets them'
    : undefined;
}

/** Judges the flags of `usage`; the flag table has their forms. */
function judgeUsage(verb: Word, { since, request, prometheus, json }: Flags) {
  if (verb !== 'usage')
    return [
      since !== undefined && '--since: only for usage',
      request !== undefined && '--request: only for usage',
      prometheus && '--prometheus: only for usage',
    ];
  return [
    since !== undefined && readSpan(since) === undefined && `--since: must be ${SPAN_FORM}`,
    request !== undefined &&
      !/^[0-9a-f]{32}$/.test(request) &&
      '--request: must be 32 hex digits, as in X-Request-Id',
    prometheus && json && '--prometheus: not with --json',
    prometheus && request !== undefined && '--prometheus: not with --request',
  ];
}

const noLimit = (verb: Word): readonly string[] => (verb === 'set' ? ['none'] : []);

function judgeChoice(
  flag: string,
  value: string | undefined,
  choices: readonly string[],
  unit?: string,
): string | undefined {
  if (value === undefined || choices.includes(value)) return undefined;
  const list = unit ? `one of ${choices.join(', ')} (${unit})` : choices.join(' or ');
  return `${flag}: must be ${list}`;
}

function judgeExpiry(verb: Word, when: string | undefined): string | undefined {
  if (when === undefined || (verb === 'set' && when === 'never')) return undefined;
  return readWhen(when, new Date()) === undefined
    ? `--expires: must be ${WHEN_FORM}, yet to come${verb === 'set' ? ', or never' : ''}`
    : undefined;
}

/** `bearers.ts list`: every client with fingerprints and times. */
export async function listClients(context: Context): Promise<Result> {
  const { report } = context;
  const hosts = await readAll(context, await statusProgram(context.site, 'clients'));
  for (const host of hosts.filter(isDone)) {
    if (hosts.length > 1) report.print({ kind: 'title', text: host.host });
    report.print(clientEntry(host));
  }
  return summarize(context, { hosts, details: hosts.map((host) => ({ clients: clientsIn(host) })) });
}

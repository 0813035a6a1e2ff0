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

const CHANGES = ['add', 'set', 'suspend', 'resume', 'revoke'] as const;
const VERBS = ['list', 'usage', 'copy', ...CHANGES] as const;
type Word = (typeof VERBS)[number];

/** The flags that only bearers.ts has, with the commands that they are for. */
const OWN_FLAGS = {
  scope: ['add', 'set'],
  limit: ['add', 'set'],
  concurrent: ['add', 'set'],
  expires: ['add', 'set'],
  since: ['usage'],
  request: ['usage'],
  prometheus: ['usage'],
  from: ['copy'],
  to: ['copy'],
} as const satisfies Partial<Record<FlagName, readonly Word[]>>;

const OWN = Object.keys(OWN_FLAGS) as (keyof typeof OWN_FLAGS)[];
const isFor = (flag: keyof typeof OWN_FLAGS, verb: Word): boolean =>
  OWN_FLAGS[flag].some((each) => each === verb);

export const CLIENT_FLAGS: readonly FlagName[] = ['show-token', ...OWN];

interface Arguments {
  readonly verb: Word;
  /** Empty for `list` and `usage`, and where `copy` is for all clients. */
  readonly name: string;
}

const SEE_HELP = 'See: `npx tsx scripts/bearers.ts --help`';
const COMMANDS = ['list', ...CHANGES.map((verb) => `${verb} NAME`), 'copy [NAME]', 'usage'].join(', ');

/** @throws UsageError for an unknown command, name, scope, limit or time */
export function argumentsOf({ words, flags, site }: Context): Arguments {
  const [word, name = '', ...rest] = words;
  const verb = VERBS.find((known) => known === word);
  const problems = verb
    ? [
        judgeName(verb, name, words.length),
        ...judgeFlags(verb, flags, site.gate),
        rest.length > 0 && `${verb}: takes one name`,
      ]
    : [judgeVerb(word)];
  refuseAll([!site.gate && `--site ${site.name}: has no bearer gate`, ...problems], SEE_HELP);
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

type Problem = string | false | undefined;

function judgeFlags(verb: Word, flags: Flags, gate?: Gate): readonly Problem[] {
  const given = OWN.filter((flag) => flags[flag] !== undefined && flags[flag] !== false);
  const { from, to } = flags;
  return [
    ...given.map((flag) => !isFor(flag, verb) && `--${flag}: only for ${OWN_FLAGS[flag].join(' and ')}`),
    verb === 'copy' &&
      (from === undefined || to === undefined) &&
      'copy: --from HOST and --to HOST are missing: the proxy that has the clients, and the one that gets them',
    ...(verb === 'add' || verb === 'set' ? judgeGrant(verb, flags, gate) : []),
    ...(verb === 'usage' ? judgeUsage(flags) : []),
  ];
}

function judgeGrant(verb: 'add' | 'set', flags: Flags, gate?: Gate): readonly Problem[] {
  const { scope, limit, concurrent, expires } = flags;
  const grant = OWN.filter((flag) => isFor(flag, verb));
  const none = verb === 'set' ? ['none'] : [];
  const limits = [...Object.keys(gate?.limits ?? {}), ...none];
  return [
    verb === 'set' &&
      grant.every((flag) => flags[flag] === undefined) &&
      `set: what is to change is missing: ${grant.map((flag) => `--${flag}`).join(', ')}`,
    isUnknown(scope, SCOPES) && `--scope: must be ${SCOPES.join(' or ')}`,
    isUnknown(limit, limits) && `--limit: must be one of ${limits.join(', ')} (requests a minute)`,
    isUnknown(concurrent, [...(gate?.concurrent ?? []).map(String), ...none]) &&
      `--concurrent: must be ${[...(gate?.concurrent ?? []), ...none].join(' or ')}`,
    expires !== undefined &&
      !(verb === 'set' && expires === 'never') &&
      readWhen(expires, new Date()) === undefined &&
      `--expires: must be ${WHEN_FORM}, yet to come${verb === 'set' ? ', or never' : ''}`,
  ];
}

const isUnknown = (value: string | undefined, choices: readonly string[]): boolean =>
  value !== undefined && !choices.includes(value);

const judgeUsage = ({ since, request, prometheus, json }: Flags): readonly Problem[] => [
  since !== undefined && readSpan(since) === undefined && `--since: must be ${SPAN_FORM}`,
  request !== undefined &&
    !/^[0-9a-f]{32}$/.test(request) &&
    '--request: must be 32 hex digits, as in X-Request-Id',
  prometheus && json && '--prometheus: not with --json',
  prometheus && request !== undefined && '--prometheus: not with --request',
];

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

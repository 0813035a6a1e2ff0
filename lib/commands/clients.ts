/** The arguments of bearers.ts, judged before anything is contacted, and the list of clients. */
import { DEFAULT_CLIENT, judgeClientName, SCOPES } from '../model/bearer.ts';
import { type HostReport, isDone } from '../model/host-report.ts';
import type { Gate } from '../model/site.ts';
import { clientsIn } from '../remote/client-rows.ts';
import { refuseAll } from '../util/errors.ts';
import type { Context } from './context.ts';
import { clientEntry } from './views/client-views.ts';

const VERBS = ['list', 'add', 'revoke'] as const;

interface Arguments {
  readonly verb: (typeof VERBS)[number];
  /** Empty for `list`. */
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
  `${word === undefined ? 'the command is missing' : 'unknown command'}; there are: list, add NAME, revoke NAME`;

function judgeName(verb: Arguments['verb'], name: string, count: number): string | undefined {
  if (verb === 'list') return count > 1 ? 'list: takes no name' : undefined;
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

function judgeLimit(verb: Arguments['verb'], limit: string | undefined, gate?: Gate): string | undefined {
  if (limit === undefined) return undefined;
  if (verb !== 'add') return `--limit: only for a new client`;
  const limits = Object.keys(gate?.limits ?? {});
  return limits.includes(limit)
    ? undefined
    : `--limit: must be one of ${limits.join(', ')} (requests a minute)`;
}

/** Reports every client with fingerprints and times. */
export function reportClients({ report }: Context, hosts: readonly HostReport[]): void {
  for (const host of hosts.filter(isDone)) {
    if (hosts.length > 1) report.print({ kind: 'title', text: host.host });
    report.print(clientEntry(host));
  }
}

/** For --json: the clients of each host. */
export const clientsJson = (hosts: readonly HostReport[]): readonly object[] =>
  hosts.map((host) => ({ clients: clientsIn(host) }));

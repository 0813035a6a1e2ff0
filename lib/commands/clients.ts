/** The clients of the gate: words judged before anything is contacted, then listed, added or revoked. */
import { DEFAULT_CLIENT, judgeClientName, SCOPES, type Scope } from '../model/bearer.ts';
import { isDone } from '../model/host-report.ts';
import { newRun } from '../model/run.ts';
import type { Gate } from '../model/site.ts';
import { newToken } from '../nginx/tokens.ts';
import { statusProgram } from '../program/history-programs.ts';
import { clientsIn } from '../remote/client-rows.ts';
import { refuseAll } from '../util/errors.ts';
import { change } from './apply.ts';
import { changeClient, concludeClient } from './change-client.ts';
import type { Context, Result } from './context.ts';
import { clientEntry } from './views/client-views.ts';
import { conclude } from './views/summary.ts';

const VERBS = ['list', 'add', 'revoke'] as const;

interface Words {
  readonly verb: (typeof VERBS)[number];
  /** Empty for `list`. */
  readonly name: string;
}

const SEE_HELP = 'See: `npx tsx scripts/bearers.ts --help`';

/** @throws UsageError for words that are no command, a name that no client can have, a scope that is none */
export function wordsOf({ words, flags, site }: Context): Words {
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
            rest.length > 0 && `${verb}: one name at a time`,
          ]
        : [judgeVerb(word)]),
    ],
    SEE_HELP,
  );
  return { verb: verb as Words['verb'], name };
}

// Neither a verb nor a name that is none is repeated: it may be a token.
const judgeVerb = (word: string | undefined): string =>
  `${word === undefined ? 'a word is missing' : 'no such command'}; there are: list, add NAME, revoke NAME`;

function judgeName(verb: Words['verb'], name: string, count: number): string | undefined {
  if (verb === 'list') return count > 1 ? 'list: takes no name' : undefined;
  if (count < 2) return `${verb}: the name of the client is missing`;
  const wrong = judgeClientName(name);
  if (wrong) return `${verb} NAME: a client's name is ${wrong}`;
  return verb === 'add' && name === DEFAULT_CLIENT
    ? `add ${name}: this name is the one of the settings' token; deploy makes it`
    : undefined;
}

function judgeScope(verb: Words['verb'], scope: string | undefined): string | undefined {
  if (scope === undefined) return undefined;
  if (verb !== 'add') return `--scope: only a new client takes one`;
  return SCOPES.some((known) => known === scope) ? undefined : `--scope: must be ${SCOPES.join(' or ')}`;
}

function judgeLimit(verb: Words['verb'], limit: string | undefined, gate?: Gate): string | undefined {
  if (limit === undefined) return undefined;
  if (verb !== 'add') return `--limit: only a new client takes one`;
  const limits = Object.keys(gate?.limits ?? {});
  return limits.includes(limit)
    ? undefined
    : `--limit: must be one of ${limits.join(', ')} (requests a minute)`;
}

/** Every client with fingerprints and times, read on the proxy. */
export async function listClients(context: Context): Promise<Result> {
  const run = newRun();
  const hosts = await change(context, run, await statusProgram(run, context.site, 'clients'), false);
  for (const host of hosts.filter(isDone)) {
    if (hosts.length > 1) context.report.tell({ kind: 'title', text: host.host });
    context.report.tell(clientEntry(host));
  }
  return conclude(context, hosts, [], undefined, (host) => ({ clients: clientsIn(host) }));
}

/** A new client with a new token; the environment's is not looked at. */
export async function addClient(context: Context, client: string): Promise<Result> {
  const scope = (context.flags.scope ?? 'inference') as Scope;
  const token = await newToken();
  context.report.hide(token);
  if (!context.flags['dry-run']) context.underWay.tokens.set(client, token);
  const { limit } = context.flags;
  const added = { verb: 'add_client', client, scope, token, ...(limit && { limit }) } as const;
  return concludeClient(context, await changeClient(context, added), { change: added, isNew: true });
}

/** Takes a client's tokens out of the gate. */
export async function revokeClient(context: Context, client: string): Promise<Result> {
  const revoked = { verb: 'revoke_client', client } as const;
  const hosts = await changeClient(context, revoked);
  if (hosts.some(({ outcome }) => outcome === 'applied'))
    context.report.tell({
      kind: 'note',
      text: 'Streams that this client has open end by themselves; it begins no new one.',
    });
  return concludeClient(context, hosts, { change: revoked, isNew: false });
}

/** Changes of the gate's clients -> programs. Each changes the file of one client only. */
import { type Scope, tokenFingerprint } from '../model/bearer.ts';
import type { Program } from '../model/run.ts';
import type { Site } from '../model/site.ts';
import type { Secret } from '../util/secret.ts';
import { type Configured, contentFunction, gateFunctions, program, yes } from './program.ts';

/** What a client may do; undefined fields stay unchanged. */
export interface Wanted {
  readonly scope?: Scope;
  /** Requests a minute, one of the gate's limits; `none` for no limit. */
  readonly limit?: string;
  /** Requests at the same time; `none` for no limit. */
  readonly concurrent?: string;
  /** When its tokens expire, by the clock of the proxy: `+SECONDS` from then, seconds since 1970, or `never`. */
  readonly end?: string;
}

/** A change of one client. */
export type ClientChange =
  | {
      readonly verb: 'rotate';
      readonly client: string;
      readonly token: Secret;
      /** Is the previous token kept: until it is revoked, or for so many seconds? */
      readonly keepPrevious: boolean | number;
    }
  | ({ readonly verb: 'add_client'; readonly client: string; readonly token: Secret } & Wanted)
  | ({ readonly verb: 'set_client'; readonly client: string } & Wanted)
  | {
      readonly verb: 'revoke_client' | 'revoke_previous' | 'suspend_client' | 'resume_client';
      readonly client: string;
    };

/** The program of one change; with `dryRun` it only shows what would change. */
export async function clientProgram(
  context: Configured,
  change: ClientChange,
  dryRun: boolean,
): Promise<Program> {
  const values = {
    DRY: yes(dryRun),
    CLIENT: change.client,
    ABOUT: change.client,
    KEEP: 'keepPrevious' in change ? keepText(change.keepPrevious) : '',
    ...wantedValues(
      'scope' in change || change.verb === 'set_client' || change.verb === 'add_client' ? change : {},
    ),
  };
  const token = 'token' in change ? [contentFunction(0, change.token.reveal())] : [];
  return program(change.verb, context.site, values, [...token, ...(await gateFunctions(context))]);
}

/** A token of a client, with everything that it may do, as a proxy has it. */
export interface CopiedToken {
  readonly client: string;
  readonly created: string;
  readonly rotated: string;
  readonly scope: Scope;
  readonly limit: string;
  readonly concurrent: string;
  readonly end: string;
  readonly state: string;
  readonly token: Secret;
}

/** Sends the clients of a proxy, with their tokens, to this script. Changes nothing there. */
export const exportProgram = (site: Site): Promise<Program> => program('export_clients', site);

/** Gives a proxy clients of another one, with the same tokens. */
export async function copyProgram(
  context: Configured,
  tokens: readonly CopiedToken[],
  from: string,
  dryRun: boolean,
): Promise<Program> {
  const lines = tokens.map(({ client, created, rotated, scope, limit, concurrent, end, state, token }) =>
    [
      client,
      tokenFingerprint(token),
      created,
      rotated,
      scope,
      limit,
      concurrent,
      end,
      state,
      token.reveal(),
    ].join('\t'),
  );
  // No client has this name: the change is of several.
  const values = { DRY: yes(dryRun), CLIENT: '-', ABOUT: `from ${from}` };
  return program('copy_client', context.site, values, [
    contentFunction(0, lines.map((line) => `${line}\n`).join('')),
    ...(await gateFunctions(context)),
  ]);
}

const keepText = (kept: boolean | number): string =>
  kept === true ? 'yes' : kept === false ? '' : String(kept);

/** `-` removes a limit. */
function wantedValues(wanted: Partial<Wanted>): Readonly<Record<string, string>> {
  const word = (text = '') => (text === 'none' || text === 'never' ? '-' : text);
  return {
    NEW_SCOPE: wanted.scope ?? '',
    NEW_LIMIT: word(wanted.limit),
    NEW_CONCURRENT: word(wanted.concurrent),
    NEW_END: word(wanted.end),
  };
}

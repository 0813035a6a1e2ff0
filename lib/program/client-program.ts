/** Changes of the gate's clients -> programs: each touches one client's file and nothing else. */
import type { Scope } from '../model/bearer.ts';
import type { Run } from '../model/run.ts';
import type { Site } from '../model/site.ts';
import { clientMapKey } from '../nginx/client-map.ts';
import type { Secret } from '../util/secret.ts';
import { contentFunction, program } from './program.ts';

/** What is to happen to one client. */
export type ClientChange =
  | {
      readonly verb: 'rotate';
      readonly client: string;
      readonly token: Secret;
      readonly keepPrevious: boolean;
    }
  | { readonly verb: 'revoke_previous'; readonly client: string }
  | {
      readonly verb: 'add_client';
      readonly client: string;
      readonly token: Secret;
      readonly scope: Scope;
      /** Requests a minute, one of the gate's limits. */
      readonly limit?: string;
    }
  | { readonly verb: 'revoke_client'; readonly client: string };

/** The program of one change; with `dryRun` it only shows what would change. */
export function clientProgram(run: Run, site: Site, change: ClientChange, dryRun: boolean): Promise<string> {
  const limit = ('limit' in change && change.limit) || '';
  const values = {
    DRY: dryRun ? 'yes' : '',
    CLIENT: change.client,
    ABOUT: change.client,
    KEEP: 'keepPrevious' in change && change.keepPrevious ? 'yes' : '',
    NEW_SCOPE: 'scope' in change ? change.scope : '',
    NEW_LIMIT: limit,
    LIMIT_ZONE: site.gate?.limits[Number(limit)] ?? '',
  };
  const functions = 'token' in change ? [contentFunction(0, `${clientMapKey(change.token)}\n`)] : [];
  return program(change.verb, run, site, values, functions);
}

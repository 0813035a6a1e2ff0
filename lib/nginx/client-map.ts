/** A bearer client -> the text of its file, which the nginx map of the gate includes. */
import { escapeToken, type Scope } from '../model/bearer.ts';
import type { Secret } from '../util/secret.ts';

/** A bearer client; times as `2026-11-22T17:40:35Z`. */
export interface Client {
  readonly name: string;
  readonly scope: Scope;
  readonly created: string;
  readonly rotated: string;
  /** Newest first; two while the previous one is still valid. */
  readonly tokens: readonly Secret[];
}

/** How a key of the gate's map begins and ends around the token, a regex in quotes. */
export const KEY_START = '"~^(?i:bearer) +';
export const KEY_END = '\\z"';

/** The comments that say when a client was added, and when it got its present token. */
export const CREATED_MARK = '# created';
export const ROTATED_MARK = '# rotated';

/** The first line of a client's file, around its name. */
export const HEADER_START = '# Client "';
export const HEADER_END = '" of the bearer gate. This file holds a secret: keep it owned by root, mode 0600.';

/** The key of a token in the map of the gate: a quoted regex. */
export function clientMapKey(token: Secret): string {
  return `${KEY_START}${escapeToken(token.reveal())}${KEY_END}`;
}

function keyLine(client: Client, token: Secret): string {
  return `${clientMapKey(token)} ${client.scope}:${client.name};\n`;
}

/**
 * The text of the file of one client, included by the map of the gate.
 * Keys are regexes, because nginx compares string keys case-insensitively (https://nginx.org/en/docs/http/ngx_http_map_module.html).
 */
export function clientMap(client: Client): string {
  return [
    `${HEADER_START}${client.name}${HEADER_END}\n`,
    `${CREATED_MARK} ${client.created}\n`,
    `${ROTATED_MARK} ${client.rotated}\n`,
    ...client.tokens.map((token) => keyLine(client, token)),
  ].join('');
}

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

/** The key of a token in the map of the gate: a quoted regex. */
export function clientMapKey(token: Secret): string {
  return `"~^(?i:bearer) +${escapeToken(token.reveal())}\\z"`;
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
    `# Client "${client.name}" of the bearer gate. This file holds a secret: keep it root's, mode 0600.\n`,
    `# created ${client.created}\n`,
    `# rotated ${client.rotated}\n`,
    ...client.tokens.map((token) => keyLine(client, token)),
  ].join('');
}

/** A second implementation of the lines that the program writes to a client's file, to test it against. */
import { escapeToken, type Scope, tokenFingerprint } from '../../../lib/model/bearer.ts';
import { KEY_SIZE } from '../../../lib/nginx/client-map.ts';
import type { Secret } from '../../../lib/util/secret.ts';

/** What a token permits. */
export interface Grant {
  readonly scope: Scope;
  readonly client: string;
  /** Requests per minute. */
  readonly limit?: number;
  /** Concurrent requests. */
  readonly concurrent?: number;
  /** Expiry, in seconds since 1970. */
  readonly end?: number;
  readonly suspended?: boolean;
}

/** The end of a map key in the previous release. */
export const OLD_KEY_END = '\\z"';

/**
 * The name of the file that activates a token. The part after the client's name is the generation: it changes with the
 * token and its grant, so that no nginx worker keeps applying an earlier grant.
 */
export function liveName(
  token: Secret,
  { client, scope, limit = 0, concurrent = 0, end = 0 }: Grant,
): string {
  return `${client}.${tokenFingerprint(token)}-${scope[0]}-${limit}-${concurrent}-${end}`;
}

/** `scope:name.generation:limit:concurrent:end:state` */
export function grantText(token: Secret, grant: Grant): string {
  const { scope, limit = '-', concurrent = '-', end = '-', suspended } = grant;
  return [scope, liveName(token, grant), limit, concurrent, end, suspended ? 'suspended' : '-'].join(':');
}

/** A token's line, keyed by its first characters; `dollar` is the gate's variable that holds a dollar sign. */
export function hashedLine(token: Secret, grant: Grant, dollar: string): string {
  const [key, text] = [token.reveal().slice(0, KEY_SIZE), token.reveal().replaceAll('$', `\${${dollar}}`)];
  return `"=${key}" "${text} ${grantText(token, grant)}";\n`;
}

/** The line of a token whose short key is taken: nginx rejects map keys that differ only in case. */
export function exactLine(token: Secret, grant: Grant): string {
  return `"~^:${escapeToken(token.reveal())}\\z" ${grantText(token, grant)};\n`;
}

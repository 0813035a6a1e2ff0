/** The lines of a client's file as the program on the proxy must write them: a second implementation, to judge it. */
import { escapeToken, type Scope, tokenFingerprint } from '../../../lib/model/bearer.ts';
import { KEY_SIZE } from '../../../lib/nginx/client-map.ts';
import type { Secret } from '../../../lib/util/secret.ts';

/** What a token is good for. */
export interface Grant {
  readonly scope: Scope;
  readonly client: string;
  /** Requests a minute. */
  readonly limit?: number;
  /** Requests at the same time. */
  readonly concurrent?: number;
  /** Seconds since 1970. */
  readonly end?: number;
  readonly suspended?: boolean;
}

/** How a key of the release before ended. */
export const OLD_KEY_END = '\\z"';

/**
 * The name of the file that makes a token live. What comes after the name of the client is the generation: it differs as
 * soon as the token or its grant does, so that no worker goes on with an earlier grant.
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

/** The line of a token, found by its first characters; `dollar` is the variable of the gate that holds a dollar sign. */
export function hashedLine(token: Secret, grant: Grant, dollar: string): string {
  const [key, text] = [token.reveal().slice(0, KEY_SIZE), token.reveal().replaceAll('$', `\${${dollar}}`)];
  return `"=${key}" "${text} ${grantText(token, grant)}";\n`;
}

/** The line of a token whose key another one has: keys that are equal ignoring case cannot stand beside each other. */
export function exactLine(token: Secret, grant: Grant): string {
  return `"~^:${escapeToken(token.reveal())}\\z" ${grantText(token, grant)};\n`;
}

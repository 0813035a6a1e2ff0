/** The lines of a client's file (http-maps/ explains them): what both the suite and its program on the proxy know of them. */
import { escapeToken, type Scope, tokenFingerprint } from '../model/bearer.ts';
import type { Secret } from '../util/secret.ts';

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

/** The characters of a token that are its key in the hash table of the gate. */
export const KEY_SIZE = 24;

/** A longer line, of a token with many `$`, would not fit into a word of nginx. */
export const LINE_SIZE = 3500;

/** How a key of the release before began and ended around the token, a regex in quotes. */
export const OLD_KEY_START = '"~^(?i:bearer) +';
export const OLD_KEY_END = '\\z"';

/** How the regex of a token begins that has no key of its own. */
export const EXACT_START = '"~^:';

/** The comments that say when a client was added, and when it got its present token. */
export const CREATED_MARK = '# created';
export const ROTATED_MARK = '# rotated';

/** The first line of a client's file, around its name. */
export const HEADER_START = '# Client "';
export const HEADER_END = '" of the bearer gate. This file holds a secret: keep it owned by root, mode 0600.';

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
  return `${EXACT_START}${escapeToken(token.reveal())}\\z" ${grantText(token, grant)};\n`;
}

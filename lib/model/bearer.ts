/** Bearer tokens and client names: valid forms, fingerprints and scopes. */
import { createHash } from 'node:crypto';
import type { Secret } from '../util/secret.ts';
import { isGuessable } from './guessable.ts';

/** `full` allows every path of the service behind the gate, `inference` only the paths in its http-maps file. */
export const SCOPES = ['full', 'inference'] as const;
export type Scope = (typeof SCOPES)[number];

/** The client whose token comes from the settings. */
export const DEFAULT_CLIENT = 'default';

const FORM = '16 to 512 printable ASCII characters, without spaces, quotes and backslashes';
const RANDOM =
  'a random token, not a placeholder, common words, a sequence or a repetition; generate one with `openssl rand -hex 32`';

/** The required form of a token, if `value` does not have it; never contains the value. */
export function judgeTokenForm(value: string): string | undefined {
  if (/^bearer\s/i.test(value)) return 'the token alone, without "Bearer " before it';
  return !/^[!#-&(-[\]-~]{16,512}$/.test(value) || value.endsWith('\n') ? FORM : undefined;
}

/** The requirements for a new token that `value` does not meet: form, and being hard to guess. */
export function judgeToken(value: string): string | undefined {
  return judgeTokenForm(value) ?? (isGuessable(value) ? RANDOM : undefined);
}

/**
 * The required form of a client name, if `name` does not have it. It becomes a file name and part of an nginx value.
 */
export function judgeClientName(name: string): string | undefined {
  if (!/^[a-z0-9][a-z0-9_-]{0,63}$/.test(name))
    return '1 to 64 of a-z, 0-9, "_" and "-", starting with a letter or digit';
  return looksGenerated(name) ? 'a readable name; this looks like a token' : undefined;
}

/** Whether it has the form of newToken(), which is not a plausible client name. */
const looksGenerated = (name: string): boolean =>
  /^[0-9a-f]{64}$/.test(name) && /\d/.test(name) && /[a-f]/.test(name);

/** Hex digits of a token's SHA-256 in its fingerprint. */
export const FINGERPRINT_DIGITS = 12;

/** The first hex digits of the token's SHA-256: enough to distinguish tokens, useless to a thief. */
export function tokenFingerprint(token: Secret): string {
  return createHash('sha256').update(token.reveal()).digest('hex').slice(0, FINGERPRINT_DIGITS);
}

/**
 * The token as a PCRE literal: a backslash before everything but letters and digits; removing them all restores the
 * token.
 */
export function escapeToken(token: string): string {
  return token.replace(/[^A-Za-z0-9]/g, '\\$&');
}

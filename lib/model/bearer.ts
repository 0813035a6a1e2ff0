/** Bearer tokens and the names of the clients that hold them: their forms, fingerprints and scopes. */
import { createHash } from 'node:crypto';
import type { Secret } from '../util/secret.ts';
import { isGuessable } from './guessable.ts';

/** `full` reaches all of the service behind the gate, `inference` only what its http-maps file lists. */
export const SCOPES = ['full', 'inference'] as const;
export type Scope = (typeof SCOPES)[number];

/** The client whose token comes from the settings. */
export const DEFAULT_CLIENT = 'default';

/** The token that .env.example shows; never a good one. */
export const EXAMPLE_TOKEN = 'changeme-by-openssl-rand-hex-32';

const FORM = '16 to 512 visible ASCII characters, no blanks, none of " \' \\';
const RANDOM =
  'a random token, not a placeholder, common words, a sequence or a repetition; generate one with `openssl rand -hex 32`';

/** What form a token must have, when `value` does not have it; never the value itself. */
export function judgeTokenForm(value: string): string | undefined {
  if (/^bearer\s/i.test(value)) return 'the token alone, without "Bearer " before it';
  return !/^[!#-&(-[\]-~]{16,512}$/.test(value) || value.endsWith('\n') ? FORM : undefined;
}

/** What a new token must be, when `value` is not: of the form, and hard to guess. */
export function judgeToken(value: string): string | undefined {
  return judgeTokenForm(value) ?? (isGuessable(value) ? RANDOM : undefined);
}

/** What form a client's name must have, when `name` does not have it: it becomes a file name and a word of nginx's. */
export function judgeClientName(name: string): string | undefined {
  if (!/^[a-z0-9][a-z0-9_-]{0,63}$/.test(name))
    return '1 to 64 of a-z, 0-9, "_" and "-", beginning with a letter or digit';
  return looksGenerated(name) ? 'a word for people, and this looks like a token' : undefined;
}

/** As newToken() makes them, and as good as nobody names a client. */
const looksGenerated = (name: string): boolean =>
  /^[0-9a-f]{64}$/.test(name) && /\d/.test(name) && /[a-f]/.test(name);

/** Hex digits of a token's SHA-256 in its fingerprint. */
export const FINGERPRINT_DIGITS = 12;

/** The first hex digits of the token's SHA-256: enough to tell tokens apart, useless to a thief. */
export function tokenFingerprint(token: Secret): string {
  return createHash('sha256').update(token.reveal()).digest('hex').slice(0, FINGERPRINT_DIGITS);
}

/** The token as a PCRE literal: a backslash before all but letters and digits; dropping them all restores it. */
export function escapeToken(token: string): string {
  return token.replace(/[^A-Za-z0-9]/g, '\\$&');
}

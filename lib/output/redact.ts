/** Output sanitizing: removes secrets and control characters. */
import { escapeToken } from '../model/bearer.ts';
import type { Secret } from '../util/secret.ts';

const REDACTED = '[REDACTED]';
// Output of other programs may contain a token of another site: a key of a map, a header.
const BEARERS = /(bearer\)?(?: \+|\\s\+|\s)+)(?!\$[A-Z_]+\b|\+?<sha256:)[^\s"';]{8,}/gi;

/** A function that removes these secrets, and everything that looks like a bearer token, from a text. */
export function redactor(secrets: readonly Secret[]): (text: string) => string {
  const values = secrets.flatMap((secret) => [secret.reveal(), escapeToken(secret.reveal())]);
  const longestFirst = [...new Set(values)].sort((a, b) => b.length - a.length);
  return (text) =>
    longestFirst
      .reduce((rest, value) => rest.replaceAll(value, REDACTED), text)
      .replace(BEARERS, `$1${REDACTED}`);
}

/** Removes control characters: output of a host must not move the cursor or change colors in this terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (c) => (c === '\n' || c === '\t' ? c : ''));
}

/**
 * A JSON text with characters that are not visible, or that reorder others in a terminal, as escapes (keys come from hosts,
 * too): C1 controls, bidi and zero-width characters, line separators.
 */
export const escapedInvisible = (text: string): string =>
  text.replace(/[\u007f-\u009f\p{Cf}\u2028\u2029]/gu, (character) =>
    [...Array(character.length).keys()]
      .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`)
      .join(''),
  );

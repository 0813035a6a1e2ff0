/** Text on its way out: secrets taken out, control bytes made harmless. */
import { escapeToken } from '../model/bearer.ts';
import type { Secret } from '../util/secret.ts';

const REDACTED = '[REDACTED]';
// What another program prints may hold a token of another site: a key of a bearer map, a header.
const BEARERS = /(bearer\)?(?: \+|\\s\+|\s)+)(?!\$[A-Z_]+\b|\+?<sha256:)[^\s"';]{8,}/gi;

/** A function that takes these secrets, and whatever looks like a bearer, out of a text. */
export function redactor(secrets: readonly Secret[]): (text: string) => string {
  const values = secrets.flatMap((secret) => [secret.reveal(), escapeToken(secret.reveal())]);
  const longestFirst = [...new Set(values)].sort((a, b) => b.length - a.length);
  return (text) =>
    longestFirst
      .reduce((rest, value) => rest.replaceAll(value, REDACTED), text)
      .replace(BEARERS, `$1${REDACTED}`);
}

/** Another host's words must not move the cursor or colour the screen of this terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (c) => (c === '\n' || c === '\t' ? c : ''));
}

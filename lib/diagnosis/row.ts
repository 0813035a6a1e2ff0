/** A row of the failure tables: the error as people see it, its cause, the fix. */

import type { FailureCode } from '../model/contract.ts';

/** The cause, where the error does not state it already, and the fix. */
export interface Explanation {
  readonly cause?: string;
  readonly fix: string;
}

/** Words in capitals (HOST, NAME) are placeholders; `filled` replaces them. */
export interface Row extends Explanation {
  /** The error as people see it and search for it; shown in the docs' tables. */
  readonly error: string;
  /** Matches it in a program's output, if `error` does not occur there literally. */
  readonly when?: RegExp;
  /** The failure code that --json reports for a certbot failure with this error. */
  readonly code?: FailureCode;
  readonly cause: string;
}

/** The first row that matches the text. */
export function rowFor<R extends Row>(rows: Iterable<R>, text: string): R | undefined {
  for (const row of rows) if (row.when?.test(text) ?? text.includes(row.error)) return row;
  return undefined;
}

/** The text with its placeholders replaced by `names`. */
export function filled(text: string, names: Readonly<Record<string, string>>): string {
  return text.replace(/\b[A-Z]{4,}\b/g, (word) => names[word] ?? word);
}

/** Cause and fix as one text, for one-line reports. */
export function advised({ cause, fix }: Row, names: Readonly<Record<string, string>> = {}): string {
  return filled(`${cause} ${fix}`, names);
}

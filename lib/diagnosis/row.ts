/** What a row of the table is: the words that people see, what they mean, what to do. */

import type { FailureCode } from '../model/contract.ts';

/** What it means, where the words do not say so already, and what to do next. */
export interface Explanation {
  readonly means?: string;
  readonly next: string;
}

/** Words in capitals (HOST, NAME) stand for the reader's own; `filled` puts them in. */
export interface Row extends Explanation {
  /** What people see and look for; the tables for people show it. */
  readonly says: string;
  /** Knows it in a program's output, where `says` does not stand there as it is. */
  readonly when?: RegExp;
  /** The type that --json gives a failure of certbot with these words. */
  readonly code?: FailureCode;
  readonly means: string;
}

/** The first row that knows these words. */
export function rowFor<R extends Row>(rows: Iterable<R>, text: string): R | undefined {
  for (const row of rows) if (row.when?.test(text) ?? text.includes(row.says)) return row;
  return undefined;
}

/** The text with `names` in the place of its words in capitals. */
export function filled(text: string, names: Readonly<Record<string, string>>): string {
  return text.replace(/\b[A-Z]{4,}\b/g, (word) => names[word] ?? word);
}

/** What it means and what to do, in one go, for reports of a line. */
export function advised({ means, next }: Row, names: Readonly<Record<string, string>> = {}): string {
  return filled(`${means} ${next}`, names);
}

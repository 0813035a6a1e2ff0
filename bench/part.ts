/** A measurement, and its results. */

/** What is promised: of the ratio where there is a rival, else of our own figure. */
export type Limit = { readonly atMost: number } | { readonly atLeast: number };

/** One thing measured, a figure a round; the rival's is of the same round, and made in the same way. */
export interface Row {
  readonly what: string;
  readonly unit: 'ms' | 'requests/s' | 'failed';
  readonly ours: readonly number[];
  readonly theirs?: { readonly who: string; readonly figures: readonly number[] };
  readonly limit?: Limit;
  /** To the jump host, where that was varied. */
  readonly roundTripMs?: number;
}

export type Tell = (text: string) => void;

/** One measurement, in a lab of its own where it needs one. */
export interface Part {
  readonly name: string;
  /** What runs, in one sentence. */
  readonly measures: string;
  /** How many rounds, unless the command line says otherwise. */
  readonly rounds: number;
  readonly measure: (rounds: number, print: Tell) => Promise<readonly Row[]>;
  /** The rows as a drawing, where that says more than the table. */
  readonly draw?: (rows: readonly Row[]) => string;
}

/** A part and what it gave. */
export interface Measured {
  readonly part: Part;
  readonly rows: readonly Row[];
}

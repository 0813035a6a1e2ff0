/** A measurement, and its results. */

/** The promise: for the ratio if there is an alternative, else for our own figure. */
export type Limit = { readonly atMost: number } | { readonly atLeast: number };

/** One measurement, a figure per round; the alternative is measured in the same round and in the same way. */
export interface Row {
  readonly what: string;
  readonly unit: 'ms' | 'requests/s' | 'failed';
  readonly ours: readonly number[];
  readonly theirs?: { readonly who: string; readonly figures: readonly number[] };
  readonly limit?: Limit;
  /** To the jump host, if varied. */
  readonly roundTripMs?: number;
}

export type Print = (text: string) => void;

/** One measurement, in its own lab if it needs one. */
export interface Part {
  readonly name: string;
  /** One sentence describing the measurement. */
  readonly measures: string;
  /** Default number of rounds. */
  readonly rounds: number;
  readonly measure: (rounds: number, print: Print) => Promise<readonly Row[]>;
  /** Draws the rows, if that shows more than a table. */
  readonly draw?: (rows: readonly Row[]) => string;
}

/** A part and its results. */
export interface Measured {
  readonly part: Part;
  readonly rows: readonly Row[];
}

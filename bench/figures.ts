/** The values of several rounds -> one figure, and whether it meets its limit. */
import type { Limit, Row } from './part.ts';

/** The quantile `q` (0 to 1) of the values, interpolated between the two nearest. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * q;
  const [below, above] = [
    sorted[Math.floor(position)] ?? Number.NaN,
    sorted[Math.ceil(position)] ?? Number.NaN,
  ];
  return below + (above - below) * (position % 1);
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

export interface Judged {
  readonly ours: number;
  readonly theirs?: number;
  /** The median and the middle half of each round's ratio, so that what slows down a whole round does not affect it. */
  readonly ratio?: { readonly median: number; readonly from: number; readonly to: number };
  /** Undefined without a limit. */
  readonly ok?: boolean;
}

/** The medians of a row, and whether its limit is met. */
export function judge({ ours, theirs, limit }: Row): Judged {
  const ratios = theirs?.figures.map((figure, round) => (ours[round] ?? Number.NaN) / figure);
  const ratio = ratios && {
    median: median(ratios),
    from: quantile(ratios, 0.25),
    to: quantile(ratios, 0.75),
  };
  const figure = ratio?.median ?? median(ours);
  return {
    ours: median(ours),
    ...(theirs && { theirs: median(theirs.figures) }),
    ...(ratio && { ratio }),
    ...(limit && { ok: isMet(limit, figure) }),
  };
}

const isMet = (limit: Limit, figure: number): boolean =>
  'atMost' in limit ? figure <= limit.atMost : figure >= limit.atLeast;

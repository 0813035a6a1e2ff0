/** The values of several rounds -> one figure, and whether it meets its limit. */
import type { Limit, Row } from './part.ts';

/** The value below which the part `q` (0 to 1) of the values lies, between the two nearest. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const [below, above] = [sorted[Math.floor(at)] ?? Number.NaN, sorted[Math.ceil(at)] ?? Number.NaN];
  return below + (above - below) * (at % 1);
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

export interface Judged {
  readonly ours: number;
  readonly theirs?: number;
  /** Of the rounds' own ratios, so that what disturbs a whole round disturbs no ratio: the median and the middle half. */
  readonly ratio?: { readonly median: number; readonly from: number; readonly to: number };
  /** Undefined where nothing is promised. */
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

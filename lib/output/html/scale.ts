/** Places on a chart as percentages: a drawing is then as wide as its page, and its letters stay as they are. */

export type Scale = (value: number) => number;

/** From `start` at 0 % to `end` at 100 %; what lies outside is drawn at the edge. */
export function scale(start: number, end: number): Scale {
  const length = Math.max(end - start, 1);
  return (value) => round(Math.min(Math.max((100 * (value - start)) / length, 0), 100));
}

const round = (percent: number): number => Math.round(percent * 100) / 100;

/** Round whole numbers from 0 up to `end`, at most five of them. */
export function ticks(end: number): readonly number[] {
  const power = 10 ** Math.floor(Math.log10(Math.max(end, 1)));
  const steps = [power / 5, power / 2, power, power * 2, power * 5].filter((step) => step >= 1);
  const step = steps.find((each) => end / each < 5) ?? end;
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, i) => i * step);
}

/** On which side of its place a text stands, so that it stays on the chart. */
export function anchor(percent: number): 'start' | 'middle' | 'end' {
  if (percent < 25) return 'start';
  return percent > 75 ? 'end' : 'middle';
}

/** A chart with its texts, as wide as the page; positions are percentages, so the text does not scale. */
import { type Html, html } from './html.ts';

interface Figure {
  /** Its class in the style sheet. */
  readonly kind: string;
  readonly id: string;
  /** In pixels. */
  readonly height: number;
  readonly title: string;
  /** What it shows, as text. */
  readonly description: string;
  /** How to read it. */
  readonly legend: string;
}

/** `drawing` is SVG; its horizontal positions are percentages of `scale`. */
export function figure({ kind, id, height, title, description, legend }: Figure, drawing: Html): Html {
  const names = { title: `${id}-title`, desc: `${id}-desc` };
  return html`<figure>
<svg class="${kind}" role="img" aria-labelledby="${names.title}" aria-describedby="${names.desc}" width="100%" height="${height}" overflow="visible" font-size="12" fill="currentColor" stroke="none">
<title id="${names.title}">${title}</title>
<desc id="${names.desc}">${description}</desc>
${drawing}
</svg>
<figcaption>${description} ${legend}</figcaption>
</figure>`;
}

export type Scale = (value: number) => number;

/** From `start` at 0 % to `end` at 100 %; values outside are drawn at the edge. */
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

/** The text-anchor that keeps a label on the chart. */
export function anchor(percent: number): 'start' | 'middle' | 'end' {
  if (percent < 25) return 'start';
  return percent > 75 ? 'end' : 'middle';
}

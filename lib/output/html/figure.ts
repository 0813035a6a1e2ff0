/** A drawing with its words: it is as wide as the page, and who cannot see it is told what it shows. */
import { type Html, html } from './html.ts';

interface Figure {
  /** Its class, in the style sheet and for those who look for it. */
  readonly kind: string;
  readonly id: string;
  /** In pixels. */
  readonly height: number;
  readonly title: string;
  /** What it shows, in words. */
  readonly says: string;
  /** How to read it. */
  readonly key: string;
}

/** `drawing` is SVG whose places across are percentages (scale.ts). */
export function figure({ kind, id, height, title, says, key }: Figure, drawing: Html): Html {
  const names = { title: `${id}-title`, desc: `${id}-desc` };
  return html`<figure>
<svg class="${kind}" role="img" aria-labelledby="${names.title}" aria-describedby="${names.desc}" width="100%" height="${height}" overflow="visible" font-size="12" fill="currentColor" stroke="none">
<title id="${names.title}">${title}</title>
<desc id="${names.desc}">${says}</desc>
${drawing}
</svg>
<figcaption>${says} ${key}</figcaption>
</figure>`;
}

/** The arrival times of the chunks of a streamed response: one mark per chunk, on a time axis from the request. */
import type { StreamTiming } from '../../model/check.ts';
import { plural } from '../../util/plural.ts';
import { anchor, figure, type Scale, scale, ticks } from './figure.ts';
import { type Html, html } from './html.ts';

/** Pixels from the top: the time axis, and how far marks rise above it. */
const BASE = 66;
const SHORTEST = 6;
const TALLEST = 40;
/** Percent above which the label of a tick would overlap the last one on a phone. */
const LAST_NUMBER = 66;

/** A stream shows many marks far apart; a buffered response shows one tall mark at the end. */
export function streamChart({ pieces, total }: StreamTiming, id: string): Html {
  const at = scale(0, total);
  const first = pieces[0]?.at ?? total;
  const most = Math.max(...pieces.map(({ events }) => events), 1);
  const about = {
    title: 'Chunks of the streamed response over time',
    description: `The first chunk arrived ${first} ms after the request, the end after ${total} ms.`,
    legend: 'The height of a mark is the number of events in its chunk.',
  };
  return figure(
    { kind: 'stream', id, height: 92, ...about },
    html`${axis(total, at)}
${waiting(first, at(first))}
${pieces.map((piece) => mark(at(piece.at), piece, most))}`,
  );
}

function waiting(first: number, x: number): Html {
  return html`<rect class="wait" x="0" y="${BASE - 4}" width="${x}%" height="4" opacity="0.4" />
<line class="first" x1="${x}%" x2="${x}%" y1="16" y2="${BASE}" stroke="currentColor" stroke-dasharray="2 3" />
<text x="${x}%" y="12" text-anchor="${anchor(x)}">first chunk ${first} ms</text>`;
}

function mark(x: number, { at, events }: StreamTiming['pieces'][number], most: number): Html {
  const top = BASE - SHORTEST - Math.round(((TALLEST - SHORTEST) * events) / most);
  return html`<g class="piece">
<title>${at} ms, ${plural(events, 'event')}</title>
<line x1="${x}%" x2="${x}%" y1="${top}" y2="${BASE}" stroke="currentColor" stroke-width="2" />
<circle cx="${x}%" cy="${top}" r="3.5" />
</g>
`;
}

function axis(total: number, at: Scale): Html {
  const numbered = ticks(total).filter((tick) => at(tick) < LAST_NUMBER);
  const text = (x: number, side: string, words: string) =>
    html`<text x="${x}%" y="${BASE + 19}" text-anchor="${side}">${words}</text>`;
  const tick = (x: number) =>
    html`<line x1="${x}%" x2="${x}%" y1="${BASE}" y2="${BASE + 5}" stroke="currentColor" />`;
  const numbers = numbered.map((ms) =>
    ms === 0 ? text(0, 'start', 'sent') : text(at(ms), 'middle', `${ms}`),
  );
  return html`<g class="axis">
<line x1="0" x2="100%" y1="${BASE}" y2="${BASE}" stroke="currentColor" />
${[...numbered, total].map((ms) => tick(at(ms)))}
${numbers}
${text(100, 'end', `end ${total} ms`)}
</g>`;
}

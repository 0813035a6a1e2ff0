/** Phases as bars, one after the other. */
import { median } from './figures.ts';
import type { Row } from './part.ts';

const WIDTH = 60;

/** A chart for each round trip: a line a phase, with its median and its place in the whole. */
export function chart(rows: readonly Row[]): string {
  const distances = [...new Set(rows.map(({ roundTripMs }) => roundTripMs))];
  return distances
    .map((distance) =>
      one(
        `${distance} ms to the jump host`,
        rows.filter(({ roundTripMs }) => roundTripMs === distance),
      ),
    )
    .join('\n\n');
}

function one(title: string, rows: readonly Row[]): string {
  const phases = rows.map(({ what, ours }) => ({ what, time: median(ours) }));
  const whole = phases.reduce((sum, { time }) => sum + time, 0);
  const place = (time: number) => Math.round((time / whole) * WIDTH);
  let from = 0;
  const lines = phases.map(({ what, time }) => {
    const bar = ' '.repeat(place(from)) + ('█'.repeat(place(from + time) - place(from)) || '▏');
    from += time;
    return `${what.padEnd(28)} ${time.toFixed(0).padStart(5)}  ${bar}`;
  });
  return [`${title}: ${whole.toFixed(0)} ms`, ...lines].join('\n');
}

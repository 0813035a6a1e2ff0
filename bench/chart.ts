/** Phases as bars, one after the other. */
import { median } from './figures.ts';
import type { Row } from './part.ts';

const WIDTH = 60;

/** One chart per round trip: a line per phase, with its median and its place in the total. */
export function chart(rows: readonly Row[]): string {
  const distances = [...new Set(rows.map(({ roundTripMs }) => roundTripMs))];
  return distances
    .map((distance) =>
      chartOf(
        `${distance} ms to the jump host`,
        rows.filter(({ roundTripMs }) => roundTripMs === distance),
      ),
    )
    .join('\n\n');
}

function chartOf(title: string, rows: readonly Row[]): string {
  const phases = rows.map(({ what, ours }) => ({ what, time: median(ours) }));
  const total = phases.reduce((sum, { time }) => sum + time, 0);
  const elapsed = (time: number) => Math.round((time / total) * WIDTH);
  let from = 0;
  const lines = phases.map(({ what, time }) => {
    const bar = ' '.repeat(elapsed(from)) + ('█'.repeat(elapsed(from + time) - elapsed(from)) || '▏');
    from += time;
    return `${what.padEnd(28)} ${time.toFixed(0).padStart(5)}  ${bar}`;
  });
  return [`${title}: ${total.toFixed(0)} ms`, ...lines].join('\n');
}

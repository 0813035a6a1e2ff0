/** Measurements as text: for a terminal, for the documentation, and for programs. */
import { cpus, release } from 'node:os';
import { tableText } from '../lib/output/table.ts';
import { judge } from './figures.ts';
import type { Limit, Measured, Row } from './part.ts';
import { figure } from './turns.ts';

const HEADS = ['measurement', 'gatepost', 'alternative', 'ratio (middle half)', 'limit', ''];

/** A part's chart, or its table. */
export function toText({ part, rows }: Measured): string {
  return `${part.measures}\n\n${part.draw?.(rows) ?? tableText({ heads: HEADS, rows: rows.map(cells) })}\n`;
}

/** The same as Markdown. */
export function toMarkdown({ part, rows }: Measured): string {
  if (part.draw) return `\`\`\`\n${part.draw(rows)}\n\`\`\`\n`;
  const line = (cellTexts: readonly string[]) => `| ${cellTexts.join(' | ')} |\n`;
  return [HEADS, HEADS.map(() => '---'), ...rows.map(cells)].map(line).join('');
}

/** All results, with the figures of every round. */
export function toDocument(measured: readonly Measured[]) {
  const parts = measured.map(({ part: { name, measures }, rows }) => ({
    name,
    measures,
    rows: rows.map((row) => ({ ...row, median: judge(row) })),
  }));
  return { when: new Date().toISOString(), machine: machine(), parts };
}

/** The hardware and software that the figures depend on. */
export function machine(): string {
  const [cpu, ...otherCores] = cpus();
  return `${otherCores.length + 1} cores (${cpu?.model.trim()}), Linux ${release()}, Node ${process.version}`;
}

function cells(row: Row): string[] {
  const { ours, theirs, ratio, ok } = judge(row);
  return [
    row.roundTripMs === undefined ? row.what : `${row.what}, ${row.roundTripMs} ms away`,
    `${figure(ours)} ${row.unit}`,
    row.theirs ? `${figure(theirs ?? Number.NaN)} ${row.unit}, ${row.theirs.who}` : '',
    ratio ? `${ratio.median.toFixed(2)} (${ratio.from.toFixed(2)}–${ratio.to.toFixed(2)})` : '',
    row.limit ? words(row.limit) : '',
    ok === undefined ? '' : ok ? 'ok' : 'MISSED',
  ];
}

const words = (limit: Limit): string =>
  'atMost' in limit ? `at most ${limit.atMost}` : `at least ${limit.atLeast}`;

/** Rows as columns of text; where there is no room for columns, as lines under each row's first cell. */
import { columns, padded, wrapped } from './text.ts';

export interface Table {
  readonly heads: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Heads of the columns that are needed least: they go, one after the other, where there is little room. */
  readonly spare?: readonly string[];
}

/** The table in at most `width` columns: whole, without spare ones, or stacked. */
export function tableText(table: Table, width = Number.POSITIVE_INFINITY): string {
  const { spare = [] } = table;
  const smaller = [[], ...spare.map((_, i) => spare.slice(0, i + 1))];
  const texts = smaller.map((gone) => inColumns(without(table, gone), width));
  return texts.find((text) => isWithin(text, width)) ?? stacked(table);
}

/** `2026-11-22T17:40:35Z` in a cell: `2026-11-22 17:40Z` */
export const atMinute = (time: string): string => time.replace(/^(\S{10})T(\d\d:\d\d):\d\dZ$/, '$1 $2Z');

// A last column that is narrower than this is better read stacked.
const NARROWEST = 16;

/** The columns as wide as their widest cell; the last one wrapped where that brings the table into `width`. */
function inColumns({ heads, rows }: Table, width: number): string {
  const widths = heads.slice(0, -1).map((head, i) => widest([head, ...rows.map((row) => row[i] ?? '')]));
  const left = width - widths.reduce((sum, each) => sum + each + GAP.length, 0);
  const line = (cells: readonly string[]) => {
    const lead = widths.map((each, i) => padded(cells[i] ?? '', each) + GAP).join('');
    const last = cells[widths.length] ?? '';
    const lines = left < NARROWEST ? [last] : wrapped(last, left);
    return lines.map((part, i) => (i === 0 ? lead : ' '.repeat(columns(lead))) + part);
  };
  return [heads, ...rows]
    .flatMap(line)
    .map((text) => text.trimEnd())
    .join('\n');
}

const GAP = '  ';
const widest = (cells: readonly string[]): number => Math.max(...cells.map(columns));

const isWithin = (text: string, width: number): boolean =>
  text.split('\n').every((line) => columns(line) <= width);

function without({ heads, rows }: Table, gone: readonly string[]): Table {
  const kept = (cells: readonly string[]) => cells.filter((_, i) => !gone.includes(heads[i] ?? ''));
  return { heads: kept(heads), rows: rows.map(kept) };
}

/** A row's first cell, and below it the others, each behind its head. */
function stacked({ heads: [, ...heads], rows }: Table): string {
  const width = widest(heads);
  const lines = ([first = '', ...cells]: readonly string[]) => [
    first,
    ...heads.map((head, i) => `  ${padded(head, width)}  ${cells[i] ?? ''}`.trimEnd()),
  ];
  return rows.flatMap(lines).join('\n');
}

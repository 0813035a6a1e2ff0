/** Rows as columns of text; where there is no room for columns, as lines under each row's first cell. */
import { columns, padded } from './report/columns.ts';

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
  const texts = smaller.map((gone) => inColumns(without(table, gone)));
  return texts.find((text) => isWithin(text, width)) ?? stacked(table);
}

/** `2026-11-22T17:40:35Z` in a cell: `2026-11-22 17:40Z` */
export const atMinute = (time: string): string => time.replace(/^(\S{10})T(\d\d:\d\d):\d\dZ$/, '$1 $2Z');

/** A line for the heads and one a row, the columns as wide as their widest cell. */
function inColumns({ heads, rows }: Table): string {
  const widths = heads.map((head, i) => Math.max(columns(head), ...rows.map((row) => columns(row[i] ?? ''))));
  const line = (cells: readonly string[]) => cells.map((cell, i) => padded(cell, widths[i] ?? 0)).join('  ');
  return [heads, ...rows].map((cells) => line(cells).trimEnd()).join('\n');
}

const isWithin = (text: string, width: number): boolean =>
  text.split('\n').every((line) => columns(line) <= width);

function without({ heads, rows }: Table, gone: readonly string[]): Table {
  const kept = (cells: readonly string[]) => cells.filter((_, i) => !gone.includes(heads[i] ?? ''));
  return { heads: kept(heads), rows: rows.map(kept) };
}

/** A row's first cell, and below it the others, each behind its head. */
function stacked({ heads: [, ...heads], rows }: Table): string {
  const widest = Math.max(...heads.map(columns));
  const lines = ([first = '', ...cells]: readonly string[]) => [
    first,
    ...heads.map((head, i) => `  ${padded(head, widest)}  ${cells[i] ?? ''}`.trimEnd()),
  ];
  return rows.flatMap(lines).join('\n');
}

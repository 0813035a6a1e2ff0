/** Rows as columns of text; if the columns do not fit, as lines below the first cell of each row. */
import { columns, padded, wrapped } from './text.ts';

export interface Table {
  readonly heads: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Headers of the least important columns: they are dropped in this order if the table does not fit. */
  readonly spare?: readonly string[];
}

/** Columns by their headers, each with what it shows of an item. */
export type Columns<T> = Readonly<Record<string, (item: T) => string>>;

/** A row for each item. */
export const tableOf = <T>(
  columns: Columns<T>,
  items: readonly T[],
  spare: readonly string[] = [],
): Table => ({
  heads: Object.keys(columns),
  rows: items.map((item) => Object.values(columns).map((cell) => cell(item))),
  spare,
});

/** The table in at most `width` columns: complete, without spare columns, or stacked. */
export function tableText(table: Table, width = Number.POSITIVE_INFINITY): string {
  const { spare = [] } = table;
  const smaller = [[], ...spare.map((_, i) => spare.slice(0, i + 1))];
  const texts = smaller.map((gone) => inColumns(without(table, gone), width));
  return texts.find((text) => isWithin(text, width)) ?? stacked(table);
}

/** `2026-11-22T17:40:35Z` in a cell: `2026-11-22 17:40Z` */
export const atMinute = (time: string): string => time.replace(/^(\S{10})T(\d\d:\d\d):\d\dZ$/, '$1 $2Z');

// If the last column would be narrower than this, the table is stacked.
const NARROWEST = 16;

/** Columns are as wide as their widest cell; the last one is wrapped if that makes the table fit `width`. */
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

/** The first cell of each row, and below it the others, each after its header. */
function stacked({ heads: [, ...heads], rows }: Table): string {
  const width = widest(heads);
  const lines = ([first = '', ...cells]: readonly string[]) => [
    first,
    ...heads.map((head, i) => `  ${padded(head, width)}  ${cells[i] ?? ''}`.trimEnd()),
  ];
  return rows.flatMap(lines).join('\n');
}

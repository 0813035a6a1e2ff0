/** Text laid out in the columns there are: no word is lost, nothing that people paste is broken. */
import { columns } from './columns.ts';

// Beside a column, less than this is no text any more but a ribbon.
const READABLE = 40;
const BELOW = 6;

// What an operator copies stands between backticks, as a word.
const WORD = /(?:`[^`\n]+`|\S)+/g;

/** `text` in lines of at most `width` columns; a word, an address, what stands between backticks stays whole. */
export function wrapped(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => wrapLine(line, width));
}

function wrapLine(text: string, width: number): string[] {
  if (columns(text) <= width) return [text];
  const [indent = ''] = /^\s*/.exec(text) ?? [];
  const lines: string[] = [];
  for (const word of text.match(WORD) ?? []) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && columns(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(`${indent}${word}`);
  }
  return lines;
}

/** `text` to the right of `lead`, under itself in further lines; below `lead` where too little room is left beside it. */
export function beside(lead: string, text: string, width: number): string {
  const left = width - columns(lead);
  const lines = wrapped(text, left);
  const isBeside = (left >= READABLE || lines.length === 1) && lines.every((line) => columns(line) <= left);
  const placed = isBeside
    ? [lead + lines[0], ...indented(lines.slice(1), columns(lead))]
    : [lead, ...indented(wrapped(text, width - BELOW), BELOW)];
  return placed.map((line) => line.trimEnd()).join('\n');
}

const indented = (lines: readonly string[], by: number): readonly string[] =>
  lines.map((line) => ' '.repeat(by) + line);

/** `text` with all lines but the first a little to the right. */
export const hanging = (text: string, width: number): string => wrapped(text, width - 2).join('\n  ');

/** Text laid out in the columns there are: no word is lost, nothing that people paste is broken. */
import { stripVTControlCharacters } from 'node:util';

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
    ? [lead + lines[0], ...indentedBy(lines.slice(1), columns(lead))]
    : [lead, ...indentedBy(wrapped(text, width - BELOW), BELOW)];
  return placed.map((line) => line.trimEnd()).join('\n');
}

const indentedBy = (lines: readonly string[], by: number): readonly string[] =>
  lines.map((line) => ' '.repeat(by) + line);

/** `text` with all lines but the first a little to the right. */
export const hanging = (text: string, width: number): string => wrapped(text, width - 2).join('\n  ');

// A library for this costs 30 ms of start-up; these classes are the ones it would look at.
const NONE = /[\p{Mn}\p{Me}\p{Cf}\p{Cc}]/u;

const TWO =
  /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{17000}-\u{18d1e}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]/u;

/** The columns of `text`, a single line; colours take none. */
export function columns(text: string): number {
  const bare = stripVTControlCharacters(text);
  if (/^[ -~]*$/.test(bare)) return bare.length;
  return [...bare].reduce((sum, character) => sum + columnsOf(character), 0);
}

function columnsOf(character: string): number {
  if (NONE.test(character)) return 0;
  return TWO.test(character) ? 2 : 1;
}

// Wider lines are hard to follow back to where the next one begins.
const WIDEST = 110;

const USUAL = 80;

/** Columns for text, now; Infinity without a terminal, where nothing is wrapped: logs are searched by line. */
export const widthOf = (stream: NodeJS.WriteStream): number =>
  stream.isTTY ? Math.min(stream.columns || USUAL, WIDEST) : Number.POSITIVE_INFINITY;

/** `text` with blanks up to so many columns. */
export const padded = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - columns(text)));

/** `text`, its end given up for an ellipsis where it has more than so many columns. */
export function shortened(text: string, width: number): string {
  if (columns(text) <= width) return text;
  const characters = [...text];
  while (characters.length > 0 && columns(characters.join('')) >= width) characters.pop();
  return `${characters.join('')}…`;
}

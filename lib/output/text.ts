/** Wraps text to the available columns without breaking words or anything meant to be pasted. */
import { stripVTControlCharacters } from 'node:util';

// Text next to a column is unreadable if it is narrower than this.
const READABLE = 40;
const BELOW = 6;

// Text in backticks is meant to be copied and counts as one word.
const WORD = /(?:`[^`\n]+`|\S)+/g;

/** `text` in lines of at most `width` columns; words, addresses and text in backticks are not broken. */
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

/** `text` to the right of `lead`, with further lines aligned; below `lead` if there is too little room next to it. */
export function withLead(lead: string, text: string, width: number): string {
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

/** `text` with all lines but the first indented. */
export const hanging = (text: string, width: number): string => wrapped(text, width - 2).join('\n  ');

// A library for this takes 30 ms to load; these are the character classes that it uses.
const NONE = /[\p{Mn}\p{Me}\p{Cf}\p{Cc}]/u;

const TWO =
  /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{17000}-\u{18d1e}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]/u;

/** The number of columns of a single line of `text`; color codes take none. */
export function columns(text: string): number {
  const bare = stripVTControlCharacters(text);
  if (/^[ -~]*$/.test(bare)) return bare.length;
  return [...bare].reduce((sum, character) => sum + columnsOf(character), 0);
}

function columnsOf(character: string): number {
  if (NONE.test(character)) return 0;
  return TWO.test(character) ? 2 : 1;
}

// Longer lines are hard to read.
const WIDEST = 110;

const USUAL = 80;

/** The current number of columns; Infinity without a terminal: nothing is wrapped, because logs are searched by line. */
export const widthOf = (stream: NodeJS.WriteStream): number =>
  stream.isTTY ? Math.min(stream.columns || USUAL, WIDEST) : Number.POSITIVE_INFINITY;

/** `text` padded with spaces to `width` columns. */
export const padded = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - columns(text)));

const MOST_UNITS = 16;

/** `text`, truncated with an ellipsis if it is longer than `width` columns. */
export function shortened(text: string, width: number): string {
  // A character has at most a handful of code units; what is far behind the end is never shown.
  const start = text.slice(0, Math.min(text.length, MOST_UNITS * (width + 1)));
  if (start.length === text.length && columns(text) <= width) return text;
  const characters = [...start];
  while (characters.length > 0 && columns(characters.join('')) >= width) characters.pop();
  return `${characters.join('')}…`;
}

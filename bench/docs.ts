/** Writes the tables into docs/speed.md, so that no figure is copied by hand. */
import { readFile, writeFile } from 'node:fs/promises';
import { CHECKOUT } from '../test/lab/namespaces/process.ts';
import type { Measured } from './part.ts';
import { machine, toMarkdown } from './tables.ts';

const FILE = `${CHECKOUT}/docs/speed.md`;

/** Replaces the text between `<!-- NAME -->` and `<!-- end -->`, and adds the date and the machine. */
export async function writeTables(measured: readonly Measured[]): Promise<void> {
  const today = new Date().toISOString().slice(0, 10);
  let text = await readFile(FILE, 'utf8');
  for (const { part, rows } of measured) {
    const placeholder = new RegExp(`(<!-- ${part.name} -->\\n)[^]*?(<!-- end -->)`);
    if (!placeholder.test(text))
      throw new Error(`${FILE} lacks a place for ${part.name}: <!-- ${part.name} --> … <!-- end -->`);
    const replacement = `\n${toMarkdown({ part, rows })}\n${today}, ${machine()}\n\n`;
    text = text.replace(placeholder, (_, begin: string, end: string) => begin + replacement + end);
  }
  await writeFile(FILE, text);
}

/** Writes the tables into docs/speed.md, so that no figure is copied by hand. */
import { readFile, writeFile } from 'node:fs/promises';
import { CHECKOUT } from '../test/lab/namespaces/process.ts';
import type { Measured } from './part.ts';
import { machine, toMarkdown } from './tables.ts';

const FILE = `${CHECKOUT}/docs/speed.md`;

/** Replaces what stands between `<!-- NAME -->` and `<!-- end -->`, and says when and on what it was measured. */
export async function writeTables(measured: readonly Measured[]): Promise<void> {
  const today = new Date().toISOString().slice(0, 10);
  let text = await readFile(FILE, 'utf8');
  for (const { part, rows } of measured) {
    const room = new RegExp(`(<!-- ${part.name} -->\\n)[^]*?(<!-- end -->)`);
    if (!room.test(text))
      throw new Error(`${FILE} has no room for ${part.name}: <!-- ${part.name} --> … <!-- end -->`);
    const written = `\n${toMarkdown({ part, rows })}\n${today}, ${machine()}\n\n`;
    text = text.replace(room, (_, begin: string, end: string) => begin + written + end);
  }
  await writeFile(FILE, text);
}

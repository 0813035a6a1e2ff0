/** The folder and version of gatepost itself. */
import { readFile } from 'node:fs/promises';

/** The folder of gatepost. */
export const ROOT = new URL('../../', import.meta.url);

/** From package.json. */
export async function readVersion(): Promise<string> {
  const text = await readFile(new URL('package.json', ROOT), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** The version of gatepost. */
import { readFile } from 'node:fs/promises';
import { ROOT } from './project-root.ts';

/** As package.json has it. */
export async function readVersion(): Promise<string> {
  const text = await readFile(new URL('package.json', ROOT), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

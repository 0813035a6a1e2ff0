/** A reporter for node:test that names the files with a failure, a line each. */
import { relative } from 'node:path';

export default async function* failedFiles(source) {
  const seen = new Set();
  for await (const { type, data } of source) {
    if (type !== 'test:fail' || data.file === undefined || seen.has(data.file)) continue;
    seen.add(data.file);
    yield `${relative(process.cwd(), data.file)}\n`;
  }
}

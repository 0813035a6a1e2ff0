/**
 * The summary of a full run: closing.mjs BEGAN FIRST SECOND: the start time in seconds, the tallies of all files, and
 * the tallies of the repeated ones. Prints node's own closing lines for both together; names the files that failed, and
 * as flaky those that then passed.
 */
import { readFileSync } from 'node:fs';
import { NOTHING } from './tally.mjs';

const [began, ...paths] = process.argv.slice(2);
const [first, second] = paths.map((path) => {
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line));
});

const again = new Map(second.map((counts) => [counts.file, counts]));
const last = first.map((counts) => again.get(counts.file) ?? counts);
const failed = last.filter(({ hasFailed }) => hasFailed);
const flaky = first.filter(({ hasFailed, file }) => hasFailed && again.get(file)?.hasFailed === false);

const sum = { ...NOTHING };
for (const counts of last) for (const name of Object.keys(sum)) sum[name] += counts[name];

for (const { file } of failed) console.log(`FAILED: ${file}`);
for (const { file } of flaky) console.log(`FLAKY: ${file}`);
if (sum.tests === 0) console.log('No test was run.');
// In the format of node's reporter `spec`: the last lines must describe the full run, not only the repeated files.
if (second.length > 0) {
  for (const [name, count] of Object.entries(sum)) console.log(`ℹ ${name} ${count}`);
  console.log(`ℹ duration_ms ${Date.now() - 1000 * Number(began)}`);
}
const isStrict = process.env.STRICT === '1';
process.exitCode = failed.length > 0 || sum.tests === 0 || (isStrict && flaky.length > 0) ? 1 : 0;

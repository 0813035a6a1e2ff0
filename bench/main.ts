/**
 * Measures every promised speed, side by side in one run: `npm run bench -- [NAME…] [--rounds N] [--json] [--write]`.
 * Exits with 1 if a limit is missed or a measurement fails.
 */
import '../test/lab/namespaces/enter.ts';
import { parseArgs } from 'node:util';
import { deploy } from './deploy.ts';
import { writeTables } from './docs.ts';
import { judge } from './figures.ts';
import { gate } from './gate.ts';
import { load } from './load.ts';
import type { Measured, Part } from './part.ts';
import { proxies } from './proxies.ts';
import { routine } from './routine.ts';
import { startup } from './startup.ts';
import { stream } from './stream.ts';
import { toDocument, toText } from './tables.ts';
import { timeline } from './timeline.ts';

const PARTS: readonly Part[] = [deploy, routine, proxies, startup, gate, stream, load, timeline];

const USAGE = `npm run bench -- [NAME…] [--rounds N] [--json] [--write]

${PARTS.map(({ name, measures }) => `  ${name.padEnd(10)} ${measures}\n`).join('')}
  --rounds N rounds of each, instead of its own number
  --json     one document on stdout, with the figures of every round
  --write    puts the tables into docs/speed.md
`;

/** The parsed command line; undefined if it is invalid. */
function parseOptions() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { rounds: { type: 'string' }, json: { type: 'boolean' }, write: { type: 'boolean' } },
    });
    const parts = positionals.map((word) => PARTS.find(({ name }) => name === word));
    const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
    if (parts.includes(undefined) || (rounds !== undefined && !(rounds >= 1))) return undefined;
    return { ...values, rounds, parts: parts.length > 0 ? (parts as Part[]) : PARTS };
  } catch {
    return undefined;
  }
}

/** A part's results; none if it fails, which does not stop the others. */
async function run(part: Part, rounds = part.rounds): Promise<Measured[]> {
  const print = (text: string) => void process.stderr.write(`${part.name}: ${text}\n`);
  print(part.measures);
  try {
    return [{ part, rows: await part.measure(rounds, print) }];
  } catch (error) {
    print(`failed: ${(error as Error).stack}`);
    return [];
  }
}

const options = parseOptions();
if (!options) {
  process.stderr.write(USAGE);
  process.exit(2);
}
const measured: Measured[] = [];
for (const part of options.parts) {
  const results = await run(part, options.rounds);
  measured.push(...results);
  if (!options.json) for (const result of results) console.log(`\n${toText(result)}`);
}
if (options.json) console.log(JSON.stringify(toDocument(measured), null, 2));
if (options.write) await writeTables(measured);
const missed = measured.flatMap(({ rows }) => rows.filter((row) => judge(row).ok === false));
process.stderr.write(`limits missed: ${missed.length}\n`);
process.exitCode = missed.length > 0 || measured.length < options.parts.length ? 1 : 0;

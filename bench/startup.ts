/** The startup time of scripts, and the load time of each library. */
import { readdir, readFile } from 'node:fs/promises';
import { $ } from '../lib/util/shell.ts';
import { CHECKOUT } from '../test/lab/namespaces/process.ts';
import type { Part, Row } from './part.ts';
import { inTurns, timed } from './turns.ts';

const node = $({ cwd: CHECKOUT });
const IMPORT =
  'const t = performance.now(); await import(process.argv[1]); console.log(performance.now() - t)';

/** The operator's scripts, without the demo, which first builds a lab. */
async function scripts(): Promise<string[]> {
  const files = await readdir(`${CHECKOUT}/scripts`);
  return files.filter((file) => file.endsWith('.ts') && file !== 'demo.ts').sort();
}

/** The libraries that a script may load. */
async function libraries(): Promise<string[]> {
  const { dependencies } = JSON.parse(await readFile(`${CHECKOUT}/package.json`, 'utf8'));
  return Object.keys(dependencies as object).filter((name) => name !== 'tsx');
}

const fromNames = <T>(names: readonly string[], turn: (name: string) => T): Record<string, T> =>
  Object.fromEntries(names.map((name) => [name, turn(name)]));

export const startup: Part = {
  name: 'startup',
  measures: 'Each script with --help, compared with tsx and an empty script; and each library, loaded alone.',
  rounds: 7,
  measure: async (rounds, print) => {
    const [names, imported] = [await scripts(), await libraries()];
    const turns = {
      node: () => timed(() => node`node -e 0`),
      tsx: () => timed(() => node`node --import tsx -e 0`),
      ...fromNames(names, (file) => () => timed(() => node`node --import tsx scripts/${file} --help`)),
      ...fromNames(
        imported,
        (name) => async () => Number((await node`node --input-type=module -e ${IMPORT} ${name}`).stdout),
      ),
    };
    const times: Record<string, number[]> = await inTurns(rounds, turns, print);
    const row = (what: string, name: string): Row => ({ what, unit: 'ms', ours: times[name] ?? [] });
    const compare = (who: string, name: string) => ({ theirs: { who, figures: times[name] ?? [] } });
    return [
      { ...row('tsx with an empty script', 'tsx'), ...compare('bare Node', 'node') },
      ...names.map((file) => ({ ...row(`${file} --help`, file), ...compare('tsx alone', 'tsx') })),
      ...imported.map((name) => row(`import ${name}`, name)),
    ];
  },
};

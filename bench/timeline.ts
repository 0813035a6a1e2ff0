/** The phases of a deploy. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TOKEN, withToken } from '../test/lab/actors/deploys.ts';
import { typescript } from '../test/lab/namespaces/process.ts';
import { chart } from './chart.ts';
import { command, deploy, type Lab, nearAndFar } from './lab.ts';
import type { Part, Row } from './part.ts';
import { type Phases, phasesOf } from './phases.ts';

/** One deploy, with the marks of marks.ts. */
async function markedDeploy(lab: Lab, backend: string): Promise<Phases> {
  const file = join(lab.directory, 'marks.json');
  const [flag = '', tsx = '', marks = ''] = typescript('bench/marks.ts');
  const script = typescript('scripts/deploy.ts', ['--no-verify', '--json']).slice(2);
  const env = { ...withToken(TOKEN), MARKS: file, IA_ENSO_BACKEND_IP: backend };
  const start = Date.now();
  const stdout = await command(lab, [process.execPath, flag, tsx, flag, marks, ...script], env);
  const end = Date.now();
  return phasesOf(start, JSON.parse(await readFile(file, 'utf8')), JSON.parse(stdout), end);
}

export const timeline: Part = {
  name: 'timeline',
  measures: 'Where the time of one deploy goes, from Enter to the prompt; medians, in milliseconds.',
  rounds: 9,
  measure: (rounds, print) =>
    nearAndFar({}, print, async (lab, printWhere): Promise<Row[]> => {
      await deploy(lab, [lab.proxy], '192.168.1.1');
      const all: Phases[] = [];
      for (let round = 0; round < rounds; round++)
        all.push(await markedDeploy(lab, `192.168.1.${round + 2}`));
      printWhere(`${rounds} deploys`);
      return Object.keys(all[0] ?? {}).map((phase) => ({
        what: phase,
        unit: 'ms',
        ours: all.map((phases) => phases[phase] ?? Number.NaN),
      }));
    }),
  draw: chart,
};

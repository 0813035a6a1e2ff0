/** Frequent runs that do not change the vhost: a deploy without changes, and a rotation. */
import { TOKEN, withToken } from '../test/lab/actors/deploys.ts';
import { type Lab, nearAndFar, script } from './lab.ts';
import type { Part, Print, Row } from './part.ts';
import { openssh } from './rivals.ts';
import { inTurns, timed } from './turns.ts';

function race(lab: Lab, rounds: number, print: Print) {
  let token = TOKEN;
  const run = (name: string, outcome: string) =>
    timed(() => script(lab, name, ['--no-verify'], withToken(token), outcome));
  const turns = {
    OpenSSH: () => timed(() => openssh(lab, lab.proxy)),
    unchanged: () => run('deploy', 'unchanged'),
    rotation: (round: number) => {
      token = `the-token-of-round-${round}-0123456789`;
      return run('rotate-bearer', 'applied');
    },
  };
  return script(lab, 'deploy', ['--no-verify'], withToken(token)).then(() => inTurns(rounds, turns, print));
}

export const routine: Part = {
  name: 'routine',
  measures:
    'A deploy that changes nothing, and a rotation, compared with plain OpenSSH that tests and reloads without waiting.',
  rounds: 7,
  measure: (rounds, print) =>
    nearAndFar({}, print, async (lab, printWhere): Promise<Row[]> => {
      const { OpenSSH, unchanged, rotation } = await race(lab, rounds, printWhere);
      const row = (what: string, ours: readonly number[]): Row => ({
        what,
        unit: 'ms',
        ours,
        theirs: { who: 'OpenSSH', figures: OpenSSH },
      });
      return [row('deploy without changes', unchanged), row('rotation', rotation)];
    }),
};

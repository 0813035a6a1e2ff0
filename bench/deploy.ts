/** A deploy that changes the vhost, against the other ways to make the same change. */
import { deploy as deployTo, type Host, type Lab, nearAndFar } from './lab.ts';
import type { Limit, Part, Row, Tell } from './part.ts';
import { ansible, openssh, steps, writeFiles } from './rivals.ts';
import { inTurns, timed } from './turns.ts';

/** Far away nearly all of the time is the network's; near, it is Node's. */
const limit = (roundTripMs: number): Limit => ({ atMost: roundTripMs === 0 ? 2 : 1.15 });

/** A proxy each, for what one has written another would take for drift. */
async function race(lab: Lab, rounds: number, print: Tell) {
  const [own, bash, other] = lab.proxies as [Host, Host, Host];
  const waits: number[] = [];
  const backend = (round: number) => `192.168.1.${round + 2}`;
  const files = (round: number) => writeFiles(lab, `files-${round}`, backend(round));
  const change = async (round: number) => {
    const { hosts } = await deployTo(lab, [own], backend(round));
    waits.push(hosts[0]?.milliseconds.reload ?? Number.NaN);
  };
  await deployTo(lab, [own], '192.168.1.1');
  const turns = {
    OpenSSH: () => timed(() => openssh(lab, own)),
    deploy: (round: number) => timed(() => change(round)),
    bash: (round: number) => files(round).then((folder) => timed(() => steps(lab, bash, folder))),
    Ansible: (round: number) => files(round).then((folder) => timed(() => ansible(lab, other, folder))),
  };
  return { waits, ...(await inTurns(rounds, turns, print)) };
}

export const deploy: Part = {
  name: 'deploy',
  measures: 'A deploy that changes the vhost, against other ways to make the same change.',
  rounds: 7,
  measure: (rounds, print) =>
    nearAndFar({ proxies: 3 }, print, async (lab, printWhere, roundTripMs): Promise<Row[]> => {
      const { waits, OpenSSH, deploy: ours, bash, Ansible } = await race(lab, rounds, printWhere);
      const row = (who: string, figures: readonly number[]): Row => ({
        what: 'deploy',
        unit: 'ms',
        ours,
        theirs: { who, figures },
      });
      const least = OpenSSH.map((time, round) => time + (waits[round] ?? Number.NaN));
      return [
        { ...row('OpenSSH, and the wait', least), limit: limit(roundTripMs) },
        row('bash, a connection a step', bash),
        row('Ansible, pipelining', Ansible),
      ];
    }),
};

/** A deploy that changes the vhost, compared with other ways to make the same change. */
import { deploy as deployTo, type Host, type Lab, nearAndFar, type Runner } from './lab.ts';
import type { Part, Print, Row } from './part.ts';
import { ansible, openssh, renderToFolder, steps } from './rivals.ts';
import { inTurns, timed } from './turns.ts';

/**
 * Maximum ratio to OpenSSH plus the wait. With a distant jump host most of the time is network, with a near one Node.
 */
const limits = (roundTripMs: number): Record<Runner, number> =>
  roundTripMs === 0 ? { tsx: 1.5, 'Node 24': 1.1 } : { tsx: 0.85, 'Node 24': 0.85 };

/** Each contestant has its own proxy: another's changes would count as drift. */
async function race(lab: Lab, rounds: number, print: Print) {
  const [own, native, bash, ansibleHost] = lab.proxies as [Host, Host, Host, Host];
  const waits: Record<Runner, number[]> = { tsx: [], 'Node 24': [] };
  const backendOf = (round: number) => `192.168.1.${round + 2}`;
  const files = (round: number) => renderToFolder(lab, `files-${round}`, backendOf(round));
  const change = (runner: Runner, host: Host) => async (round: number) =>
    timed(async () => {
      const { hosts } = await deployTo(lab, [host], backendOf(round), runner);
      waits[runner].push(hosts[0]?.milliseconds.reload ?? Number.NaN);
    });
  await deployTo(lab, [own], '192.168.1.1');
  await deployTo(lab, [native], '192.168.1.1', 'Node 24');
  const turns = {
    OpenSSH: () => timed(() => openssh(lab, own)),
    tsx: change('tsx', own),
    'Node 24': change('Node 24', native),
    bash: (round: number) => files(round).then((folder) => timed(() => steps(lab, bash, folder))),
    Ansible: (round: number) => files(round).then((folder) => timed(() => ansible(lab, ansibleHost, folder))),
  };
  return { waits, ...(await inTurns(rounds, turns, print)) };
}

export const deploy: Part = {
  name: 'deploy',
  measures: 'A deploy that changes the vhost, against other ways to make the same change.',
  rounds: 7,
  measure: (rounds, print) =>
    nearAndFar({ proxies: 4 }, print, async (lab, printWhere, roundTripMs): Promise<Row[]> => {
      const { waits, OpenSSH, bash, Ansible, ...ours } = await race(lab, rounds, printWhere);
      const row = (runner: Runner, who: string, figures: readonly number[]): Row => ({
        what: runner === 'tsx' ? 'deploy' : `deploy by ${runner}`,
        unit: 'ms',
        ours: ours[runner],
        theirs: { who, figures },
      });
      const againstOpenSsh = (runner: Runner): Row => {
        const times = OpenSSH.map((time, round) => time + (waits[runner][round] ?? Number.NaN));
        return {
          ...row(runner, 'OpenSSH, plus the wait', times),
          limit: { atMost: limits(roundTripMs)[runner] },
        };
      };
      return [
        againstOpenSsh('tsx'),
        againstOpenSsh('Node 24'),
        row('tsx', 'bash, one connection per step', bash),
        row('tsx', 'Ansible, pipelining', Ansible),
      ];
    }),
};

/** Several proxies behind one jump host; in the lab, all share this machine's cores. */
import { deploy, nearAndFar } from './lab.ts';
import type { Part, Row } from './part.ts';
import { inTurns, timed } from './turns.ts';

export const proxies: Part = {
  name: 'proxies',
  measures: 'A deploy to 5 and to 20 proxies behind one jump host, compared with one to a single proxy.',
  rounds: 5,
  measure: (rounds, print) =>
    nearAndFar({ proxies: 20 }, print, async (lab, printWhere, roundTripMs): Promise<Row[]> => {
      let changes = 1;
      const change = (count: number) => deploy(lab, lab.proxies.slice(0, count), `192.168.1.${changes++}`);
      const turn = (count: number) => () => timed(() => change(count));
      await change(20);
      const { one, five, twenty } = await inTurns(
        rounds,
        { one: turn(1), five: turn(5), twenty: turn(20) },
        printWhere,
      );
      const row = (count: number, ours: readonly number[]): Row => ({
        what: `deploy to ${count} proxies`,
        unit: 'ms',
        ours,
        theirs: { who: 'one proxy', figures: one },
      });
      return [row(5, five), { ...row(20, twenty), limit: { atMost: roundTripMs === 0 ? 2.5 : 1.6 } }];
    }),
};

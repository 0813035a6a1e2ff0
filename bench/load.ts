/** Requests that fail while the configuration changes. */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { SITE, withToken } from '../test/lab/actors/deploys.ts';
import { finished } from '../test/lab/namespaces/lab.ts';
import { deploy, inLab, type Lab, onHost, script, serve } from './lab.ts';
import type { Part, Row } from './part.ts';

interface Counted {
  readonly requests: number;
  readonly failed: number;
}

/** Runs wrk with a new connection per request during `work`. */
async function underLoad(lab: Lab, token: string, work: () => Promise<unknown>): Promise<Counted> {
  const headers = ['-H', 'Connection: close', '-H', `Authorization: Bearer ${token}`];
  const wrk = spawn('wrk', ['-t1', '-c8', '-d600', ...headers, `https://${SITE}/ollama/api/tags`], {
    env: lab.env,
  });
  const result = finished(wrk);
  await sleep(500);
  try {
    await work();
  } finally {
    wrk.kill('SIGINT');
  }
  return count((await result).stdout);
}

/**
 * Counts requests that were rejected, cut off or late, or got another status than 200. wrk prints these only if there
 * were any.
 */
function count(output: string): Counted {
  const [, requests] = /^ +(\d+) requests in/m.exec(output) ?? [];
  const lines = output.split('\n').filter((line) => /Socket errors|Non-2xx/.test(line));
  const failed = lines.flatMap((line) => line.match(/\d+(?=,|$)/g) ?? []);
  if (!Number(requests)) throw new Error(`wrk: ${output}`);
  return { requests: Number(requests), failed: failed.reduce((sum, number) => sum + Number(number), 0) };
}

/** Prepares two backend addresses, so that each deploy changes the vhost, and a client that no rotation affects. */
async function prepare(lab: Lab): Promise<string> {
  await onHost(lab.backend, 'ip addr add 192.168.1.165/24 dev eth1');
  await serve(lab.backend, 'upstream', '0,1');
  await deploy(lab, [lab.proxy], '192.168.1.164');
  const { token } = await script(lab, 'bearers', ['add', 'load', '--scope', 'full', '--no-verify']);
  if (!token) throw new Error('bearers.ts returned no token');
  return token;
}

export const load: Part = {
  name: 'load',
  measures: 'Requests over new connections that fail during deploys and rotations.',
  rounds: 10,
  measure: (rounds, print) =>
    inLab({ backends: false }, async (lab): Promise<Row[]> => {
      const loadToken = await prepare(lab);
      const row = async (name: string, change: (round: number) => Promise<unknown>): Promise<Row> => {
        const { requests, failed } = await underLoad(lab, loadToken, async () => {
          for (let round = 0; round < rounds; round++) await change(round);
        });
        const what = `${rounds} ${name} under load, ${requests} requests answered`;
        print(`${what}, ${failed} failed`);
        return { what, unit: 'failed', ours: [failed], limit: { atMost: 0 } };
      };
      const token = (round: number) => withToken(`the-token-of-round-${round}-0123456789`);
      return [
        await row('deploys', (round) => deploy(lab, [lab.proxy], `192.168.1.${165 - (round % 2)}`)),
        await row('rotations', (round) => script(lab, 'rotate-bearer', ['--no-verify'], token(round))),
      ];
    }),
};

/** Requests that fail while the configuration changes under them. */
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

/** Has wrk ask over fresh connections while the work is done. */
async function underLoad(lab: Lab, bearer: string, work: () => Promise<unknown>): Promise<Counted> {
  const headers = ['-H', 'Connection: close', '-H', `Authorization: Bearer ${bearer}`];
  const wrk = spawn('wrk', ['-t1', '-c8', '-d600', ...headers, `https://${SITE}/ollama/api/tags`], {
    env: lab.env,
  });
  const ended = finished(wrk);
  await sleep(500);
  try {
    await work();
  } finally {
    wrk.kill('SIGINT');
  }
  return count((await ended).stdout);
}

/** Requests that were refused, cut or late, or did not get 200. wrk reports these only if there were any. */
function count(said: string): Counted {
  const [, requests] = /^ +(\d+) requests in/m.exec(said) ?? [];
  const lines = said.split('\n').filter((line) => /Socket errors|Non-2xx/.test(line));
  const failed = lines.flatMap((line) => line.match(/\d+(?=,|$)/g) ?? []);
  if (!Number(requests)) throw new Error(`wrk: ${said}`);
  return { requests: Number(requests), failed: failed.reduce((sum, number) => sum + Number(number), 0) };
}

/** Two addresses for the backend, so that each deploy changes the vhost, and a client that no rotation touches. */
async function prepare(lab: Lab): Promise<string> {
  await onHost(lab.backend, 'ip addr add 192.168.1.165/24 dev eth1');
  await serve(lab.backend, 'upstream', '0,1');
  await deploy(lab, [lab.proxy], '192.168.1.164');
  const { token } = await script(lab, 'bearers', ['add', 'load', '--scope', 'full', '--no-verify']);
  if (!token) throw new Error('bearers.ts gave no token');
  return token;
}

export const load: Part = {
  name: 'load',
  measures: 'Requests over fresh connections that fail while deploys and rotations are made.',
  rounds: 10,
  measure: (rounds, print) =>
    inLab({ backends: false }, async (lab): Promise<Row[]> => {
      const bearer = await prepare(lab);
      const row = async (name: string, change: (round: number) => Promise<unknown>): Promise<Row> => {
        const { requests, failed } = await underLoad(lab, bearer, async () => {
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

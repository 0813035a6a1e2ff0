/** What the gate costs: requests per second through it, through the same nginx without it, and through Caddy's. */
import { OTHER, SITE, withToken } from '../test/lab/actors/deploys.ts';
import { command, type Host, inLab, type Lab, script, serve } from './lab.ts';
import type { Part, Row, Tell } from './part.ts';
import { inTurns } from './turns.ts';

/** Who may compute where: all on both cores, as on a machine in use, or the server on one and the others on the other. */
const CORES = {
  shared: { words: 'on both cores', server: '0,1', others: '0,1' },
  own: { words: 'on a core of its own', server: '1', others: '0' },
} as const;
type Cores = (typeof CORES)[keyof typeof CORES];

/** A proxy each: deployed, deployed and stripped of the gate, and taken over by Caddy. */
async function contestants(lab: Lab, cores: Cores): Promise<Record<'gated' | 'ungated' | 'Caddy', Host>> {
  const [gated, ungated, Caddy] = lab.proxies as [Host, Host, Host];
  await serve(lab.backend, 'upstream', cores.others);
  await Promise.all(lab.proxies.map((host) => serve(host, 'nginx', cores.server)));
  await script(lab, 'deploy', ['--no-verify'], withToken(OTHER));
  await Promise.all([serve(ungated, 'ungated', cores.server), serve(Caddy, 'caddy', cores.server, OTHER)]);
  return { gated, ungated, Caddy };
}

interface Load {
  readonly perSecond: number;
  /** Of the answers' times, in milliseconds. */
  readonly p99: number;
}

const MILLISECONDS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000 };

/** A second of requests over 32 kept connections. @throws Error unless all of them were let in */
async function load(lab: Lab, host: Host, cores: Cores): Promise<Load> {
  const headers = ['-H', `Host: ${SITE}`, '-H', `Authorization: Bearer ${OTHER}`];
  const url = `https://${host.publicAddress}/ollama/v1/models`;
  const wrk = ['taskset', '-c', cores.others, 'wrk', '-t1', '-c32', '-d1', '--latency', ...headers, url];
  const said = await command(lab, wrk);
  const [, perSecond] = /^Requests\/sec: +([\d.]+)/m.exec(said) ?? [];
  const [, p99, unit = ''] = /^ +99% +([\d.]+)(us|ms|s)/m.exec(said) ?? [];
  if (/Non-2xx|Socket errors/.test(said)) throw new Error(`${host.name}: ${said}`);
  return { perSecond: Number(perSecond), p99: Number(p99) * (MILLISECONDS[unit] ?? Number.NaN) };
}

type Figures = Readonly<Record<'gated' | 'ungated' | 'Caddy', readonly number[]>>;

/** The gated server's figures against another's. */
function against(
  name: 'ungated' | 'Caddy',
  who: string,
  cores: Cores,
  perSecond: Figures,
  p99: Figures,
): [Row, Row] {
  const row = (what: string, unit: Row['unit'], figures: Figures): Row => ({
    what: `${what}, ${cores.words}`,
    unit,
    ours: figures.gated,
    theirs: { who, figures: figures[name] },
  });
  return [
    row('requests through the gate', 'requests/s', perSecond),
    row('99th percentile of their times', 'ms', p99),
  ];
}

async function compare(lab: Lab, rounds: number, print: Tell, cores: Cores): Promise<Row[]> {
  const p99 = { gated: [] as number[], ungated: [] as number[], Caddy: [] as number[] };
  const hosts = await contestants(lab, cores);
  const turn = (name: keyof typeof p99) => async () => {
    const measured = await load(lab, hosts[name], cores);
    p99[name].push(measured.p99);
    return measured.perSecond;
  };
  const turns = { gated: turn('gated'), ungated: turn('ungated'), Caddy: turn('Caddy') };
  const printWhere = (text: string) => print(`${cores.words}, ${text}`);
  const perSecond = await inTurns(rounds, turns, printWhere);
  const [requests, times] = against('ungated', 'the same nginx, ungated', cores, perSecond, p99);
  const limit = { atLeast: 0.95 };
  const judged = cores === CORES.shared ? { ...requests, limit } : requests;
  return [judged, times, ...against('Caddy', 'Caddy, the same gate', cores, perSecond, p99)];
}

export const gate: Part = {
  name: 'gate',
  measures: 'GET /ollama/v1/models over 32 kept TLS connections: gated, ungated, by Caddy.',
  rounds: 25,
  measure: async (rounds, print) => {
    const rows: Row[] = [];
    for (const cores of Object.values(CORES))
      rows.push(
        ...(await inLab({ proxies: 3, backends: false }, (lab) => compare(lab, rounds, print, cores))),
      );
    return rows;
  },
};

/** The cost of the gate: requests per second through it, through the same nginx without it, and through Caddy's. */
import { OTHER_TOKEN, SITE, VHOST, withToken } from '../test/lab/actors/deploys.ts';
import { installClients } from '../test/lab/actors/many-clients.ts';
import { command, type Host, inLab, type Lab, onHost, script, serve } from './lab.ts';
import type { Part, Print, Row } from './part.ts';
import { inTurns } from './turns.ts';
import { ungated } from './ungated.ts';

/** CPU cores: all share both, as on a busy machine, or the server has one and everything else the other. */
const CORES = {
  shared: { words: 'on both cores', server: '0,1', others: '0,1' },
  own: { words: 'on its own core', server: '1', others: '0' },
} as const;
type Cores = (typeof CORES)[keyof typeof CORES];

/** Numbers of clients at the gate. */
const CLIENTS = [1, 100, 1000];

const UNKNOWN = 'f'.repeat(64);
const MODELS = '/ollama/v1/models';

/** Three proxies: deployed, deployed but without the gate, and Caddy instead of nginx. */
async function contestants(lab: Lab, cores: Cores): Promise<Record<'gated' | 'ungated' | 'Caddy', Host>> {
  const [gated, plain, Caddy] = lab.proxies as [Host, Host, Host];
  await serve(lab.backend, 'upstream', cores.others);
  await Promise.all(lab.proxies.map((host) => serve(host, 'nginx', cores.server)));
  await script(lab, 'deploy', ['--no-verify'], withToken(OTHER_TOKEN));
  const vhost = await ungated(await onHost(plain, `cat ${VHOST}`));
  await onHost(plain, `cat >${VHOST}; nginx -s reload`, vhost);
  await serve(Caddy, 'caddy', cores.server, OTHER_TOKEN);
  return { gated, ungated: plain, Caddy };
}

interface Load {
  readonly perSecond: number;
  /** Of the response times, in milliseconds. */
  readonly p99: number;
}

const MILLISECONDS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000 };

interface RequestOptions {
  readonly host: Host;
  readonly path?: string;
  readonly token?: string;
  readonly isRefused?: boolean;
}

/** One second of requests over 32 keep-alive connections. @throws Error unless all are accepted, or all rejected */
async function load(
  lab: Lab,
  cores: Cores,
  { host, path = MODELS, token = OTHER_TOKEN, isRefused = false }: RequestOptions,
): Promise<Load> {
  const headers = ['-H', `Host: ${SITE}`, '-H', `Authorization: Bearer ${token}`];
  const url = `https://${host.publicAddress}${path}`;
  const wrk = ['taskset', '-c', cores.others, 'wrk', '-t1', '-c32', '-d1', '--latency', ...headers, url];
  const output = await command(lab, wrk);
  const [, perSecond] = /^Requests\/sec: +([\d.]+)/m.exec(output) ?? [];
  const [, p99, unit = ''] = /^ +99% +([\d.]+)(us|ms|s)/m.exec(output) ?? [];
  const [total, refused] = [/(\d+) requests in/, /Non-2xx or 3xx responses: (\d+)/].map(
    (pattern) => pattern.exec(output)?.[1],
  );
  if (/Socket errors/.test(output) || refused !== (isRefused ? total : undefined))
    throw new Error(`${host.name}${path}: ${output}`);
  return { perSecond: Number(perSecond), p99: Number(p99) * (MILLISECONDS[unit] ?? Number.NaN) };
}

type Figures = Readonly<Record<string, readonly number[]>>;

/** Each contestant's requests per second and 99th percentile, per round. */
async function measure<Name extends string>(
  lab: Lab,
  cores: Cores,
  rounds: number,
  print: Print,
  contestantsByName: Readonly<Record<Name, RequestOptions>>,
): Promise<{ perSecond: Record<Name, number[]>; p99: Record<Name, number[]> }> {
  const names = Object.keys(contestantsByName) as Name[];
  const p99 = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  const turn = (name: Name) => async () => {
    const measured = await load(lab, cores, contestantsByName[name]);
    p99[name].push(measured.p99);
    return measured.perSecond;
  };
  const turns = Object.fromEntries(names.map((name) => [name, turn(name)])) as Record<
    Name,
    () => Promise<number>
  >;
  return { perSecond: await inTurns(rounds, turns, print), p99 };
}

const LIMIT = { atLeast: 0.95 };

/** One client, compared with the same nginx without the gate, and with Caddy. */
async function againstCaddy(lab: Lab, rounds: number, print: Print, cores: Cores): Promise<Row[]> {
  const hosts = await contestants(lab, cores);
  const requests = {
    gated: { host: hosts.gated },
    ungated: { host: hosts.ungated },
    Caddy: { host: hosts.Caddy },
  };
  const { perSecond, p99 } = await measure(
    lab,
    cores,
    rounds,
    (text) => print(`${cores.words}, ${text}`),
    requests,
  );
  const row = (
    what: string,
    unit: Row['unit'],
    figures: Figures,
    name: 'ungated' | 'Caddy',
    who: string,
  ): Row => ({
    what: `${what}, ${cores.words}`,
    unit,
    ours: figures.gated ?? [],
    theirs: { who, figures: figures[name] ?? [] },
  });
  const rows = (name: 'ungated' | 'Caddy', who: string) => [
    row('requests through the gate', 'requests/s', perSecond, name, who),
    row('99th percentile of response times', 'ms', p99, name, who),
  ];
  return [...rows('ungated', NGINX), ...rows('Caddy', 'Caddy, the same gate')];
}

const NGINX = 'the same nginx, ungated';

/** Known and unknown tokens at a gate with `count` clients, compared with the same nginx without the gate. */
async function withClients(
  lab: Lab,
  rounds: number,
  print: Print,
  hosts: { gated: Host; ungated: Host },
  count: number,
) {
  await installClients(hosts.gated, count);
  const unknown = { token: UNKNOWN, isRefused: true };
  const { perSecond } = await measure(
    lab,
    CORES.shared,
    rounds,
    (text) => print(`${count} clients, ${text}`),
    {
      known: { host: hosts.gated },
      unknown: { host: hosts.gated, ...unknown },
      ungated: { host: hosts.ungated },
      refused: { host: hosts.ungated, path: '/refused', ...unknown },
    },
  );
  const row = (tokens: 'known' | 'unknown', name: 'ungated' | 'refused', who: string): Row => ({
    what: `${tokens} token, ${count === 1 ? '1 client' : `${count} clients`}`,
    unit: 'requests/s',
    ours: perSecond[tokens],
    theirs: { who, figures: perSecond[name] },
  });
  return [
    { ...row('known', 'ungated', NGINX), limit: LIMIT },
    { ...row('unknown', 'ungated', NGINX), limit: LIMIT },
    row('unknown', 'refused', 'nginx, a fixed 401'),
  ];
}

const LAB = { proxies: 3, backends: false };

export const gate: Part = {
  name: 'gate',
  measures: `GET ${MODELS} over 32 kept TLS connections: gated, ungated, by Caddy; with more clients, and an unknown token.`,
  rounds: 12,
  measure: async (rounds, print) => [
    ...(await inLab(LAB, async (lab) => {
      const rows = await againstCaddy(lab, rounds, print, CORES.shared);
      const [gated, plain] = lab.proxies as [Host, Host];
      for (const count of CLIENTS)
        rows.push(...(await withClients(lab, rounds, print, { gated, ungated: plain }, count)));
      return rows;
    })),
    ...(await inLab(LAB, (lab) => againstCaddy(lab, rounds, print, CORES.own))),
  ],
};

/**
 * Proxies with their own relays on both hops, so that many connections can be cut at once, and the points to cut at.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import * as deploys from '../actors/deploys.ts';
import type { DeployOptions } from '../actors/programs.ts';
import type { Host, Lab, Relay } from '../namespaces/lab.ts';
import { JUMP } from '../namespaces/network.ts';
import { local } from '../namespaces/process.ts';
import type { Break, Fault } from './relay-link.ts';
import { startRelay } from './start-relay.ts';

/** The connection to cut: the operator's to the jump host, or the jump host's to the proxy. */
export const HOPS = ['jump', 'proxy'] as const;
export type Hop = (typeof HOPS)[number];

/** The two states differ in the backend address and the token; nothing listens at the new address. */
export const WANTED = {
  old: { token: deploys.TOKEN, backend: '192.168.1.164' },
  new: { token: deploys.OTHER_TOKEN, backend: '192.168.1.2' },
} as const satisfies Record<string, DeployOptions>;
export type State = keyof typeof WANTED;
export const environment = ({ token, backend }: (typeof WANTED)[State]) => ({
  ...deploys.withToken(token),
  IA_ENSO_BACKEND_IP: backend,
});
const STATUSES = { old: '200 401', new: '401 502' };

/** One proxy, with relays on both hops. */
export interface Slot extends deploys.Run {
  readonly host: Host;
  readonly relays: Readonly<Record<Hop, Relay>>;
}

/** Above the lab's own relay port. */
const FIRST_PORT = 2300;

export async function slotsOf(lab: Lab): Promise<readonly Slot[]> {
  return Promise.all(
    lab.proxies.map(async (host, index): Promise<Slot> => {
      const port = FIRST_PORT + index;
      const env = { IA_ENSO_PROXY_HOST: host.address, DEPLOY_SSH_PROXY_PORT: `${port}` };
      const relays = { jump: await startRelay(JUMP, 0, port), proxy: lab.proxyRelays[index] as Relay };
      const run: Lab['run'] = (script, args, options) =>
        lab.run(script, args, { ...options, env: { ...env, ...options?.env } });
      return { host, relays, run };
    }),
  );
}

/** A pool that hands out each item to one user at a time. */
export function poolOf<T>(items: readonly T[]): <R>(work: (item: T) => Promise<R>) => Promise<R> {
  const free = [...items];
  const waiting: ((thing: T) => void)[] = [];
  return async (work) => {
    const thing = free.shift() ?? (await new Promise<T>((resolve) => void waiting.push(resolve)));
    try {
      return await work(thing);
    } finally {
      const next = waiting.shift();
      if (next) next(thing);
      else free.push(thing);
    }
  };
}

/** This proxy's HTTP status for a token. */
export async function gateStatusOf({ host }: Slot, token: string): Promise<string> {
  const connectTo = ['--connect-to', `${deploys.SITE}:443:${host.publicAddress}:443`];
  const header = ['-H', `Authorization: Bearer ${token}`];
  const curl = local({
    nothrow: true,
  })`curl -sk -m 10 -o /dev/null -w ${'%{http_code}'} ${connectTo} ${header} https://${deploys.SITE}/ollama/v1/models`;
  return (await curl).stdout;
}

/** Files, modes and contents below /etc/nginx, without the timestamps in client files. */
export async function filesOf({ host }: Slot): Promise<string> {
  const listing = (await deploys.config(host))
    .split('\n')
    .filter((line) => !/^[0-9a-f]{64} .*default\.map$/.test(line));
  const { stdout } = await host.sh(`cat ${deploys.CLIENT} 2>/dev/null`);
  return `${listing.join('\n')}\n${stdout.replace(/\d{4}-\d\d-\d\dT[\d:]+Z/g, 'TIME')}`;
}

export type Known = Readonly<Record<State, string>>;

/** The state that the proxy is in; fails if files and responses do not agree. */
export async function stateOf(slot: Slot, known: Known, where: string): Promise<State> {
  const statuses = `${await gateStatusOf(slot, deploys.TOKEN)} ${await gateStatusOf(slot, deploys.OTHER_TOKEN)}`;
  const files = await filesOf(slot);
  const state = statuses === STATUSES.old ? 'old' : 'new';
  assert.equal(statuses, STATUSES[state], where);
  assert.equal(files, known[state], where);
  return state;
}

/** Waits until a run that lost its connection has ended. */
export const runEnded = ({ host }: Slot) => host.sh('flock /var/lib/gatepost/lock true');

/** Holds the lock of a proxy during `work`, so that every program waits. */
export async function withLock<T>({ host }: Slot, work: () => Promise<T>): Promise<T> {
  const hold = 'touch /run/held; while [ -e /run/held ]; do sleep 0.05; done';
  const holding = host.sh(`mkdir -p -m 700 /var/lib/gatepost; flock /var/lib/gatepost/lock sh -c '${hold}'`);
  await host.sh('until [ -e /run/held ]; do sleep 0.05; done');
  try {
    return await work();
  } finally {
    await host.sh('rm /run/held');
    await holding;
  }
}

/** Starts a script, waits until its program is at the lock, and returns the bytes uploaded on that connection. */
export async function bytesUploaded(slot: Slot, hop: Hop, start: () => void): Promise<number> {
  const before = slot.relays[hop].connections;
  start();
  let previous = -1;
  for (;;) {
    const { up, connections } = await slot.relays[hop].traffic();
    if (connections > before && up === previous && up > 10_000) return up;
    previous = up;
    await sleep(500);
  }
}

/** Bytes of one deploy over a hop: in total, and up to the end of the upload. */
export interface HopTraffic {
  readonly up: number;
  readonly down: number;
  readonly upload: number;
}

/** The part of a connection in which it is cut. */
const PHASES = ['upload', 'tail', 'run', 'down'] as const;
type Phase = (typeof PHASES)[number];

/** The approximate duration of a run. */
const RUN_MS = 600;
const TAIL_BYTES = 300;

export interface CutPoint extends Fault {
  readonly hop: Hop;
  readonly phase: Phase;
}

/** `count` cut points, cycling through the phases, at random positions spread over each phase. */
export function cutPoints(
  hop: Hop,
  kind: Break,
  traffic: HopTraffic,
  count: number,
  seed: number,
): readonly CutPoint[] {
  // fc.double is not uniform.
  const samples = fc.sample(fc.nat(999_999), {
    numRuns: count,
    seed: seed + HOPS.indexOf(hop) + 2 * kind.length + kind.charCodeAt(0),
  });
  const rounds = Math.ceil(count / PHASES.length);
  // The last cycle may be incomplete, so the first phase varies with the seed; a freeze must always cover the upload.
  const first = kind === 'freeze' ? 0 : seed;
  return samples.map((millionths, index) => {
    const share = (Math.floor(index / PHASES.length) + millionths / 1_000_000) / rounds;
    return { hop, kind, ...cutPointIn(PHASES[(first + index) % PHASES.length] as Phase, share, traffic) };
  });
}

function cutPointIn(phase: Phase, share: number, { up, down, upload }: HopTraffic) {
  const between = (from: number, to: number) => Math.round(from + share * (to - from));
  if (phase === 'run')
    return { phase, direction: 'up', afterBytes: upload, afterMs: between(0, RUN_MS) } as const;
  if (phase === 'down') return { phase, direction: 'down', afterBytes: between(1, down) } as const;
  const [from, to] = phase === 'upload' ? [1, upload - TAIL_BYTES] : [upload - TAIL_BYTES, up];
  return { phase, direction: 'up', afterBytes: between(from, to) } as const;
}

export const describeCut = ({ hop, kind, phase, direction, afterBytes, afterMs }: CutPoint) =>
  `${kind} on the way to the ${hop}, ${phase}: after ${afterBytes} bytes ${direction}${afterMs === undefined ? '' : ` and ${afterMs} ms`}`;

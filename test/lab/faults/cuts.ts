/** Proxies with their own relays on either hop, so that many connections can break at once; and where they break. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import * as deploys from '../actors/deploys.ts';
import type { Wanted } from '../actors/programs.ts';
import type { Host, Lab, Relay } from '../namespaces/lab.ts';
import { JUMP } from '../namespaces/network.ts';
import { local } from '../namespaces/process.ts';
import type { Break, Fault } from './relay-link.ts';
import { startRelay } from './start-relay.ts';

/** Whose connection breaks: ours to the jump host, or the jump host's to the proxy. */
export const HOPS = ['jump', 'proxy'] as const;
export type Hop = (typeof HOPS)[number];

/** The two states differ in the backend's address and the token; nothing listens at the new one. */
export const WANTED = {
  old: { token: deploys.TOKEN, backend: '192.168.1.164' },
  new: { token: deploys.OTHER, backend: '192.168.1.2' },
} as const satisfies Record<string, Wanted>;
export type State = keyof typeof WANTED;
export const environment = ({ token, backend }: (typeof WANTED)[State]) => ({
  ...deploys.withToken(token),
  IA_ENSO_BACKEND_IP: backend,
});
const ANSWERS = { old: '200 401', new: '401 502' };

/** One proxy, and the way to it. */
export interface Slot extends deploys.Run {
  readonly host: Host;
  readonly relays: Readonly<Record<Hop, Relay>>;
}

/** One more than the lab has on its own. */
const FIRST_PORT = 2300;

export async function slotsOf(lab: Lab): Promise<readonly Slot[]> {
  return Promise.all(
    lab.proxies.map(async (host, index): Promise<Slot> => {
      const port = FIRST_PORT + index;
      const own = { IA_ENSO_PROXY_HOST: host.address, DEPLOY_SSH_PROXY_PORT: `${port}` };
      const relays = { jump: await startRelay(JUMP, 0, port), proxy: lab.proxyRelays[index] as Relay };
      const run: Lab['run'] = (script, args, options) =>
        lab.run(script, args, { ...options, env: { ...own, ...options?.env } });
      return { host, relays, run };
    }),
  );
}

/** Lends the things out, each to one at a time. */
export function poolOf<T>(things: readonly T[]): <R>(work: (thing: T) => Promise<R>) => Promise<R> {
  const free = [...things];
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

/** What the gate of this proxy answers to a token. */
export async function gateOf({ host }: Slot, token: string): Promise<string> {
  const to = ['--connect-to', `${deploys.SITE}:443:${host.publicAddress}:443`];
  const header = ['-H', `Authorization: Bearer ${token}`];
  const ask = local({
    nothrow: true,
  })`curl -sk -m 10 -o /dev/null -w ${'%{http_code}'} ${to} ${header} https://${deploys.SITE}/ollama/v1/models`;
  return (await ask).stdout;
}

/** Files, modes and contents below /etc/nginx, but for the times that a client's file tells. */
export async function filesOf({ host }: Slot): Promise<string> {
  const all = (await deploys.config(host))
    .split('\n')
    .filter((line) => !/^[0-9a-f]{64} .*default\.map$/.test(line));
  const { stdout } = await host.sh(`cat ${deploys.CLIENT} 2>/dev/null`);
  return `${all.join('\n')}\n${stdout.replace(/\d{4}-\d\d-\d\dT[\d:]+Z/g, 'TIME')}`;
}

export type Known = Readonly<Record<State, string>>;

/** Which state the proxy serves and holds; anything between fails. */
export async function stateOf(slot: Slot, known: Known, where: string): Promise<State> {
  const answers = `${await gateOf(slot, deploys.TOKEN)} ${await gateOf(slot, deploys.OTHER)}`;
  const files = await filesOf(slot);
  const state = answers === ANSWERS.old ? 'old' : 'new';
  assert.equal(answers, ANSWERS[state], where);
  assert.equal(files, known[state], where);
  return state;
}

/** Waits for a run that goes on without its connection. */
export const quiet = ({ host }: Slot) => host.sh('flock /var/lib/gatepost/lock true');

/** Keeps every program of the proxy waiting at its lock, all through `work`. */
export async function locked<T>({ host }: Slot, work: () => Promise<T>): Promise<T> {
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

/** Starts something that sends a program, and tells the bytes of its connection once that waits at the lock. */
export async function uploaded(slot: Slot, hop: Hop, start: () => void): Promise<number> {
  const before = slot.relays[hop].connections;
  start();
  let seen = -1;
  for (;;) {
    const { up, connections } = await slot.relays[hop].traffic();
    if (connections > before && up === seen && up > 10_000) return up;
    seen = up;
    await sleep(500);
  }
}

/** What one deploy carries over a hop: all of it, and up to the end of its upload. */
export interface Carried {
  readonly up: number;
  readonly down: number;
  readonly upload: number;
}

/** Where in a connection it breaks. */
const PHASES = ['upload', 'tail', 'run', 'down'] as const;
type Phase = (typeof PHASES)[number];

/** A run takes about this long. */
const RUN_MS = 600;
const TAIL_BYTES = 300;

export interface Place extends Fault {
  readonly hop: Hop;
  readonly phase: Phase;
}

/** `count` places, a phase after the other, by chance within each phase's share of the way. */
export function places(
  hop: Hop,
  kind: Break,
  carried: Carried,
  count: number,
  seed: number,
): readonly Place[] {
  // fc.double is not spread evenly.
  const chance = fc.sample(fc.nat(999_999), {
    numRuns: count,
    seed: seed + HOPS.indexOf(hop) + 2 * kind.length + kind.charCodeAt(0),
  });
  const rounds = Math.ceil(count / PHASES.length);
  // A few of them miss a phase, which changes with the seed; a freeze on the way up is never missed.
  const first = kind === 'freeze' ? 0 : seed;
  return chance.map((millionths, index) => {
    const part = (Math.floor(index / PHASES.length) + millionths / 1_000_000) / rounds;
    return { hop, kind, ...placeIn(PHASES[(first + index) % PHASES.length] as Phase, part, carried) };
  });
}

function placeIn(phase: Phase, part: number, { up, down, upload }: Carried) {
  const between = (from: number, to: number) => Math.round(from + part * (to - from));
  if (phase === 'run')
    return { phase, direction: 'up', afterBytes: upload, afterMs: between(0, RUN_MS) } as const;
  if (phase === 'down') return { phase, direction: 'down', afterBytes: between(1, down) } as const;
  const [from, to] = phase === 'upload' ? [1, upload - TAIL_BYTES] : [upload - TAIL_BYTES, up];
  return { phase, direction: 'up', afterBytes: between(from, to) } as const;
}

export const shown = ({ hop, kind, phase, direction, afterBytes, afterMs }: Place) =>
  `${kind} on the way to the ${hop}, ${phase}: after ${afterBytes} bytes ${direction}${afterMs === undefined ? '' : ` and ${afterMs} ms`}`;

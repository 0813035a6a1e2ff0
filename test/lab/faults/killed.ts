/** Runs that are killed at their system calls, and the two states of which one must hold afterwards. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import * as deploys from '../actors/deploys.ts';
import * as programs from '../actors/programs.ts';
import type { Host } from '../namespaces/host.ts';

export type State = 'A' | 'B';

/** The two states of a host: what it serves in each, and its files of nginx. */
export interface Scene {
  readonly host: () => Host;
  readonly serving: () => Promise<string>;
  readonly whole: Readonly<Record<State, string>>;
  readonly trees: Readonly<Record<string, string>>;
}

export const upTo = (last: number, first = 1, step = 1) =>
  Array.from({ length: Math.max(0, Math.ceil((last - first + 1) / step)) }, (_, i) => first + i * step);

/** A plan for test/lab/faults/shim.sh. */
export const before_ = (signal: string) => (call: number) => `${call} before ${signal}`;

/** The host is whole, nothing lies about, and files and service agree. */
export async function isWholly(scene: Scene, is: State, where: string): Promise<void> {
  const host = scene.host();
  assert.equal(await scene.serving(), scene.whole[is], where);
  assert.equal(await deploys.config(host), scene.trees[is], where);
  assert.equal(await deploys.leftovers(host), '', where);
}

/** After a run that was killed: it is what it is said to be. */
export async function judge(
  scene: Scene,
  program: programs.Program,
  ran: programs.Ran,
  where: string,
): Promise<State> {
  const states = Object.values(scene.whole);
  // A reload that is under way takes a moment from the first new answer to the last old one.
  let now = await scene.serving();
  for (let tries = 0; tries < 20 && !states.includes(now); tries++) {
    await sleep(250);
    now = await scene.serving();
  }
  assert.ok(states.includes(now), `mixed: ${now}: ${where}`);
  const answer = await programs.execute(scene.host(), await programs.question(program.run));
  const told = `${where}\n${ran.stdout}${ran.stderr}${answer.stdout}${answer.stderr}`;
  assert.ok(['asked', 'cancelled'].includes(answer.verdict ?? ''), told);
  if (ran.verdict && answer.verdict === 'asked') assert.equal(answer.outcome, ran.outcome, told);
  const is = answer.outcome === 'applied' ? 'B' : 'A';
  await isWholly(scene, is, told);
  return is;
}

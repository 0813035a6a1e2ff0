/** Runs that are killed at their system calls, and the two states of which exactly one must hold afterwards. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import * as deploys from '../actors/deploys.ts';
import * as programs from '../actors/programs.ts';
import type { Host } from '../namespaces/host.ts';

export type State = 'A' | 'B';

/** A host's two states: its responses and its nginx files in each. */
export interface Scene {
  readonly host: () => Host;
  readonly serving: () => Promise<string>;
  readonly responses: Readonly<Record<State, string>>;
  readonly trees: Readonly<Record<string, string>>;
}

export const callNumbers = (last: number, first = 1, step = 1) =>
  Array.from({ length: Math.max(0, Math.ceil((last - first + 1) / step)) }, (_, i) => first + i * step);

/** A plan for test/lab/faults/shim.sh. */
export const signalBefore = (signal: string) => (call: number) => `${call} before ${signal}`;

/** Asserts that responses and files are those of `state`, without leftovers. */
export async function assertState(scene: Scene, state: State, where: string): Promise<void> {
  const host = scene.host();
  assert.equal(await scene.serving(), scene.responses[state], where);
  assert.equal(await deploys.config(host), scene.trees[state], where);
  assert.equal(await deploys.leftovers(host), '', where);
}

/** After a killed run: asserts that the state matches the outcome that the program reports. */
export async function assertReportedState(
  scene: Scene,
  program: programs.Program,
  result: programs.ProgramResult,
  where: string,
): Promise<State> {
  const states = Object.values(scene.responses);
  // During a reload, responses may come from old and new workers for a moment.
  let serving = await scene.serving();
  for (let tries = 0; tries < 20 && !states.includes(serving); tries++) {
    await sleep(250);
    serving = await scene.serving();
  }
  assert.ok(states.includes(serving), `mixed: ${serving}: ${where}`);
  const query = await programs.execute(scene.host(), await programs.outcomeQuery(program));
  const output = `${where}\n${result.stdout}${result.stderr}${query.stdout}${query.stderr}`;
  assert.ok(['asked', 'cancelled'].includes(query.verdict ?? ''), output);
  if (result.verdict && query.verdict === 'asked') assert.equal(query.outcome, result.outcome, output);
  if (query.outcome !== 'applied' && query.facts.ended) {
    // Its tokens are refused; the next change does the rest.
    await assertState({ ...scene, trees: { ...scene.trees, B: scene.trees.ended ?? '' } }, 'B', output);
    return 'B';
  }
  const state = query.outcome === 'applied' ? 'B' : 'A';
  await assertState(scene, state, output);
  return state;
}

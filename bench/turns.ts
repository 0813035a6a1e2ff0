/** Rounds in which the contestants take turns, so that a busy minute of the machine affects all of them. */
import { median } from './figures.ts';
import type { Print } from './part.ts';

/** Runs once; returns the round's figure. */
type Turn = (round: number) => Promise<number>;

/** Every contestant's figures; the order is reversed every second round. */
export async function inTurns<Name extends string>(
  rounds: number,
  contestants: Readonly<Record<Name, Turn>>,
  print: Print,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(contestants) as Name[];
  const figures = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed())
      figures[name].push(await contestants[name](round));
    print(`round ${round + 1} of ${rounds}: ${names.map((name) => latest(name, figures[name])).join(', ')}`);
  }
  print(`medians: ${names.map((name) => `${name} ${figure(median(figures[name]))}`).join(', ')}`);
  return figures;
}

const latest = (name: string, values: readonly number[]): string => `${name} ${figure(values.at(-1) ?? 0)}`;

/** Rounds a figure to significant digits. */
export function figure(value: number): string {
  return value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toPrecision(3);
}

/** The duration of `work`, in milliseconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

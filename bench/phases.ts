/** The marks of a deploy (marks.ts) -> the duration of each phase. */
import type { ScriptResult } from './lab.ts';

export type Mark = readonly [name: string, time: number];
/** Milliseconds per phase, in order. */
export type Phases = Record<string, number>;

/** The phases on this machine, each with the mark that ends it. */
const HERE: readonly (readonly [phase: string, mark: RegExp])[] = [
  ['Node starts', /^node$/],
  ['tsx is loaded', /^tsx$/],
  ['imports', /^imports$/],
  ['settings, rendering', /, through /],
  ['jump host: dial, keys, ssh2', /^handshake$/],
  ['jump host: login', /^ready$/],
  ['proxy: dial, keys', /^handshake$/],
  ['proxy: login', /^ready$/],
];
/** The phases on the proxy, each ended by a line of progress. */
const THERE = ['survey', 'write', 'test', 'reload', 'record'];

/** From the start of the process to its end. Between login and survey, the program is being uploaded. */
export function phasesOf(
  start: number,
  marks: readonly Mark[],
  { hosts }: ScriptResult,
  end: number,
): Phases {
  const phases: Phases = {};
  const remaining = marks.values();
  let last = start;
  const endPhase = (phase: string, time: number) => {
    phases[phase] = time - last;
    last = time;
  };
  for (const [phase, mark] of HERE) endPhase(phase, next(remaining, mark));
  next(remaining, /^✓ connect/);
  for (const phase of THERE) {
    const ended = next(remaining, /^✓/);
    if (phase === 'survey') endPhase('upload, sudo', ended - (hosts[0]?.milliseconds.survey ?? Number.NaN));
    endPhase(`proxy: ${phase}`, ended);
  }
  endPhase('goodbye', next(remaining, /^exit$/));
  endPhase('process ends', end);
  return phases;
}

/** The time of the next mark that matches; skips others. @throws Error if there is none */
function next(marks: Iterator<Mark>, name: RegExp): number {
  for (let mark = marks.next(); !mark.done; mark = marks.next()) {
    if (name.test(mark.value[0])) return mark.value[1];
  }
  throw new Error(`the deploy recorded no mark ${name}`);
}

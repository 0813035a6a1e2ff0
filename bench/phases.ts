/** The marks of a deploy (marks.ts) -> the duration of each phase. */
import type { Told } from './lab.ts';

export type Mark = readonly [name: string, time: number];
/** Milliseconds by phase, in order. */
export type Phases = Record<string, number>;

/** The phases on this side, each with the mark that ends it. */
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
/** Those on the proxy, each ended by a line of the report. */
const THERE = ['survey', 'write', 'test', 'reload', 'record'];

/** From the start of the process to its end. Between the login and the survey the program is on its way. */
export function phasesOf(start: number, marks: readonly Mark[], { hosts }: Told, end: number): Phases {
  const phases: Phases = {};
  const left = marks.values();
  let last = start;
  const until = (phase: string, time: number) => {
    phases[phase] = time - last;
    last = time;
  };
  for (const [phase, mark] of HERE) until(phase, next(left, mark));
  next(left, /^✓ connect/);
  for (const phase of THERE) {
    const ended = next(left, /^✓/);
    if (phase === 'survey') until('upload, sudo', ended - (hosts[0]?.milliseconds.survey ?? Number.NaN));
    until(`proxy: ${phase}`, ended);
  }
  until('goodbye', next(left, /^exit$/));
  until('process ends', end);
  return phases;
}

/** The time of the next mark of that name; those before it are passed over. @throws Error when there is none */
function next(marks: Iterator<Mark>, name: RegExp): number {
  for (let mark = marks.next(); !mark.done; mark = marks.next()) {
    if (name.test(mark.value[0])) return mark.value[1];
  }
  throw new Error(`the deploy made no mark ${name}`);
}

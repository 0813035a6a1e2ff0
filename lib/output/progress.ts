/** What is under way, as one short line; of several hosts, the steps are kept until one fails. */
import type { Entry, Step } from './entry.ts';
import { stepName } from './steps.ts';

/** Nobody wants to read of what is over in a moment. */
const AFTER_MS = 500;

interface Watch {
  readonly hear: (entry: Entry) => void;
  /** The line for this moment; undefined when there is nothing to say. */
  readonly line: () => string | undefined;
}

/** Hears everything that is told, and knows what is still under way. `clock` gives milliseconds. */
export function createProgress(clock = () => performance.now()): Watch {
  const watches = [watchChecks(clock), watchHosts(clock)];
  return {
    hear: (entry) => {
      for (const watch of watches) watch.hear(entry);
    },
    line: () => watches.map((watch) => watch.line()).find((line) => line !== undefined),
  };
}

interface Doing {
  readonly name: string;
  readonly since: number;
}

function watchHosts(clock: () => number): Watch {
  let all: readonly string[] = [];
  let since = 0;
  const left = new Set<string>();
  const doing = new Map<string, Doing>();
  const hear = (entry: Entry) => {
    if (entry.kind === 'hosts') {
      [all, since] = [entry.hosts, clock()];
      for (const host of all) left.add(host);
    }
    if (entry.kind === 'begin') doing.set(entry.host, { name: entry.name, since: clock() });
    if (entry.kind === 'step' || entry.kind === 'over') doing.delete(entry.host);
    if (entry.kind === 'over') left.delete(entry.host);
  };
  const line = () => {
    const [slowest] = [...doing].sort(([, a], [, b]) => a.since - b.since);
    if (all.length < 2) return slowest && ofOne(slowest[1], clock());
    if (left.size === 0 || clock() - since < AFTER_MS) return undefined;
    const counted = `${all.length - left.size} of ${all.length} proxies`;
    return slowest ? `${counted}; slowest: ${ofSeveral(slowest, clock())}` : counted;
  };
  return { hear, line };
}

const ofOne = ({ name, since }: Doing, now: number): string | undefined =>
  now - since < AFTER_MS ? undefined : `${stepName(name)} ${seconds(now - since).padStart(8)}`;

const ofSeveral = ([host, { name, since }]: readonly [string, Doing], now: number): string =>
  `${host} ${name} ${seconds(now - since)}`;

const seconds = (milliseconds: number): string => `${Math.floor(milliseconds / 1000)} s`;

function watchChecks(clock: () => number): Watch {
  let asked = 0;
  let since = 0;
  const out = new Set<string>();
  const hear = (entry: Entry) => {
    if (entry.kind === 'asking') {
      if (out.size === 0) [asked, since] = [0, clock()];
      asked += 1;
      out.add(entry.check);
    }
    if (entry.kind === 'answered') out.delete(entry.check);
    // One whose time was up may never answer.
    if (entry.kind === 'check') out.delete(entry.result.name);
  };
  const line = () =>
    out.size > 0 && clock() - since >= AFTER_MS
      ? `${asked - out.size} of ${asked} checks; still out: ${[...out].join(', ')}`
      : undefined;
  return { hear, line };
}

/** Passes entries on; keeps steps of several hosts, and gives them with the failure of theirs. */
export function keepSteps(): (entry: Entry) => Entry | undefined {
  const kept = new Map<string, readonly Step[]>();
  let areSeveral = false;
  return (entry) => {
    if (entry.kind === 'hosts') areSeveral = entry.hosts.length > 1;
    if (entry.kind === 'failure') return { ...entry, steps: kept.get(entry.host) ?? [] };
    if (entry.kind !== 'step' || !areSeveral) return entry;
    kept.set(entry.host, [...(kept.get(entry.host) ?? []), entry]);
    return undefined;
  };
}

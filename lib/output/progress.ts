/** The work in progress as one short line; with several hosts, steps are buffered until a host fails. */
import type { Entry, Step } from './entry.ts';
import { stepTitle } from './steps.ts';

/** Work that takes less time is not shown. */
const AFTER_MS = 500;

interface Watch {
  readonly update: (entry: Entry) => void;
  /** The current line; undefined if there is nothing to show. */
  readonly line: () => string | undefined;
}

/** Tracks the work in progress from the entries of the report. `clock` returns milliseconds. */
export function createProgress(clock = () => performance.now()): Watch {
  const watches = [watchChecks(clock), watchHosts(clock)];
  return {
    update: (entry) => {
      for (const watch of watches) watch.update(entry);
    },
    line: () => watches.map((watch) => watch.line()).find((line) => line !== undefined),
  };
}

interface ActiveStep {
  readonly name: string;
  readonly since: number;
}

function watchHosts(clock: () => number): Watch {
  let all: readonly string[] = [];
  let since = 0;
  const left = new Set<string>();
  const active = new Map<string, ActiveStep>();
  const update = (entry: Entry) => {
    if (entry.kind === 'hosts') {
      [all, since] = [entry.hosts, clock()];
      for (const host of all) left.add(host);
    }
    if (entry.kind === 'begin') active.set(entry.host, { name: entry.name, since: clock() });
    if (entry.kind === 'step' || entry.kind === 'over') active.delete(entry.host);
    if (entry.kind === 'over') left.delete(entry.host);
  };
  const line = () => {
    const [slowest] = [...active].sort(([, a], [, b]) => a.since - b.since);
    if (all.length < 2) return slowest && ofOne(slowest[1], clock());
    if (left.size === 0 || clock() - since < AFTER_MS) return undefined;
    const counted = `${all.length - left.size} of ${all.length} proxies`;
    return slowest ? `${counted}; slowest: ${ofSeveral(slowest, clock())}` : counted;
  };
  return { update, line };
}

const ofOne = ({ name, since }: ActiveStep, now: number): string | undefined =>
  now - since < AFTER_MS ? undefined : `${stepTitle(name)} ${seconds(now - since).padStart(8)}`;

const ofSeveral = ([host, { name, since }]: readonly [string, ActiveStep], now: number): string =>
  `${host} ${name} ${seconds(now - since)}`;

const seconds = (milliseconds: number): string => `${Math.floor(milliseconds / 1000)} s`;

function watchChecks(clock: () => number): Watch {
  let started = 0;
  let since = 0;
  const running = new Set<string>();
  const update = (entry: Entry) => {
    if (entry.kind === 'asking') {
      if (running.size === 0) [started, since] = [0, clock()];
      started += 1;
      running.add(entry.check);
    }
    if (entry.kind === 'answered') running.delete(entry.check);
    // A check that timed out may never finish.
    if (entry.kind === 'check') running.delete(entry.result.name);
  };
  const line = () =>
    running.size > 0 && clock() - since >= AFTER_MS
      ? `${started - running.size} of ${started} checks; running: ${[...running].join(', ')}`
      : undefined;
  return { update, line };
}

/** Passes entries on; with several hosts, buffers their steps and adds them to the failure of the host. */
export function bufferSteps(): (entry: Entry) => Entry | undefined {
  const buffered = new Map<string, readonly Step[]>();
  let hasSeveralHosts = false;
  return (entry) => {
    if (entry.kind === 'hosts') hasSeveralHosts = entry.hosts.length > 1;
    if (entry.kind === 'failure') return { ...entry, steps: buffered.get(entry.host) ?? [] };
    if (entry.kind !== 'step' || !hasSeveralHosts) return entry;
    buffered.set(entry.host, [...(buffered.get(entry.host) ?? []), entry]);
    return undefined;
  };
}

/** One run of a program: its id, its time, and who started it. */
import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { isoTime } from './when.ts';

/** Passed to every program. Times are from this machine, since a proxy's clock may be years off. */
export interface Run {
  /** Time and random digits: unique and sortable. `20261122T174035Z-3fa9c1` */
  readonly id: string;
  /** `2026-11-22T17:40:35Z` */
  readonly now: string;
  /** Who started it: `alice@laptop`. */
  readonly who: string;
}

/** The time, to the second: `2026-11-22T17:40:35Z` */
export const timeNow = (): string => isoTime(new Date());

/** A new run: its id sorts by time and is unique. */
export function newRun(): Run {
  const time = timeNow();
  const who = `${userName()}@${hostname()}`.replace(/[^A-Za-z0-9@._-]/g, '_').slice(0, 100);
  return { id: `${time.replace(/[-:]/g, '')}-${randomBytes(3).toString('hex')}`, now: time, who };
}

/** In a container, the user may have no entry in /etc/passwd. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.()}`;
  }
}

/** The text of a program, and the id at the start of its records. */
export interface Program {
  readonly id: string;
  readonly text: string;
}

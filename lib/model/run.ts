/** One run of a program: its id, its time, and who runs it. */
import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';

/** What every program is told. Times are the operator's: a proxy's clock may be years off. */
export interface Run {
  /** Time and chance: unique, and in order. `20261122T174035Z-3fa9c1` */
  readonly id: string;
  /** `2026-11-22T17:40:35Z` */
  readonly now: string;
  /** Who runs it: `alice@laptop`. */
  readonly who: string;
}

/** A new run: its id sorts by time and is unique. */
export function newRun(now = new Date()): Run {
  const time = `${now.toISOString().slice(0, 19)}Z`;
  const who = `${userName()}@${hostname()}`.replace(/[^A-Za-z0-9@._-]/g, '_').slice(0, 100);
  return { id: `${time.replace(/[-:]/g, '')}-${randomBytes(3).toString('hex')}`, now: time, who };
}

/** A container may run us as a user without a line in passwd. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.()}`;
  }
}

/** The text of a program, and the id that leads its records. */
export interface Program {
  readonly id: string;
  readonly text: string;
}

/** How a change goes over several proxies: how many at once, and whether one goes first. */

import type { Flags } from '../cli/flags.ts';
import { UsageError } from '../util/errors.ts';

export interface Pace {
  /** How many proxies at once; undefined: all. */
  readonly atOnce?: number;
  /** The first proxy alone first; unless all is well there, the others are left alone. */
  readonly canary: boolean;
}

const MOST = 100;

/** @throws UsageError for a number that none can be */
export function paceOf({ parallel, canary }: Pick<Flags, 'parallel' | 'canary'>): Pace {
  if (parallel === undefined) return { canary };
  const atOnce = /^[1-9]\d{0,2}$/.test(parallel) ? Number(parallel) : MOST + 1;
  if (atOnce > MOST) throw new UsageError([`--parallel: must be a number from 1 to ${MOST}`]);
  return { atOnce, canary };
}

/** Limits how many requests of a run are under way at once: a page that names 20,000 scripts must not open 20,000 connections. */
import type { CheckTarget, Slots } from '../../model/check.ts';

/**
 * More could be too many for a load balancer, a tunnel or the open files of this process. With connections that are
 * still closing there are at most 16.
 */
const AT_ONCE = 12;

/** Runs work as soon as fewer others are running, in the order of the calls. */
export class RequestSlots implements Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(atOnce = AT_ONCE) {
    this.#free = atOnce;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}

/** Makes a request of a check when it has its turn. */
export const inTurn = <T>({ slots }: CheckTarget, work: () => Promise<T>): Promise<T> =>
  slots ? slots.run(work) : work();

/** Limits a run's concurrent requests: a page that references 20,000 scripts must not open 20,000 connections. */
import type { CheckTarget, Slots } from '../../model/check.ts';

/** More could be too many for a load balancer, a tunnel or this process's open files. */
const AT_ONCE = 14;

/** One check's use of the slots. */
interface Share {
  running: number;
}

/** Runs requests as slots become free: next is the check with the fewest running requests, then the first one. */
export class RequestSlots {
  #free = AT_ONCE;
  readonly #waiting: { readonly share: Share; readonly start: () => void }[] = [];

  /** The slots of one check, so that requests that wait for each other do not also wait for another check's. */
  share(): Slots {
    const share: Share = { running: 0 };
    return { run: (work) => this.#run(share, work) };
  }

  async #run<T>(share: Share, work: () => Promise<T>): Promise<T> {
    await new Promise<void>((start) => {
      this.#waiting.push({ share, start });
      this.#startNext();
    });
    try {
      return await work();
    } finally {
      share.running -= 1;
      this.#free += 1;
      this.#startNext();
    }
  }

  #startNext(): void {
    if (this.#free === 0) return;
    const fewest = Math.min(...this.#waiting.map(({ share }) => share.running));
    const index = this.#waiting.findIndex(({ share }) => share.running === fewest);
    const [next] = index === -1 ? [] : this.#waiting.splice(index, 1);
    if (!next) return;
    this.#free -= 1;
    next.share.running += 1;
    next.start();
  }
}

/** Makes a check's request when a slot is free. */
export const inTurn = <T>({ slots }: CheckTarget, work: () => Promise<T>): Promise<T> =>
  slots ? slots.run(work) : work();

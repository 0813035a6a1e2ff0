/** Limits how many requests of a run are under way at once: a page that names 20,000 scripts must not open 20,000 connections. */
import type { CheckTarget, Slots } from '../../model/check.ts';

/** More could be too many for a load balancer, a tunnel or the open files of this process. */
const AT_ONCE = 14;

/** What one check has of the slots. */
interface Share {
  running: number;
}

/** Runs work as soon as fewer others are running. Whose turn it is: that of the check with the fewest, then of the first. */
export class RequestSlots {
  #free = AT_ONCE;
  readonly #waiting: { readonly share: Share; readonly start: () => void }[] = [];

  /** The slots for one check: requests that wait for each other do not also wait for all those of another check. */
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

/** Makes a request of a check when it has its turn. */
export const inTurn = <T>({ slots }: CheckTarget, work: () => Promise<T>): Promise<T> =>
  slots ? slots.run(work) : work();

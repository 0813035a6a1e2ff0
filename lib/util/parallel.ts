/** Concurrency: a limited number at once, memoized lookups, and exclusive runs. */

/**
 * Does `work` on every item, at most `atOnce` at a time; results are in the order of the items.
 * An error does not stop the others: it is thrown after all have finished.
 */
export async function inParallel<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const settled: PromiseSettledResult<R>[] = [];
  const waiting = items.entries();
  const worker = async () => {
    for (const [index, item] of waiting)
      [settled[index]] = (await Promise.allSettled([work(item)])) as [PromiseSettledResult<R>];
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

/** Memoizes `ask`, including calls in progress. */
export function remembering<Q extends readonly unknown[], A>(
  ask: (...question: Q) => Promise<A>,
): (...question: Q) => Promise<A> {
  const answers = new Map<string, Promise<A>>();
  return (...question) => {
    const name = JSON.stringify(question);
    const answer = answers.get(name) ?? ask(...question);
    answers.set(name, answer);
    return answer;
  };
}

export interface Crowd {
  /** Runs it concurrently with everything else. */
  readonly among: <T>(work: () => Promise<T>) => Promise<T>;
  /** Runs it when nothing else is running. */
  readonly alone: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Runs most work concurrently, and some of it exclusively. */
export function newCrowd(): Crowd {
  const busy = new Set<Promise<unknown>>();
  let turn: Promise<unknown> = Promise.resolve();
  const among: Crowd['among'] = async (work) => {
    const doing = work();
    busy.add(doing);
    return doing.finally(() => busy.delete(doing));
  };
  const alone: Crowd['alone'] = (work) => {
    const mine = turn.then(async () => {
      while (busy.size > 0) await Promise.allSettled(busy);
      return work();
    });
    turn = mine.catch(() => {});
    return mine;
  };
  return { among, alone };
}

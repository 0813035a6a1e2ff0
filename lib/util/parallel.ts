/** Concurrency: a limited number of tasks at once, and memoized lookups. */

/**
 * Runs `work` for every item, at most `atOnce` at a time; results are in the order of the items. Throws the first error
 * after all have finished.
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

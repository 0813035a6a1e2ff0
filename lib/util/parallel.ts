/** Many things at once, but not too many. */

/**
 * Does `work` on every item, at most `atOnce` at a time; the results come in the order of the items.
 * One that throws stops no other: its error is thrown once all have ended.
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

/** The same question is asked once, whoever asks it meanwhile or later. */
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

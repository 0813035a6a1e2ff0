/** Limited concurrency, and the strategy of a rollout. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { strategyOf } from '../../../lib/remote/rollout.ts';
import { UsageError } from '../../../lib/util/errors.ts';
import { inParallel, remembering } from '../../../lib/util/parallel.ts';

describe('inParallel', () => {
  test('respects the limit and keeps the order of the items', async () => {
    let now = 0;
    let maxRunning = 0;
    const results = await inParallel([5, 1, 4, 2, 3], 2, async (item) => {
      now += 1;
      maxRunning = Math.max(maxRunning, now);
      await sleep(item);
      now -= 1;
      return item * 10;
    });
    assert.deepEqual([results, maxRunning], [[50, 10, 40, 20, 30], 2]);
  });

  test('throws only after all have finished', async () => {
    const ended: number[] = [];
    const work = async (item: number) => {
      if (item === 1) throw new Error('one');
      await sleep(item);
      ended.push(item);
    };
    await assert.rejects(inParallel([1, 2, 3], 1, work), /one/);
    assert.deepEqual(ended, [2, 3]);
  });

  test('does nothing for an empty list', async () => {
    assert.deepEqual(await inParallel([], 4, async () => 1), []);
  });
});

test('remembering calls the function once for equal arguments', async () => {
  let calls = 0;
  const ask = remembering(async (question: { a: number }) => {
    calls += 1;
    return question.a;
  });
  assert.deepEqual(await Promise.all([ask({ a: 1 }), ask({ a: 1 }), ask({ a: 2 })]), [1, 1, 2]);
  assert.equal(calls, 2);
});

describe('strategyOf', () => {
  test('accepts 1 to 100, and no value for all at once', () => {
    assert.deepEqual(strategyOf({ parallel: undefined, canary: false }), { canary: false });
    assert.deepEqual(strategyOf({ parallel: '1', canary: true }), { atOnce: 1, canary: true });
    assert.deepEqual(strategyOf({ parallel: '100', canary: false }), { atOnce: 100, canary: false });
  });

  for (const parallel of ['0', '101', '-1', '1.5', '2e1', ' 3', '03', '٤', '', 'all'])
    test(`refuses ${JSON.stringify(parallel)}`, () => {
      assert.throws(() => strategyOf({ parallel, canary: false }), UsageError);
    });
});

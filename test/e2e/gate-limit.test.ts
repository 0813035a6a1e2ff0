/** Failed attempts are slowed per address; whoever has a right bearer never is. */
import '../lab/enter.ts';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, ask, bearer } from '../lab/ask.ts';
import { FULL, INFERENCE, seenByOllama, startGate, stopGate } from '../lab/gate.ts';

const ATTACKER = '127.0.0.66';

before(startGate);
after(stopGate);

const guess = (from = ATTACKER): Promise<Answer> => {
  return ask('/ollama/api/tags', { headers: bearer('wrong-wrong-wrong-wrong'), from });
};

async function guesses(count: number): Promise<Answer[]> {
  return Promise.all(Array.from({ length: count }, () => guess()));
}

const count = (answers: readonly Answer[], status: number) =>
  answers.filter((a) => a.status === status).length;

test('answers the first 100 failures at once, and slows the rest down', async () => {
  const started = performance.now();
  const answers = await guesses(150);
  const seconds = (performance.now() - started) / 1000;
  assert.ok(
    count(answers, 401) >= 100 && count(answers, 401) <= 101 + seconds,
    `${count(answers, 401)} × 401`,
  );
  assert.equal(count(answers, 401) + count(answers, 429), 150);
  assert.ok(seconds < 5, 'none of them waits');
});

test('says 429 with Retry-After and an OpenAI-shaped error', async () => {
  const answer = (await guesses(3)).find(({ status }) => status === 429);
  assert.equal(answer?.headers['retry-after'], '1');
  assert.equal(answer?.headers['content-type'], 'application/json');
  assert.equal(answer?.headers['strict-transport-security'], 'max-age=63072000');
  const { error } = JSON.parse(answer?.body ?? '') as { error: { code: string } };
  assert.equal(error.code, 'too_many_failed_attempts');
});

test('never slows a right bearer down, not even from the same address', async () => {
  const right = [FULL, INFERENCE].flatMap((token) => Array.from({ length: 150 }, () => token));
  const asked = right.map((token) => ask('/ollama/api/tags', { headers: bearer(token), from: ATTACKER }));
  assert.equal(count(await Promise.all(asked), 200), 300);
});

test('does not slow another address down, nor AnythingLLM', async () => {
  assert.equal((await guess('127.0.0.67')).status, 401);
  assert.equal((await ask('/api/ping', { from: ATTACKER })).status, 200);
});

test('lets one failure a second through afterwards', async () => {
  await guesses(5);
  await sleep(2100);
  const later = await guesses(20);
  assert.ok([2, 3].includes(count(later, 401)), `${count(later, 401)} × 401`);
});

test('does not count what a right bearer may not do', async () => {
  const from = '127.0.0.68';
  const question = { method: 'DELETE', headers: bearer(INFERENCE), from };
  for (let at = 0; at < 120; at += 1) assert.equal((await ask('/ollama/api/delete', question)).status, 403);
  assert.equal((await guess(from)).status, 401);
});

test('let no guess through to Ollama', () => {
  assert.equal(seenByOllama().length, 300);
});

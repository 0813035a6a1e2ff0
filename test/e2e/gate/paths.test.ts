/** No encoding of a path reaches Ollama without a token. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { seen, seenByOllama, startGate, stopGate } from './gate-nginx.ts';
import { lines, rawToBothPorts, sendAll } from './requests.ts';
import { randomPaths, spellings } from './spellings.ts';

const seed = Number(process.env.FC_SEED ?? Date.now() % 1e9);

before(startGate);
after(stopGate);
beforeEach(() => void seen());

for (const path of spellings) {
  test(`keeps ${JSON.stringify(path)} from Ollama`, async () => {
    const got = await rawToBothPorts(lines(`GET ${path} HTTP/1.1`));
    assert.doesNotMatch(got, /tiny:latest/);
    assert.deepEqual(seenByOllama(), []);
  });
}

test(`keeps 3000 random paths from Ollama (seed ${seed})`, { timeout: 120_000 }, async () => {
  await sendAll([...randomPaths(2000, seed), ...randomPaths(1000, seed, '/ollama')]);
  const all = seen();
  assert.deepEqual(
    all.filter(({ service }) => service === 'ollama'),
    [],
  );
  assert.ok(all.length > 200, `some of them reach AnythingLLM: ${all.length}`);
});

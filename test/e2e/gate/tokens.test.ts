/**
 * Tokens are matched exactly, even if their characters are special in a regex or in nginx: thousands of random ones.
 */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { judgeTokenForm } from '../../../lib/model/bearer.ts';
import {
  reload,
  seen,
  seenByOllama,
  startGate,
  stopGate,
  testConfiguration,
  writeClient,
} from './gate-nginx.ts';
import { ask, freshAddress } from './requests.ts';

const seed = Number(process.env.FC_SEED ?? Date.now() % 1e9);
const visible = Array.from({ length: 94 }, (_, at) => String.fromCharCode(33 + at));
const allowed = visible.filter((character) => !`"'\\`.includes(character));
const special = [...'$^.*+?()[]{}|/#~%;,<>=&:!@-_`'];
const unit = fc.oneof(fc.constantFrom(...allowed), fc.constantFrom(...special));
const token = fc.string({ unit, minLength: 16, maxLength: 40 });
const long = fc.string({ unit, minLength: 500, maxLength: 512 });

/** Tokens that a careless gate would mishandle. */
const traps = [
  '$host$uri$remote_addr',
  '{$host}{$host}{$host}',
  '................',
  '.*.*.*.*.*.*.*.*',
  '(?i)abcdefghijklmnop',
  '[a-z]{16}[A-Z]{16}',
  'abcdefghijklmnop|.*',
  '^abcdefghijklmnop$',
  '~^abcdefghijklmnop',
  'default;default;default;',
  'include/etc/passwd;;',
  '#comment#comment#comment',
  '%41%42%43%44%45%46',
  '(?#comment)(?=x)(?!y)',
  'ab+cd?ef*gh{2}(ij)',
  ';full:default;}http{',
];

const sample = [
  ...new Set([
    ...traps,
    ...fc.sample(token, { numRuns: 200, seed }),
    ...fc.sample(long, { numRuns: 20, seed }),
  ]),
];
const good = sample.filter((value) => judgeTokenForm(value) === undefined);

const flip = (c: string) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase());

/** Values that differ from the token as little as possible. */
function nearMisses(value: string, at: number): string[] {
  const [head, character, tail] = [value.slice(0, at), value[at] ?? '', value.slice(at + 1)];
  return [
    head + flip(character) + tail,
    head + tail,
    head + character + character + tail,
    `${head}x${tail}`,
    `${head}.${tail}`,
    `${head}\\${character}${tail}`,
    `${head} ${character}${tail}`,
    encodeURIComponent(value),
    [...value].reverse().join(''),
    value.toUpperCase(),
    value.toLowerCase(),
    `${value}\\z`,
  ];
}

async function statusOf(value: string, from?: string): Promise<number> {
  const headers = { authorization: `Bearer ${value}` };
  return (await ask('/ollama/api/version', { headers, ...(from && { from }) })).status;
}

before(async () => {
  await startGate();
  writeClient('random', 'full', good);
  await reload();
});
after(stopGate);

test(`nginx accepts a file of ${good.length} tokens, and only warns about its hash (seed ${seed})`, () => {
  assert.ok(good.length > 200);
  const { status, stderr } = testConfiguration();
  assert.equal(status, 0, stderr);
  assert.doesNotMatch(stderr.replace(/^.*could not build optimal map_hash.*$/gm, ''), /\[\w+\]/);
});

test('accepts every one of them', async () => {
  for (const value of good) assert.equal(await statusOf(value), 200, value);
});

test('accepts no near miss of any of them', { timeout: 120_000 }, async () => {
  const known = new Set(good);
  seen();
  let attemptCount = 0;
  for (const [index, value] of good.entries()) {
    const from = freshAddress();
    for (const miss of nearMisses(value, (index * 7) % value.length)) {
      // A trailing blank is not part of a header's value.
      if (known.has(miss.trim())) continue;
      assert.equal(await statusOf(miss, from), 401, JSON.stringify({ value, miss }));
      attemptCount += 1;
    }
  }
  assert.ok(attemptCount > 2000, `${attemptCount} near misses`);
  assert.deepEqual(seenByOllama(), []);
});

test('accepts no random value', { timeout: 120_000 }, async () => {
  const known = new Set(good);
  const values = fc.sample(token, { numRuns: 1500, seed: seed + 1 }).filter((value) => !known.has(value));
  const from = Array.from({ length: values.length / 50 + 1 }, freshAddress);
  for (const [index, value] of values.entries()) {
    assert.equal(await statusOf(value, from[Math.floor(index / 50)]), 401, value);
  }
  assert.deepEqual(seenByOllama(), []);
});

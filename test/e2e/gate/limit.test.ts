/**
 * Failed attempts are rate-limited per address; requests with a valid token are not, except by their client's own
 * limit.
 */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  FULL,
  INFERENCE,
  reload,
  seenByOllama,
  startGate,
  stopGate,
  writeClient,
  writeVhost,
} from './gate-nginx.ts';
import { ask, bearer, type GateResponse } from './requests.ts';

const ATTACKER = '127.0.0.66';

before(startGate);
after(stopGate);

const guess = (from = ATTACKER, port = 443): Promise<GateResponse> => {
  return ask('/ollama/api/tags', { headers: bearer('wrong-wrong-wrong-wrong'), from, port });
};

async function guesses(count: number): Promise<GateResponse[]> {
  return Promise.all(Array.from({ length: count }, () => guess()));
}

const count = (responses: readonly GateResponse[], status: number) =>
  responses.filter((a) => a.status === status).length;

test('answers the first 100 failures at once and delays the rest', async () => {
  const started = performance.now();
  const responses = await guesses(150);
  const seconds = (performance.now() - started) / 1000;
  assert.ok(
    count(responses, 401) >= 100 && count(responses, 401) <= 101 + seconds,
    `${count(responses, 401)} × 401`,
  );
  assert.equal(count(responses, 401) + count(responses, 429), 150);
  assert.ok(seconds < 5, 'none is delayed');
});

test('answers 429 with Retry-After', async () => {
  const response = (await guesses(3)).find(({ status }) => status === 429);
  assert.equal(response?.headers['retry-after'], '1');
  assert.equal(response?.headers['content-type'], 'application/json');
  assert.equal(response?.headers['strict-transport-security'], 'max-age=63072000');
});

test('never delays a valid token, not even from the same address', async () => {
  const valid = [FULL, INFERENCE].flatMap((token) => Array.from({ length: 150 }, () => token));
  const pending = valid.map((token) => ask('/ollama/api/tags', { headers: bearer(token), from: ATTACKER }));
  assert.equal(count(await Promise.all(pending), 200), 300);
});

test('does not delay another address, nor AnythingLLM', async () => {
  assert.equal((await guess('127.0.0.67')).status, 401);
  assert.equal((await ask('/api/ping', { from: ATTACKER })).status, 200);
});

test('admits one failure per second afterwards', async () => {
  await guesses(5);
  await sleep(2100);
  const later = await guesses(20);
  assert.ok([2, 3].includes(count(later, 401)), `${count(later, 401)} × 401`);
});

test('does not count forbidden requests with a valid token', async () => {
  const from = '127.0.0.68';
  const request = { method: 'DELETE', headers: bearer(INFERENCE), from };
  for (let at = 0; at < 120; at += 1) assert.equal((await ask('/ollama/api/delete', request)).status, 403);
  assert.equal((await guess(from)).status, 401);
});

test('forwards no guessed token to Ollama', () => {
  assert.equal(seenByOllama().length, 300);
});

/** Guesses tokens from each address in turn, until the first 429; returns their number. */
async function guessesUntilSlowed(from: (n: number) => string, port = 443): Promise<number> {
  for (let at = 0; at < 300; at += 10) {
    const some = await Promise.all(Array.from({ length: 10 }, (_, n) => guess(from(at + n), port)));
    if (count(some, 429) > 0) return at;
  }
  return 300;
}

const added = new Set<string>();

/** Adds an IPv6 address to this machine. */
function address6(address: string): string {
  if (!added.has(address))
    execFileSync('ip', ['-6', 'address', 'add', `${address}/128`, 'dev', 'lo', 'nodad']);
  added.add(address);
  return address;
}

test('counts IPv6 addresses of one /64 as one', async () => {
  const slowed = await guessesUntilSlowed((n) => address6(`2001:db8:0:1:${n + 1}::1`));
  assert.ok(slowed >= 90 && slowed < 150, `after ${slowed}`);
  const others = Array.from({ length: 10 }, (_, n) => guess(address6(`2001:db8:0:1:ffff::${n + 1}`)));
  assert.ok(count(await Promise.all(others), 429) > 0);
  const right = { headers: bearer(FULL), from: address6('2001:db8:0:1:1::1') };
  assert.equal((await ask('/ollama/api/tags', right)).status, 200);
  assert.equal(seenByOllama().length, 1);
});

test('counts each /64 separately', async () => {
  const slowed = await guessesUntilSlowed((n) => address6(`2001:db8:0:${(n + 2).toString(16)}::1`));
  assert.equal(slowed, 300);
});

test('counts IPv4 addresses separately even if one socket serves both', async () => {
  writeVhost(undefined, (text) =>
    text.replace(/^( *)listen 443 .*$/m, '$&\n$1listen [::]:8443 ssl ipv6only=off;'),
  );
  await reload();
  assert.equal(await guessesUntilSlowed((n) => `127.9.0.${n % 250}`, 8443), 300);
  const slowed = await guessesUntilSlowed(() => '127.10.0.1', 8443);
  assert.ok(slowed >= 90 && slowed < 150, `after ${slowed}`);
});

const LIMITED = 'a-limited-client-0123456789';
const limited = (path = '/ollama/api/tags', from = '127.0.0.70', method = 'GET') =>
  ask(path, { headers: bearer(LIMITED), from, method });

async function limitTo(requests: number): Promise<void> {
  writeClient('limited', 'inference', [LIMITED], { limit: requests });
  await reload();
}

test('a limited client gets its requests at once, then 429 with Retry-After', async () => {
  await limitTo(10);
  for (let at = 0; at < 20; at += 1) assert.equal((await limited('/ollama/api/delete')).status, 403);
  const responses = await Promise.all(Array.from({ length: 14 }, () => limited()));
  assert.deepEqual([count(responses, 200), count(responses, 429)], [10, 4]);
  const over = await limited('/ollama/v1/chat/completions', '127.0.0.71', 'POST');
  assert.equal(over.status, 429, 'from any address, on any path');
  assert.equal(over.headers['retry-after'], '6');
  assert.equal(over.headers['content-type'], 'application/json');
  assert.equal(over.headers['strict-transport-security'], 'max-age=63072000');
  const { error } = JSON.parse(over.body) as { error: { code: string; type: string } };
  assert.deepEqual([error.type, error.code], ['rate_limit_error', 'rate_limit_exceeded']);
  assert.equal(seenByOllama().length, 10);
});

test('does not limit other clients', async () => {
  const from = '127.0.0.70';
  assert.equal((await ask('/ollama/api/tags', { headers: bearer(INFERENCE), from })).status, 200);
  assert.equal((await guess(from)).status, 401);
});

test('a client with 60 requests per minute gets one more after a second', async () => {
  await limitTo(60);
  const responses = await Promise.all(Array.from({ length: 70 }, () => limited()));
  assert.ok(count(responses, 200) >= 60 && count(responses, 200) <= 62, `${count(responses, 200)} × 200`);
  await sleep(1100);
  assert.equal((await limited()).status, 200);
  const over = (await Promise.all([limited(), limited(), limited()])).find(({ status }) => status === 429);
  assert.equal(over?.headers['retry-after'], '1');
});

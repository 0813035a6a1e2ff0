/** A client of scope `inference` stays within it, in every encoding of a path; `full` reaches everything. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { FULL, INFERENCE, seen, seenByOllama, startGate, stopGate } from './gate-nginx.ts';
import { ask, bearer, lines, raw, sendAll, statuses } from './requests.ts';
import { randomPaths } from './spellings.ts';

const seed = Number(process.env.FC_SEED ?? Date.now() % 1e9);

before(startGate);
after(stopGate);
beforeEach(() => void seen());

const INFERS = /^\/(?:|v1\/[^\0]*|api\/(?:chat|generate|embed|embeddings|tags|show|ps|version))$/s;

/** The path as Ollama's router sees it: without its query, decoded once, dots and double slashes resolved. */
function routed(url: string): string {
  const decoded = decodeURIComponent(url.replace(/[?#].*/s, '').replace(/%(?:c0|af)/gi, 'x'));
  return new URL(`http://x${decoded.replace(/[\\?#%\n\r\t]/g, 'x').replace(/\/+/g, '/')}`).pathname;
}

test(`keeps an inference client in its scope on every path (seed ${seed})`, {
  timeout: 120_000,
}, async () => {
  const paths = [
    '/ollama',
    '/ollama/v1',
    '/ollama/api',
    '/ollama/api/tags',
    '/ollama/api/chat',
    '/ollama/v1/..',
  ];
  await sendAll(
    paths.flatMap((prefix) => randomPaths(400, seed, prefix)),
    `Authorization: Bearer ${INFERENCE}`,
  );
  const reached = seenByOllama();
  assert.ok(reached.length > 20, `some of them are in scope: ${reached.length}`);
  for (const { url } of reached) assert.match(routed(url), INFERS, url);
});

const inScope = [
  '/v1/models',
  '/v1/anything/new',
  '/api/tags',
  '/api/ps',
  '/api/version',
  '//api/tags',
  '/x/../api/tags',
  '/%61pi/tags',
  '/api%2ftags',
  '/api/tags?name=/api/delete',
];
for (const path of inScope) {
  test(`allows an inference client ${path}`, async () => {
    const got = await raw(lines(`GET /ollama${path} HTTP/1.1`, `Authorization: Bearer ${INFERENCE}`));
    assert.notEqual(statuses(got)[0], 403);
    assert.equal(seenByOllama().length, 1);
  });
}

const outOfScope = [
  '',
  '/',
  '/v1',
  '/api',
  '/api/',
  '/api/pull',
  '/api/push',
  '/api/create',
  '/api/copy',
  '/api/delete',
  '/api/blobs/sha256:0',
  '/api/tags/',
  '/api/tags%0a',
  '/api/tags%20',
  '/api/tagsx',
  '/API/tags',
  '/V1/models',
  '/v1%20/models',
  '/xv1/models',
  '/api/tags/../delete',
  '/v1/../api/delete',
  '/v1/%2e%2e/api/delete',
  '/v1/..%2fapi/delete',
  '/v1//../api/delete',
  '/./api/delete',
  '/api/tags;/../delete',
  '/api/chat/../pull',
  '/api/me',
  '/x.js',
];
for (const path of outOfScope) {
  test(`answers 403 to an inference client at ${path || 'nothing'}`, async () => {
    const got = await raw(
      lines(`DELETE /ollama${path || '/'} HTTP/1.1`, `Authorization: Bearer ${INFERENCE}`),
    );
    assert.deepEqual(statuses(got), [403]);
    assert.match(got, /Content-Type: application\/json\r\n/);
    assert.match(got, /Strict-Transport-Security: max-age=63072000/);
    assert.match(got, /This token is for inference only/);
    assert.deepEqual(seen(), []);
  });
}

test('allows an inference client to query whether Ollama is running', async () => {
  for (const method of ['GET', 'HEAD']) {
    const { status } = await ask('/ollama/', { method, headers: bearer(INFERENCE) });
    assert.equal(status, 200);
  }
  assert.equal((await ask('/ollama/', { method: 'POST', headers: bearer(INFERENCE) })).status, 403);
  assert.equal(seenByOllama().length, 2);
});

test('allows a full client all of Ollama', async () => {
  for (const path of ['/api/delete', '/api/pull', '/api/blobs/sha256:0', '/']) {
    await raw(lines(`GET /ollama${path} HTTP/1.1`, `Authorization: Bearer ${FULL}`));
    assert.equal(seenByOllama().at(-1)?.url, path);
  }
});

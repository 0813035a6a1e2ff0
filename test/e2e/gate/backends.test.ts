/**
 * Several Ollama machines behind the gate: failover, no generation twice, model changes on the first one; and Ollama
 * alone.
 */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { after, before, beforeEach, describe, test } from 'node:test';
import { withBackends } from '../../../lib/nginx/backends.ts';
import { site } from '../../../sites/ia.enso.4nkweb.com.ts';
import { droppingAddress } from '../../lab/faults/vanishing-packets.ts';
import { local } from '../../lab/namespaces/process.ts';
import {
  FULL,
  INFERENCE,
  NAME,
  reload,
  seen,
  startGate,
  stopGate,
  testConfiguration,
  writeVhost,
} from './gate-nginx.ts';
import { ask, bearer, lines, raw, statuses } from './requests.ts';

const requests = new Map<string, string[]>();
const servers: Server[] = [];

/** An Ollama that records its requests; `isDying`: it closes the connection after reading one. */
async function machine(address: string, isDying = false): Promise<void> {
  const server = createServer((request, response) => {
    requests.set(address, [...(requests.get(address) ?? []), `${request.method} ${request.url}`]);
    request.resume().on('end', () => {
      if (isDying) request.socket.destroy();
      else response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(11434, address, resolve));
  servers.push(server);
}

async function behind(backends: string, shorter = (text: string) => text): Promise<void> {
  const values = { IA_ENSO_OLLAMA_BACKENDS: backends };
  writeVhost(undefined, undefined, (text) => shorter(withBackends(text, site, values)));
  await reload();
  requests.clear();
}

const post = (path: string, token = FULL, body = '{}') =>
  ask(path, { method: 'POST', body, headers: bearer(token) });
const CHAT = '/ollama/v1/chat/completions';

before(async () => {
  await startGate();
  await machine('127.0.0.2');
  await machine('127.0.0.3');
  await machine('127.0.0.4', true);
});
after(() => {
  for (const server of servers) server.close();
  stopGate();
});
beforeEach(() => requests.clear());

describe('several Ollama machines', () => {
  test('share the requests', async () => {
    await behind('127.0.0.2,127.0.0.3');
    assert.match(testConfiguration().stderr, /test is successful/);
    for (let at = 0; at < 10; at += 1) assert.equal((await post(CHAT)).status, 200);
    assert.deepEqual([requests.get('127.0.0.2')?.length, requests.get('127.0.0.3')?.length], [5, 5]);
  });

  test('a refused connection moves to the next machine, also with a body', async () => {
    await behind('127.0.0.9,127.0.0.3');
    for (let at = 0; at < 4; at += 1) assert.equal((await post(CHAT, FULL, 'x'.repeat(100_000))).status, 200);
    assert.equal(requests.get('127.0.0.3')?.length, 4);
  });

  test('a machine that does not respond is skipped, also with a body', async () => {
    const silent = droppingAddress();
    await behind(`${silent},127.0.0.3`, (text) =>
      text.replaceAll('proxy_connect_timeout 10s', 'proxy_connect_timeout 1s'),
    );
    const start = performance.now();
    const responses = await Promise.all(
      Array.from({ length: 4 }, () => post(CHAT, FULL, 'x'.repeat(100_000))),
    );
    assert.deepEqual([...new Set(responses.map(({ status }) => status))], [200]);
    assert.equal(requests.get('127.0.0.3')?.length, 4);
    assert.ok(performance.now() - start > 900, 'none was sent to the silent one first');
  });

  test('a generation that was sent never runs twice', async () => {
    await behind('127.0.0.4,127.0.0.2');
    const responses = [await post(CHAT), await post(CHAT), await post(CHAT)];
    const [died = [], lived = []] = [requests.get('127.0.0.4'), requests.get('127.0.0.2')];
    assert.equal(died.length + lived.length, 3);
    assert.equal(responses.filter(({ status }) => status === 502).length, died.length);
    assert.ok(died.length > 0);
  });

  test('requests that change models go to the first one, with their body and scope, without their token', async () => {
    await behind('127.0.0.3,127.0.0.2');
    for (const path of [
      '/api/pull',
      '/api/delete',
      '/api/blobs/sha256:0',
      '/api/../api//pull',
      '/%61pi/copy',
    ])
      await raw(
        `${lines(`POST /ollama${path} HTTP/1.1`, `Authorization: Bearer ${FULL}`, 'Content-Length: 2')}{}`,
      );
    assert.deepEqual(requests.get('127.0.0.3'), [
      'POST /api/pull',
      'POST /api/delete',
      'POST /api/blobs/sha256:0',
      'POST /api/pull',
      'POST /api/copy',
    ]);
    assert.equal(requests.get('127.0.0.2'), undefined);
    for (const token of [INFERENCE, 'wrong-wrong-wrong-wrong']) {
      const got = await raw(lines('POST /ollama/api/pull HTTP/1.1', `Authorization: Bearer ${token}`));
      assert.deepEqual(statuses(got), [token === INFERENCE ? 403 : 401]);
    }
    assert.equal(requests.get('127.0.0.3')?.length, 5);
  });

  test('an upload of 50 MB is streamed to the first one', async () => {
    const reply = await post('/ollama/api/blobs/sha256:1', FULL, 'x'.repeat(50_000_000));
    assert.equal(reply.status, 200);
  });
});

test('no log contains query strings, not even while a backend is down', async () => {
  await behind('127.0.0.9');
  assert.equal((await post(`${CHAT}?token=hidden-words-in-a-url`)).status, 502);
  const logs = readdirSync('/var/log/nginx').map((name) => readFileSync(`/var/log/nginx/${name}`, 'utf8'));
  assert.match(logs.join(''), /\/ollama\/v1\/chat\/completions/);
  assert.doesNotMatch(logs.join(''), /hidden-words/);
});

test('Ollama alone returns 404 at the root, and a hint below its paths', async () => {
  writeVhost(undefined, undefined, (text) => withBackends(text, site, { IA_ENSO_ANYTHINGLLM: 'none' }));
  await reload();
  seen();
  for (const path of ['/', '/anythingllm', '/anythingllm/api/ping', '/index.js']) {
    const { status, body } = await ask(path);
    assert.deepEqual([status, body], [404, 'Not found\n'], path);
  }
  assert.equal((await ask('/v1/models')).headers['content-type'], 'application/json');
  assert.equal((await ask('/ollama/api/tags', { headers: bearer(FULL) })).status, 200);
  const { stdout } =
    await local`curl -s -o /dev/null -w ${'%{http_code}'} -H ${`Host: ${NAME}`} http://127.0.0.1/`;
  assert.equal(stdout, '301');
  assert.deepEqual(
    seen().map(({ service }) => service),
    ['ollama'],
  );
});

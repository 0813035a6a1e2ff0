/**
 * The requests that reach the two backends, and their responses: headers, streams, uploads, redirects, WebSockets,
 * logs.
 */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { connect, constants } from 'node:http2';
import { request } from 'node:https';
import { Readable } from 'node:stream';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { ACCESS_LOG, aborted, FULL, NAME, seen, startGate, stopGate } from './gate-nginx.ts';
import { ask, bearer, freshAddress, type GateRequest, target } from './requests.ts';

before(startGate);
after(stopGate);
beforeEach(() => void seen());

interface Echo {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  bytes: number;
}

const claims = {
  'x-forwarded-for': '10.9.8.7',
  'x-real-ip': '10.9.8.7',
  'x-forwarded-proto': 'gopher',
  'x-forwarded-host': 'evil.example',
  forwarded: 'for=10.9.8.7',
};
const secrets = { cookie: 'session=secret', 'x-api-key': FULL, 'proxy-authorization': `Bearer ${FULL}` };

async function echo(path: string, request: GateRequest = {}): Promise<Echo> {
  const headers = {
    ...bearer(FULL),
    ...claims,
    ...secrets,
    origin: 'https://cursor.example',
    ...request.headers,
  };
  const { status, body } = await ask(path, { ...request, headers });
  assert.equal(status, 200, body);
  return JSON.parse(body) as Echo;
}

function assertForwarded({ headers }: Echo): void {
  assert.equal(headers['x-forwarded-for'], '127.0.0.1');
  assert.equal(headers['x-real-ip'], '127.0.0.1');
  assert.equal(headers['x-forwarded-proto'], 'https');
  assert.equal(headers['x-forwarded-host'], NAME);
  assert.equal(headers.forwarded, undefined);
}

test('Ollama receives no secret, no Origin, and a Host that it knows', async () => {
  const forwarded = await echo('/ollama/api/echo?a=b');
  assertForwarded(forwarded);
  assert.equal(forwarded.url, '/api/echo?a=b');
  assert.equal(forwarded.headers.host, 'localhost:11434');
  for (const name of [
    'authorization',
    'cookie',
    'origin',
    'x-api-key',
    'proxy-authorization',
    'connection',
    'upgrade',
  ]) {
    assert.equal(forwarded.headers[name], undefined, name);
  }
  assert.ok(!JSON.stringify(forwarded).includes(FULL));
});

for (const path of ['/api/echo?a=b', '/anythingllm/api/echo?a=b']) {
  test(`AnythingLLM receives its own Authorization and cookies at ${path}`, async () => {
    const got = await echo(path);
    assertForwarded(got);
    assert.equal(got.url, '/api/echo?a=b');
    assert.equal(got.headers.host, NAME);
    assert.equal(got.headers.authorization, `Bearer ${FULL}`);
    assert.equal(got.headers.cookie, secrets.cookie);
    assert.equal(got.headers.connection, undefined);
  });
}

test('forwards every method and a body', async () => {
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    for (const path of ['/ollama/api/echo', '/api/echo', '/anythingllm/api/echo']) {
      const got = await echo(path, { method, body: 'x'.repeat(100_000) });
      assert.deepEqual([got.method, got.bytes], [method, 100_000]);
    }
  }
});

const chat = JSON.stringify({ model: 'tiny:latest', stream: true, messages: [] });
const streams: Record<string, GateRequest> = {
  '/ollama/v1/chat/completions': { method: 'POST', body: chat, headers: bearer(FULL) },
  '/ollama/api/chat': { method: 'POST', body: chat, headers: bearer(FULL) },
  '/api/workspace/demo/stream-chat': { method: 'POST', body: '{}' },
  '/anythingllm/api/stream': {},
};

for (const [path, question] of Object.entries(streams)) {
  test(`forwards each chunk as it arrives: ${path}`, async () => {
    // A client that accepts gzip must still get its chunks in time.
    const headers = { ...question.headers, 'accept-encoding': 'gzip' };
    const { times, headers: got } = await ask(`${path}?pieces=6&every=100`, { ...question, headers });
    assert.equal(got['content-encoding'], undefined);
    const gaps = times.slice(1).map((time, at) => time - (times[at] ?? 0));
    assert.ok(gaps.filter((gap) => gap > 60).length >= 5, `gaps: ${gaps.map(Math.round)}`);
    assert.ok((times[0] ?? 1000) < 300, `first piece after ${times[0]} ms`);
  });
}

/**
 * Seconds of silence, of a backend and of a client. The defaults are just above the first critical limits; SILENT and
 * IDLE override them.
 */
const SILENT = Number(process.env.SILENT ?? 2);
const IDLE = Number(process.env.IDLE ?? 6);

test('waits for a model that is slow to start', async () => {
  const question = { method: 'POST', body: '{"stream":false}', headers: bearer(FULL) };
  assert.equal((await ask(`/ollama/api/generate?silent=${SILENT}`, question)).status, 200);
});

test('a client whose connection was idle gets a response, not a 502', async () => {
  for (const seconds of [0, IDLE]) {
    await sleep(seconds * 1000);
    for (const path of ['/api/ping', '/ollama/api/tags'])
      assert.equal((await ask(path, { headers: bearer(FULL) })).status, 200);
  }
});

/** A body whose chunks are sent with pauses. */
async function* pieces(count: number, size: number, pause: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < count; at += 1) {
    yield Buffer.alloc(size, at);
    if (pause > 0) await sleep(pause);
  }
}

const uploads = { '/ollama/api/blobs/sha256:0': 'Ollama', '/api/v1/document/upload': 'AnythingLLM' };
for (const [path, name] of Object.entries(uploads)) {
  for (const length of [undefined, `${200 * 2 ** 20}`]) {
    test(`forwards 200 MB to ${name}, ${length ? 'of known length' : 'in chunks'}`, {
      timeout: 60_000,
    }, async () => {
      const headers = { ...bearer(FULL), ...(length && { 'content-length': length }) };
      const { status, body } = await ask(path, {
        method: 'POST',
        headers,
        body: Readable.from(pieces(200, 2 ** 20, 0)),
      });
      assert.equal(status, 200);
      assert.equal((JSON.parse(body) as { bytes: number }).bytes, 200 * 2 ** 20);
    });
  }

  test(`streams an upload to ${name} as it arrives`, async () => {
    const body = Readable.from(pieces(5, 2 ** 16, 200));
    const pending = ask(path, { method: 'POST', headers: bearer(FULL), body });
    await sleep(500);
    assert.equal(seen().length, 1);
    assert.equal((await pending).status, 200);
  });
}

for (const path of ['/anythingllm', '/anythingllm/', '//anythingllm//', '/anythingllm/?a=b']) {
  test(`redirects a browser from ${path} to the root`, async () => {
    const { status, headers } = await ask(path);
    assert.deepEqual([status, headers.location], [302, path.includes('?') ? '/?a=b' : '/']);
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['strict-transport-security'], 'max-age=63072000');
    assert.deepEqual(seen(), []);
  });
}

test('serves a page with all its assets to a browser', async () => {
  const { body } = await ask('/');
  const types = { '/index.js': /javascript/, '/index.css': /^text\/css/, '/favicon.png': /^image\/png/ };
  for (const [path, type] of Object.entries(types)) {
    assert.ok(body.includes(`"${path}"`));
    for (const prefix of ['', '/anythingllm'])
      assert.match((await ask(prefix + path)).headers['content-type'] ?? '', type);
  }
});

test('keeps the client below /ollama/ when Ollama redirects', async () => {
  const { status, headers } = await ask('/ollama/api/tags/', { headers: bearer(FULL) });
  assert.deepEqual([status, headers.location], [307, '/ollama/api/tags']);
});

test('forwards a path to AnythingLLM byte for byte', async () => {
  await ask('/api/a%2Fb%20c/d?e=%2F');
  assert.equal(seen()[0]?.url, '/api/a%2Fb%20c/d?e=%2F');
});

for (const prefix of ['', '/anythingllm']) {
  test(`proxies the agents' WebSocket at ${prefix}/api/agent-invocation/`, async () => {
    const { ca, servername } = target();
    const url = `wss://127.0.0.1${prefix}/api/agent-invocation/1`;
    const socket = new WebSocket(url, { ca, servername, headers: { host: NAME } } as object);
    const response = await new Promise<string>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('open', () => socket.send('hello'));
      socket.on('message', (data) => resolve(String(data)));
    });
    socket.terminate();
    assert.equal(response, 'hello');
  });
}

/** nginx's open connections to AnythingLLM. */
const connections = () =>
  execFileSync('ss', ['-Htn', 'state', 'established', 'dport = :3001'], { encoding: 'utf8' });

test('keeps connections to AnythingLLM open, and closes them before Node would do so during a request', async () => {
  await ask('/api/ping');
  await sleep(1000);
  assert.match(connections(), /:3001/);
  await sleep(3500);
  assert.equal(connections(), '');
});

/** Milliseconds until the backend noticed that the client had disconnected. */
async function timeToNotice(path: string, disconnect: () => void): Promise<number> {
  const url = path.replace('/ollama', '');
  await sleep(300);
  const start = Date.now();
  disconnect();
  for (let waited = 0; waited < 2000; waited += 10) {
    const found = aborted().find((abort) => abort.url === url);
    if (found) return found.at - start;
    await sleep(10);
  }
  return Number.POSITIVE_INFINITY;
}

test('a backend notices within 100 ms that a client disconnected during a stream', async () => {
  const path = (id: number) => `/ollama/v1/chat/completions?pieces=99&id=${id}`;
  const headers = { host: NAME, ...bearer(FULL), 'content-length': `${chat.length}` };
  const pending = request({ ...target(), agent: false, method: 'POST', path: path(1), headers });
  pending.on('error', () => {}).on('response', (response) => response.on('error', () => {}).resume());
  pending.end(chat);
  const byHttp1 = await timeToNotice(path(1), () => pending.destroy());

  const session = connect(`https://${NAME}`, { ...target(), localAddress: freshAddress() } as object);
  const stream = session.request({ ':method': 'POST', ':path': path(2), ...bearer(FULL) });
  stream.on('error', () => {}).end(chat);
  const byHttp2 = await timeToNotice(path(2), () => stream.close(constants.NGHTTP2_CANCEL));
  session.destroy();
  assert.ok(byHttp1 < 100 && byHttp2 < 100, `${byHttp1} ms, ${byHttp2} ms`);
});

test('a backend cannot control nginx through X-Accel headers, nor set its own HSTS', async () => {
  const accel = encodeURIComponent('X-Accel-Redirect:/anythingllm/api/ping');
  const hsts = encodeURIComponent('Strict-Transport-Security:max-age=1');
  for (const path of ['/ollama/api/echo', '/api/echo', '/anythingllm/api/echo']) {
    const { headers, body } = await ask(`${path}?header=${accel}&header=${hsts}`, { headers: bearer(FULL) });
    assert.ok((JSON.parse(body) as Echo).url.includes('/api/echo'));
    assert.equal(headers['x-accel-redirect'], undefined);
    assert.notEqual(headers['strict-transport-security'], 'max-age=1');
    assert.deepEqual(seen().length, 1);
  }
});

test("logs the client's name and no secret", async () => {
  const path = `/ollama/api/tags?token=${encodeURIComponent(FULL)}&key=${FULL.slice(0, 10)}`;
  await ask(path, { headers: { ...bearer(FULL), ...secrets, referer: `https://x/?t=${FULL.slice(0, 10)}` } });
  await ask(path, { headers: bearer('wrong-wrong-wrong'), from: freshAddress() });
  await sleep(100);
  const log = readFileSync(ACCESS_LOG, 'utf8');
  assert.match(log, /^127\.0\.0\.1 default \[.*\] https "GET \/ollama\/api\/tags" 200 /m);
  assert.match(log, /^127\.\S+ - \[.*\] https "GET \/ollama\/api\/tags" 401 /m);
  for (const secret of [FULL.slice(0, 10), 'wrong-wrong', 'session=', 'token='])
    assert.ok(!log.includes(secret), secret);
});

test('hides the nginx version and sends HSTS', async () => {
  for (const path of ['/', '/ollama/api/tags', '/ollama', '/anythingllm', '/%00']) {
    const { headers } = await ask(path, { from: freshAddress() });
    assert.equal(headers.server, 'nginx', path);
    if (path !== '/%00') assert.equal(headers['strict-transport-security'], 'max-age=63072000', path);
  }
});

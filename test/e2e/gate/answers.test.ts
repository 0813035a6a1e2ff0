/** Responses of the gate itself: errors in the format of the requested API, CORS, request ids, redirects. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ACCESS_LOG,
  allowOrigins,
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
import { ask, bearer, freshAddress, type GateResponse, lines, raw, statuses } from './requests.ts';

const ORIGIN = 'https://chat.example.org';
const CHAT = '/ollama/v1/chat/completions';

before(async () => {
  await startGate();
  allowOrigins([ORIGIN, 'http://localhost:3000']);
  await reload();
});
after(stopGate);
beforeEach(() => void seen());

/** The error of a response, in each API's format. */
const FORMS = {
  ollama: ({ body }: GateResponse) => {
    const { error, ...elsewhere } = JSON.parse(body);
    assert.deepEqual([typeof error, elsewhere], ['string', {}]);
    return error as string;
  },
  openai: ({ body }: GateResponse) => {
    const { error } = JSON.parse(body);
    assert.deepEqual(Object.keys(error), ['message', 'type', 'param', 'code']);
    return error.code as string;
  },
  anthropic: ({ body }: GateResponse) => {
    const { type, error } = JSON.parse(body);
    assert.deepEqual([type, Object.keys(error)], ['error', ['type', 'message']]);
    return error.type as string;
  },
};

const PATHS = {
  ollama: '/ollama/api/chat',
  openai: CHAT,
  anthropic: '/ollama/v1/messages',
} as const;

describe('an error has the format of the requested API', () => {
  const unauthorized = { ollama: /bearer/, openai: /^invalid_api_key$/, anthropic: /^authentication_error$/ };
  const forbidden = { ollama: /inference/, openai: /^insufficient_scope$/, anthropic: /^permission_error$/ };
  const unreachable = { ollama: /down/, openai: /^service_unavailable$/, anthropic: /^api_error$/ };
  const timeout = { ollama: /in time/, openai: /^timeout$/, anthropic: /^timeout_error$/ };

  for (const [api, path] of Object.entries(PATHS) as [keyof typeof PATHS, string][]) {
    test(`401 and no retry for ${path}`, async () => {
      const response = await ask(path, { method: 'POST', body: '{}', from: freshAddress() });
      assert.deepEqual([response.status, response.headers['x-should-retry']], [401, 'false']);
      assert.equal(response.headers['www-authenticate'], 'Bearer');
      assert.match(FORMS[api](response), unauthorized[api]);
    });
  }

  test('403 and no retry outside the scope', async () => {
    for (const [api, path] of [
      ['ollama', '/ollama/api/pull'],
      ['openai', '/ollama/models'],
    ] as const) {
      const response = await ask(path, { method: 'POST', body: '{}', headers: bearer(INFERENCE) });
      assert.deepEqual([response.status, response.headers['x-should-retry']], [403, 'false']);
      assert.match(FORMS[api](response), forbidden[api]);
    }
  });

  test("429 in the API's format after too many failures", async () => {
    const from = freshAddress();
    const many = Array.from({ length: 100 }, () => `GET ${PATHS.ollama} HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`);
    await raw(many.join(''), { from });
    const response = await ask(PATHS.ollama, { from });
    assert.deepEqual([response.status, response.headers['retry-after']], [429, '1']);
    assert.match(FORMS.ollama(response), /attempts/);
  });

  test('502 and 504 from nginx itself, when the backend is down or silent', async () => {
    writeVhost(undefined, (text) =>
      text
        .replace('127.0.0.1:11434;', '127.0.0.1:9;')
        .replaceAll('proxy_read_timeout 3600s', 'proxy_read_timeout 1s'),
    );
    await reload();
    for (const [api, path] of Object.entries(PATHS) as [keyof typeof PATHS, string][]) {
      const response = await ask(path, { method: 'POST', body: '{}', headers: bearer(FULL) });
      assert.deepEqual([response.status, response.headers['content-type']], [502, 'application/json']);
      assert.match(FORMS[api](response), unreachable[api]);
    }
    writeVhost(undefined, (text) => text.replaceAll('proxy_read_timeout 3600s', 'proxy_read_timeout 1s'));
    await reload();
    for (const api of ['ollama', 'openai'] as const) {
      const request = { method: 'POST', body: '{}', headers: bearer(FULL) };
      const response = await ask(`${PATHS[api]}?silent=3`, request);
      assert.equal(response.status, 504);
      assert.match(FORMS[api](response), timeout[api]);
    }
    writeVhost();
    await reload();
  });

  test("the backend's own errors are passed on unchanged", async () => {
    const { status, body } = await ask('/ollama/api/nothing', { headers: bearer(FULL) });
    assert.deepEqual([status, body], [404, '404 page not found']);
  });
});

describe('a client that drops the path of its base URL', () => {
  for (const [path, api] of [
    ['/v1/models', 'openai'],
    ['/v1', 'openai'],
    ['/v1/messages', 'anthropic'],
    ['/api/tags', 'ollama'],
    ['/api/embed', 'ollama'],
    ['/api/blobs/sha256:0', 'ollama'],
  ] as const) {
    test(`gets the base URL at ${path}, with and without a token; AnythingLLM gets nothing`, async () => {
      for (const headers of [{}, bearer(FULL)]) {
        const response = await ask(path, { headers });
        assert.deepEqual([response.status, response.headers['content-type']], [404, 'application/json']);
        FORMS[api](response);
        assert.ok(response.body.includes(`https://${NAME}/ollama`), response.body);
        assert.deepEqual(seen(), []);
      }
    });
  }

  for (const path of ['/api/embed/0/stream-chat', '/api/v1/auth', '/api/tagsx', '/api/chat/x', '/v10'])
    test(`reaches AnythingLLM at ${path}`, async () => {
      await ask(path);
      assert.deepEqual(
        seen().map(({ service, url }) => [service, url]),
        [['anythingllm', path]],
      );
    });
});

describe('a page of another origin', () => {
  const preflight = (origin: string) => ({
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    },
  });

  test('may send requests with a token if its origin is allowed', async () => {
    for (const origin of [ORIGIN, 'http://localhost:3000']) {
      const { status, headers } = await ask(CHAT, preflight(origin));
      assert.deepEqual(
        [
          status,
          headers['access-control-allow-origin'],
          headers['access-control-allow-headers'],
          headers['content-length'],
        ],
        [204, origin, 'authorization,content-type', undefined],
      );
      assert.match(String(headers['access-control-allow-methods']), /POST/);
    }
    assert.deepEqual(seen(), []);
  });

  test('reads the responses of the backend and of the gate', async () => {
    for (const token of [FULL, 'wrong-wrong-wrong-wrong']) {
      const headers = { ...bearer(token), origin: ORIGIN };
      const response = await ask(CHAT, { method: 'POST', body: '{}', headers, from: freshAddress() });
      assert.equal(response.status, token === FULL ? 200 : 401);
      assert.equal(response.headers['access-control-allow-origin'], ORIGIN);
      assert.equal(response.headers.vary, 'Origin');
      assert.match(String(response.headers['access-control-expose-headers']), /X-Request-Id/);
    }
  });

  test('gets no permission if its origin is not allowed', async () => {
    for (const origin of [
      'https://evil.example',
      `${ORIGIN}.evil.example`,
      'https://CHAT.example.org',
      'null',
    ]) {
      const response = await ask(CHAT, { ...preflight(origin), from: freshAddress() });
      assert.equal(response.status, 401);
      assert.deepEqual(
        Object.keys(response.headers).filter((name) => name.startsWith('access-control') || name === 'vary'),
        [],
      );
    }
  });

  test('does not use up failed attempts with its preflights', async () => {
    const from = freshAddress();
    const head = `OPTIONS ${CHAT} HTTP/1.1\r\nHost: ${NAME}\r\nOrigin: ${ORIGIN}\r\n\r\n`;
    const got = await raw(head.repeat(120), { from });
    assert.deepEqual(new Set(statuses(got)), new Set([204]));
    assert.equal((await ask('/ollama/api/tags', { from })).status, 401);
  });

  test('needs a token: an allowed origin alone is not enough', async () => {
    for (const method of ['GET', 'POST', 'HEAD', 'OPTIONSX'])
      assert.equal(
        (await ask(CHAT, { method, headers: { origin: ORIGIN }, from: freshAddress() })).status,
        401,
      );
    assert.deepEqual(seen(), []);
  });
});

test('a request id is in the response, at the backend and in the access log, and never chosen by the client', async () => {
  const headers = { ...bearer(FULL), 'x-request-id': 'mine' };
  const response = await ask('/ollama/api/echo', { headers });
  const id = String(response.headers['x-request-id']);
  assert.match(id, /^[0-9a-f]{32}$/);
  assert.equal(
    (JSON.parse(response.body) as { headers: Record<string, string> }).headers['x-request-id'],
    id,
  );
  await sleep(100);
  assert.match(
    readFileSync(ACCESS_LOG, 'utf8'),
    new RegExp(`/ollama/api/echo" 200 .* ${id} "127.0.0.1:11434" "200" "0\\.`),
  );
  assert.match(String((await ask(CHAT, { from: freshAddress() })).headers['x-request-id']), /^[0-9a-f]{32}$/);
});

test('a plain request is redirected; one with a body keeps its method', async () => {
  for (const [method, status] of [
    ['GET', 301],
    ['HEAD', 301],
    ['POST', 308],
    ['DELETE', 308],
    ['OPTIONS', 308],
  ] as const) {
    const got = await raw(lines(`${method} ${CHAT}?a=b HTTP/1.1`, 'Content-Length: 0'), { port: 80 });
    assert.deepEqual(statuses(got), [status]);
    assert.match(got, new RegExp(`Location: https://${NAME}${CHAT}\\?a=b\r`));
  }
});

describe('a browser below /anythingllm/', () => {
  const navigate = { 'sec-fetch-mode': 'navigate' };

  test('is redirected to the page without the prefix', async () => {
    for (const path of ['/workspace/x', '/login?nt=1&r=/%2F', '/a%20b'])
      assert.deepEqual(
        await ask(`/anythingllm${path}`, { headers: navigate }).then(({ status, headers }) => [
          status,
          headers.location,
        ]),
        [302, path],
      );
    assert.deepEqual(seen(), []);
  });

  test('is never sent to another host', async () => {
    for (const path of [
      '//evil.example',
      '/%2Fevil.example/..//evil.example',
      '/\\evil.example',
      '/a\\b',
      '///evil.example',
    ]) {
      const { headers } = await ask(`/anythingllm${path}`, { headers: navigate });
      assert.doesNotMatch(new URL(String(headers.location ?? '/'), `https://${NAME}`).host, /evil/, path);
    }
  });

  test('reaches AnythingLLM for everything else', async () => {
    for (const question of [
      {},
      { headers: { 'sec-fetch-mode': 'cors' } },
      { method: 'POST', headers: navigate },
    ]) {
      await ask('/anythingllm/api/ping', question);
      assert.equal(seen()[0]?.url, '/api/ping');
    }
  });
});

test('nginx -t passes without a warning', () => {
  assert.match(testConfiguration().stderr, /^nginx: .* syntax is ok\nnginx: .* test is successful\n$/);
});

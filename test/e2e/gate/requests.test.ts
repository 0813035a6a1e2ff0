/** No kind of request reaches Ollama without a token: old versions, upgrades, smuggling, pipelining, HTTP/2. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { connect, constants } from 'node:http2';
import { after, before, beforeEach, test } from 'node:test';
import { FULL, INFERENCE, NAME, seen, seenByOllama, startGate, stopGate } from './gate-nginx.ts';
import { freshAddress, lines, raw, rawToBothPorts, statuses, target } from './requests.ts';
import { spellings } from './spellings.ts';

before(startGate);
after(stopGate);
beforeEach(() => void seen());

const host = `Host: ${NAME}`;
const tags = 'GET /ollama/api/tags HTTP/1.1';
const valid = `Authorization: Bearer ${FULL}`;

const requests: Record<string, string> = {
  'HTTP/1.0 without Host': 'GET /ollama/api/tags HTTP/1.0\r\n\r\n',
  'HTTP/1.0 with Host': `GET /ollama/api/tags HTTP/1.0\r\n${host}\r\n\r\n`,
  'HTTP/0.9': 'GET /ollama/api/tags\r\n',
  'HTTP/2.0 by name': lines('GET /ollama/api/tags HTTP/2.0'),
  'HTTP/1.9': lines('GET /ollama/api/tags HTTP/1.9'),
  CONNECT: lines('CONNECT 127.0.0.1:11434 HTTP/1.1'),
  TRACE: lines('TRACE /ollama/api/tags HTTP/1.1'),
  'Upgrade: h2c': `${tags}\r\n${host}\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`,
  'Upgrade: websocket': `${tags}\r\n${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  'a WebSocket at AnythingLLM, then a request': `GET /api/agent-invocation/x HTTP/1.1\r\n${host}\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n${lines(tags)}`,
  'two Host lines': `${tags}\r\n${host}\r\nHost: localhost:11434\r\n\r\n`,
  'a foreign Host': `${tags}\r\nHost: localhost:11434\r\n\r\n`,
  'no Host': `${tags}\r\n\r\n`,
  'CL and TE': `POST / HTTP/1.1\r\n${host}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${lines(tags)}`,
  'two CL': `POST / HTTP/1.1\r\n${host}\r\nContent-Length: 0\r\nContent-Length: 60\r\n\r\n${lines(tags)}`,
  'TE hidden': `POST / HTTP/1.1\r\n${host}\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${lines(tags)}`,
  'TE after a tab': `POST / HTTP/1.1\r\n${host}\r\nTransfer-Encoding:\tchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${lines(tags)}`,
  'a signed CL': `POST / HTTP/1.1\r\n${host}\r\nContent-Length: +0\r\n\r\n${lines(tags)}`,
  'Proxy-Authorization': lines(tags, `Proxy-${valid}`),
  cookies: lines(tags, `Cookie: authorization=Bearer ${FULL}`),
  'X-Original-URL': lines(
    'GET /x HTTP/1.1',
    'X-Original-URL: /ollama/api/tags',
    'X-Rewrite-URL: /ollama/api/tags',
  ),
  'X-Accel-Redirect from outside': lines('GET /x HTTP/1.1', 'X-Accel-Redirect: /ollama/api/tags'),
  'a method override': lines('POST /x HTTP/1.1', 'X-HTTP-Method-Override: GET', 'Content-Length: 0'),
};

for (const [what, bytes] of Object.entries(requests)) {
  test(`keeps ${what} from Ollama`, async () => {
    const got = await rawToBothPorts(bytes);
    assert.doesNotMatch(got, /tiny:latest/);
    assert.deepEqual(seenByOllama(), []);
  });
}

const authorised = `${tags}\r\n${host}\r\n${valid}\r\n\r\n`;

test('requires a token for each pipelined request', async () => {
  const got = await raw(authorised + lines(tags) + authorised, { from: freshAddress() });
  assert.deepEqual(statuses(got), [200, 401]);
  assert.equal(seenByOllama().length, 1);
});

const post = (path: string, ...headers: string[]) =>
  `${[`POST ${path} HTTP/1.1`, host, valid, ...headers, '', ''].join('\r\n')}`;

for (const framing of [
  ['Content-Length: 5', 'Transfer-Encoding: chunked'],
  ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'],
  ['Transfer-Encoding: chunked, identity'],
  ['Transfer-Encoding: \x0bchunked'],
  ['Transfer-Encoding : chunked'],
  ['Content-Length: 5', 'Content-Length: 5'],
]) {
  test(`finds no smuggled request behind ${JSON.stringify(framing)}`, async () => {
    const hidden = `0\r\n\r\nDELETE /api/delete HTTP/1.1\r\nHost: localhost:11434\r\n\r\n`;
    await raw(post('/ollama/api/chat', ...framing) + hidden, { from: freshAddress() });
    assert.ok(!seenByOllama().some(({ method }) => method === 'DELETE'));
  });
}

type Fields = Record<string, string | string[]>;

/** One request over HTTP/2, with header fields that no HTTP/1 parser has checked. */
function sendHttp2(fields: Fields): Promise<number> {
  const session = connect(`https://${NAME}`, { ...target(), localAddress: freshAddress() } as object);
  return new Promise<number>((resolve) => {
    session.on('error', () => resolve(0));
    const stream = session.request({ ':method': 'GET', ':path': '/', ...fields });
    stream.on('response', (headers) => resolve(Number(headers[constants.HTTP2_HEADER_STATUS])));
    stream.on('error', () => resolve(0));
    stream.end();
  }).finally(() => session.destroy());
}

test('serves HTTP/2 with a token', async () => {
  assert.equal(await sendHttp2({ ':path': '/ollama/api/tags', authorization: `Bearer ${FULL}` }), 200);
  assert.equal(await sendHttp2({ ':path': '/ollama/api/delete', authorization: `bearer ${INFERENCE}` }), 403);
});

test('keeps HTTP/2 requests without a token from Ollama', async () => {
  for (const path of spellings) await sendHttp2({ ':path': path });
  assert.equal(await sendHttp2({ ':path': '/ollama/api/tags', ':authority': 'localhost:11434' }), 421);
  assert.deepEqual(seenByOllama(), []);
});

test('rejects a repeated header over HTTP/2, which Node would not send', () => {
  const header = ['-H', `authorization: Bearer ${FULL}`];
  const to = ['--resolve', `${NAME}:443:127.0.0.1`, `https://${NAME}/ollama/api/tags`];
  const options = ['-sk', '--http2', '-o', '/dev/null', '-w', '%{http_version} %{http_code}'];
  assert.equal(String(execFileSync('curl', [...options, ...header, ...header, ...to])), '2 400');
  assert.deepEqual(seen(), []);
});

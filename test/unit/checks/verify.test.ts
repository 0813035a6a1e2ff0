/** The command line of verify.ts, and the judgments of the checks of scopes, bypass attempts, DNS and ports. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { senderOf } from '../../../lib/checks/gate/answers.ts';
import { judgeBypassAttempts } from '../../../lib/checks/gate/bypass.ts';
import { bypassPaths, rawRequests } from '../../../lib/checks/gate/bypass-attempts.ts';
import { judgeScope } from '../../../lib/checks/gate/scopes.ts';
import { lastAnswer } from '../../../lib/checks/http/raw-request.ts';
import { judgePorts } from '../../../lib/checks/web/ports.ts';
import { judgeAddresses, resolved } from '../../../lib/checks/web/public-name.ts';
import { connectTo } from '../../../lib/commands/verify.ts';
import type { Flags } from '../../../lib/config/flag-table.ts';
import { UsageError } from '../../../lib/util/errors.ts';
import { Secret } from '../../../lib/util/secret.ts';

const TARGET = { serverName: 'ai.example' };
const JSON_TYPE = { 'content-type': 'application/json' };
const response = (status: number, body = '', type?: string) => ({
  status,
  headers: type === undefined ? {} : { 'content-type': type },
  body,
});

for (const [text, address, port] of [
  ['192.0.2.1', '192.0.2.1', undefined],
  ['Proxy.LAN:8443', 'proxy.lan', 8443],
  ['[2001:db8::1]', '2001:db8::1', undefined],
  ['[2001:db8::1]:443', '2001:db8::1', 443],
] as const)
  test(`--connect-to ${text} is ${address}, port ${port}`, () => {
    assert.deepEqual(connectTo({ flags: { 'connect-to': text } as Flags }), { address, port });
  });

for (const text of [
  '',
  ':443',
  'a:',
  'a:0',
  'a:65536',
  'a:4x3',
  'a b',
  '2001:db8::1',
  'https://a',
  '-a',
  '[a',
])
  test(`--connect-to ${JSON.stringify(text)} is refused`, () => {
    assert.throws(() => connectTo({ flags: { 'connect-to': text } as Flags }), UsageError);
  });

for (const [address, status] of [
  ['203.0.113.1', 'passed'],
  ['192.0.2.1', 'passed'],
  ['2001:db8::1', 'passed'],
  ['100.63.255.255', 'passed'],
  ['172.32.0.1', 'passed'],
  ['::ffff:8.8.8.8', 'passed'],
  ['10.0.0.1', 'warned'],
  ['172.31.255.255', 'warned'],
  ['192.168.1.100', 'warned'],
  ['127.0.1.1', 'warned'],
  ['169.254.1.1', 'warned'],
  ['100.64.0.1', 'warned'],
  ['0.0.0.0', 'warned'],
  ['::', 'warned'],
  ['::1', 'warned'],
  ['fe80::1%eth0', 'warned'],
  ['fd00::1', 'warned'],
  ['::ffff:192.168.1.1', 'warned'],
] as const)
  test(`a name that resolves to ${address}: ${status}`, () => {
    assert.equal(judgeAddresses({ addresses: ['203.0.113.9', address] }, 'ai.example').status, status);
  });

test('DNS is not queried for another connection, nor for an IP address', async () => {
  const open = () => Promise.reject(new Error('unused'));
  assert.match(JSON.stringify(await resolved({ ...TARGET, open })), /--via-ssh/);
  assert.match(JSON.stringify(await resolved({ ...TARGET, address: '192.0.2.1' })), /--connect-to/);
  assert.deepEqual(await resolved({ serverName: '192.0.2.1' }), { addresses: ['192.0.2.1'] });
});

test('open ports are reported with firewall rules for the proxies that are configured by address', () => {
  const open = [{ address: '2001:db8::1', port: 11434 }];
  const { detail } = judgePorts([11434, 3001], open, {
    ...TARGET,
    proxies: ['192.168.1.100', '192.168.1.101'],
  });
  assert.match(detail, /^\[2001:db8::1\]:11434 is reachable/);
  assert.match(
    detail,
    /ufw allow from 192\.168\.1\.100 .* && ufw allow from 192\.168\.1\.101 .* && ufw deny/,
  );
  assert.match(detail, /saddr != '\{ 192\.168\.1\.100, 192\.168\.1\.101 \}'/);
  assert.match(
    judgePorts([3001], open, { ...TARGET, proxies: ['proxy.lan'] }).detail,
    /from PROXY .*\(PROXY: /,
  );
});

const SCOPES = {
  forbidden: { method: 'DELETE', path: '/ollama/api/delete' },
  models: '/ollama/v1/models',
  service: 'Ollama',
  tokenVariable: 'T',
};
for (const [fact, deleted, listed, status, says] of [
  ['403 and 200', response(403, '{"error":{}}', 'application/json'), 200, 'passed', /403 for DELETE/],
  ['403 and a backend that is down', response(403, '{"error":{}}', 'application/json'), 502, 'passed', /502/],
  [
    'a deletion that Ollama processed',
    response(400, '{"error":"x"}', 'application/json'),
    200,
    'failed',
    /returns 400/,
  ],
  ['a deletion without a response', response(502, '', 'text/html'), 502, 'failed', /returns 502/],
  ['a 403 of Ollama’s guard', response(403), 200, 'failed', /403 from the gate/],
  [
    'an unknown token',
    response(401, '{}', 'application/json'),
    401,
    'failed',
    /no client has this token.*bearers.ts add/,
  ],
  ['a scope that is too narrow', response(403, '{"error":{}}', 'application/json'), 403, 'failed', /too few/],
] as const)
  test(`the inference scope with ${fact}: ${status}`, () => {
    const finding = judgeScope(SCOPES, deleted, listed);
    assert.equal(finding.status, status);
    assert.match(finding.detail, says);
  });

const BEARER = { ...JSON_TYPE, 'www-authenticate': 'Bearer' };
const REFUSAL = { status: 401, headers: BEARER, body: '{"error":"Missing"}' };
const OLLAMA = { texts: /^(?:Ollama is running|404 page not found)$/, empty: [403] };

test('recognizes a backend by its signature if another service answers, too', () => {
  const sender = (each: Parameters<typeof senderOf>[0]) => senderOf(each, REFUSAL, OLLAMA);
  for (const each of [
    response(200, '{"models":[]}', 'application/json'),
    response(200, '{"object":"list","data":null}', 'application/json'),
    response(200, 'Ollama is running', 'text/plain; charset=utf-8'),
    response(404, '404 page not found', 'text/plain'),
    response(403),
  ])
    assert.equal(sender(each), 'backend', JSON.stringify(each));
  for (const each of [
    response(0),
    response(401, '{"error":{"message":"Missing"}}', 'application/json'),
    response(404, '<center>nginx</center>', 'text/html'),
    response(404, '{"error":"not found"}', 'application/json'),
    response(200, '<!doctype html><title>AnythingLLM</title>', 'text/html'),
    response(302),
  ])
    assert.equal(sender(each), 'safe', JSON.stringify(each));
  assert.equal(sender(response(200, '{"ok":true}', 'application/json')), 'unknown');
  assert.equal(sender(response(500, 'oops')), 'down');
});

test('without a signature, only nginx and the gate may respond', () => {
  const sender = (each: Parameters<typeof senderOf>[0]) => senderOf(each, REFUSAL);
  const limited = { 'retry-after': '1', ...JSON_TYPE };
  for (const each of [
    response(0),
    REFUSAL,
    response(0, 'a page of the default server, by HTTP/0.9'),
    { status: 401, headers: BEARER, body: '{"error":{"message":"Missing"}}' },
    { status: 429, headers: limited, body: '{"error":{}}' },
    response(404, '<center>nginx</center>', 'text/html'),
    response(302, '<center>nginx</center>', 'text/html'),
  ])
    assert.equal(sender(each), 'safe', JSON.stringify(each));
  for (const each of [
    response(404, '{"error":{"code":404,"message":"File Not Found"}}', 'application/json'),
    response(401, '{"detail":"Not authenticated"}', 'application/json'),
    response(200, '<!doctype html><title>llama.cpp</title>', 'text/html'),
    response(0, '{"data":[{"id":"a"}]}'),
    response(500, '{}', 'application/json'),
    { ...REFUSAL, status: 200 },
  ])
    assert.equal(sender(each), 'backend', JSON.stringify(each));
  for (const each of [response(502, '<center>nginx</center>', 'text/html'), response(504, '{"error":{}}')])
    assert.equal(sender(each), 'down', JSON.stringify(each));
  // If the gate is open, the response at its own path proves nothing.
  const open = response(404, '{}', 'application/json');
  assert.equal(senderOf(open, open), 'backend');
});

test('bypass attempts that reach the backend are named, and unclear ones do not pass', () => {
  const fine = { request: '//a', answer: response(401) };
  const bypass = { request: '/A', answer: response(200, '{"models":[]}', 'application/json') };
  const down = { request: '/b', answer: response(502, '', 'text/html') };
  const odd = { request: '/c', answer: response(200, '{}', 'application/json') };
  const judge = (...all: Parameters<typeof judgeBypassAttempts>[0]) =>
    judgeBypassAttempts(all, REFUSAL, { service: 'Ollama', signature: OLLAMA }, TARGET);
  assert.equal(judge(fine).status, 'passed');
  assert.match(judge(fine, bypass, down, odd).detail, /^Without a bearer, \/A reaches Ollama/);
  assert.match(judge(bypass).curl ?? '', /--path-as-is 'https:\/\/ai\.example\/A'$/);
  assert.equal(judge(fine, down, odd).status, 'skipped');
  assert.equal(judge(fine, odd).status, 'warned');
});

test('bypass attempts are distinct and fit into a request line', () => {
  const all = bypassPaths({ prefix: '/ollama', list: '/api/tags', others: ['/other'] }, 'ai.example');
  assert.equal(new Set(all).size, all.length);
  for (const each of all) assert.match(each, /^[!-\xff]+$/);
  assert.ok(all.includes('/%6fllama/api/tags') && all.includes('/x/..%2follama/api/tags'));
});

test('the token is sent only to a server whose certificate covers the name', () => {
  const token = new Secret('a-token-of-the-test');
  for (const { text, isSecret } of rawRequests('/a', { ...TARGET, token }))
    assert.equal(isSecret ?? false, text.includes(token.reveal()));
});

test('the last of several responses is judged', () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n';
  assert.deepEqual(
    lastAnswer(`${head}HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n\r\n{}`, 2),
    {
      status: 401,
      headers: JSON_TYPE,
      body: '{}',
    },
  );
  assert.equal(lastAnswer(head, 2).status, 0);
  assert.equal(lastAnswer('', 1).status, 0);
  assert.deepEqual(lastAnswer('{"models":[]}', 1), { status: 0, headers: {}, body: '{"models":[]}' });
  const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nd\r\n{"models":[]}\r\n0\r\n\r\n';
  assert.equal(senderOf(lastAnswer(chunked, 1), REFUSAL), 'backend');
});

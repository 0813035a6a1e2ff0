/** The judging part of the checks: responses in, findings out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PeerCertificate } from 'node:tls';
import { attempts, judgeRefusals } from '../../../lib/checks/gate/attempts.ts';
import { listFault } from '../../../lib/checks/gate/bearer-gate.ts';
import { isAccepted, isRejected } from '../../../lib/checks/gate/bearer-live.ts';
import { judgeOrigins } from '../../../lib/checks/gate/cross-origin.ts';
import { modelsIn } from '../../../lib/checks/gate/models.ts';
import { judgeScope } from '../../../lib/checks/gate/scopes.ts';
import { isByNginx } from '../../../lib/checks/http/request.ts';
import { judgeCertificate, type OldTls } from '../../../lib/checks/tls/certificate-judge.ts';
import { oldTlsVerdict } from '../../../lib/checks/tls/handshake.ts';
import { judgeChallengePath, judgeRedirect } from '../../../lib/checks/web/plain-http.ts';
import { type Arrival, judgeStreamTiming } from '../../../lib/checks/web/stream-timing.ts';
import { firstChatModel } from '../../../lib/checks/web/streaming.ts';
import { acceptOf, judgeHandshake } from '../../../lib/checks/web/websocket.ts';
import { lifeOf } from '../../../lib/model/certificate.ts';

const NAME = 'ai.example';
const NOW = new Date('2026-01-01T00:00:00Z');
const ending = (end: string, begin = 'Dec  1 00:00:00 2025') =>
  ({
    valid_from: `${begin} GMT`,
    valid_to: `${end} GMT`,
    subjectaltname: `DNS:${NAME}`,
    subject: { CN: NAME },
  }) as PeerCertificate;

const CERTIFICATES: readonly [string, string, OldTls, string, RegExp][] = [
  ['', 'Mar  1 00:00:00 2026', 'refused', 'passed', /59 days left, TLS 1.1 and 1.0 are rejected\.$/],
  [
    '',
    'Mar  1 00:00:00 2026',
    { skipReason: 'the local OpenSSL cannot offer it' },
    'passed',
    /not checked: the local OpenSSL/,
  ],
  ['', 'Jan 12 00:00:00 2026', 'refused', 'passed', /11 days left/],
  ['', 'Jan 11 00:00:00 2026', 'refused', 'warned', /10 days left.*renewed it on 2025-12-28.*certbot renew/],
  ['', 'Jan  5 00:00:00 2026', 'refused', 'warned', /4 days left/],
  ['', 'Jan  4 12:00:00 2026', 'refused', 'failed', /expires in 3 days.*certbot renew/],
  ['', 'Jan  1 20:30:00 2026', 'refused', 'failed', /expires in 20 hours/],
  ['CERT_HAS_EXPIRED', 'Dec 30 00:00:00 2025', 'refused', 'failed', /expired/],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'Mar  1 00:00:00 2026', 'refused', 'failed', /fullchain\.pem/],
  [
    'SELF_SIGNED_CERT_IN_CHAIN',
    'Mar  1 00:00:00 2026',
    'refused',
    'failed',
    /not from a trusted CA.*NODE_EXTRA_CA_CERTS/,
  ],
  ['', 'Mar  1 00:00:00 2026', { accepted: 'TLS 1.0' }, 'failed', /TLS 1.0 is accepted.*default server/],
];
for (const [verdict, end, oldTls, status, says] of CERTIFICATES) {
  test(`a certificate (${verdict || 'trusted'}) until ${end}, TLS 1.1 ${JSON.stringify(oldTls)}: ${status}`, () => {
    const found = judgeCertificate({ verdict, certificate: ending(end) }, oldTls, { serverName: NAME }, NOW);
    assert.equal(found.status, status);
    assert.match(found.detail, says);
  });
}

test('a certificate for 6 or 45 days is healthy all its life, unless certbot is late with its renewal', () => {
  const state = (begin: string, end: string) =>
    judgeCertificate({ verdict: '', certificate: ending(end, begin) }, 'refused', { serverName: NAME }, NOW)
      .status;
  assert.equal(state('Dec 29 00:00:00 2025', 'Jan  4 16:00:00 2026'), 'passed');
  assert.equal(state('Dec 27 00:00:00 2025', 'Jan  2 16:00:00 2026'), 'passed');
  assert.equal(state('Dec 26 20:00:00 2025', 'Jan  2 12:00:00 2026'), 'warned');
  assert.equal(state('Dec 26 00:00:00 2025', 'Jan  1 16:00:00 2026'), 'failed');
  assert.equal(state('Dec  1 00:00:00 2025', 'Jan 15 00:00:00 2026'), 'passed');
  assert.equal(state('Nov 27 00:00:00 2025', 'Jan 11 00:00:00 2026'), 'warned');
});

test('TLS 1.1 counts as rejected only if the server itself rejects it', () => {
  assert.equal(oldTlsVerdict('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION'), 'refused');
  assert.deepEqual(oldTlsVerdict('ERR_SSL_NO_PROTOCOLS_AVAILABLE'), {
    skipReason: 'the local OpenSSL cannot offer it',
  });
  assert.deepEqual(oldTlsVerdict('ERR_SSL_INAPPROPRIATE_FALLBACK'), { accepted: 'TLS 1.0' });
  assert.deepEqual(oldTlsVerdict('ECONNREFUSED'), { skipReason: 'ECONNREFUSED' });
});

const every = (ms: number, count: number, events = 1): Arrival[] =>
  Array.from({ length: count }, (_, index) => ({ at: 1000 + index * ms, events }));

const STREAMS: readonly [string, Arrival[], string][] = [
  ['pieces 50 ms apart', every(50, 10), 'passed'],
  ['pieces 3 ms apart', every(3, 10), 'passed'],
  ['everything in one read', every(0, 1, 10), 'failed'],
  ['everything at once, in many reads', every(0.1, 10), 'failed'],
  [
    'a first chunk, then the rest at once',
    [...every(0, 1), { at: 2000, events: 9 }, { at: 2100, events: 1 }],
    'failed',
  ],
  ['two full buffers', every(400, 2, 12), 'failed'],
  ['too few chunks', every(50, 3), 'skipped'],
  ['nothing', [], 'skipped'],
];
for (const [fact, arrivals, status] of STREAMS) {
  test(`a stream of ${fact}: ${status}`, () => {
    assert.equal(judgeStreamTiming(0, arrivals, 'm').status, status);
  });
}

test('a stream is timed from its request; simultaneous reads are one chunk, and at most 300 are kept', () => {
  const arrivals = [...every(50, 2), { at: 1050.4, events: 2 }, ...every(100, 3).slice(2)];
  assert.deepEqual(judgeStreamTiming(900, arrivals, 'm').measured, {
    kind: 'stream',
    pieces: [
      { at: 100, events: 1 },
      { at: 150, events: 3 },
      { at: 300, events: 1 },
    ],
    total: 300,
  });
  const { measured } = judgeStreamTiming(1000, every(10, 1000), 'm');
  assert.ok(measured?.kind === 'stream');
  assert.deepEqual([measured.pieces.length, measured.total], [300, 9990]);
  assert.equal(judgeStreamTiming(0, [], 'm').measured, undefined);
});

test('the lifetime of a certificate includes the thresholds, and is left out if its dates are invalid', () => {
  const valid = { valid_from: 'Jan  1 00:00:00 2026 GMT', valid_to: 'Mar  1 00:00:00 2026 GMT' };
  const life = (over = {}) => lifeOf({ ...valid, ...over }, NOW);
  const dates = { notBefore: '2026-01-01T00:00:00.000Z', notAfter: '2026-03-01T00:00:00.000Z' };
  assert.deepEqual(life(), { kind: 'certificate', ...dates, daysLeft: 59, warnDays: 14.75, failDays: 6.56 });
  assert.equal(life({ valid_to: 'Bad time value' }), undefined);
});

test('chunks too fast to distinguish prove nothing', () => {
  assert.equal(judgeStreamTiming(1000, every(0.1, 10), 'm').status, 'skipped');
});

test('the attempts on two lists are at most 12, with letter case only if the token has a letter', () => {
  const two = ['/list', '/tags'];
  assert.deepEqual(
    [two.slice(1), two].map((paths) => attempts(paths, 'abc').length),
    [11, 12],
  );
  assert.equal(attempts(two, '0123456789012345').length, 10);
  assert(attempts(two).every(({ name }) => !name.includes('case')));
});

test('each header is tried with the token in changed letter case and duplicated', () => {
  const tried = attempts(['/list', '/tags'], 'aB1').map(({ path, headers }) =>
    JSON.stringify([path, headers]),
  );
  for (const some of [
    ['/list', { Authorization: ['Bearer Ab1'] }],
    ['/list', { Authorization: ['Bearer aB1', 'Bearer aB1x'] }],
    ['/tags', { 'X-Api-Key': ['Ab1'] }],
    ['/tags', { 'X-Api-Key': ['aB1x', 'aB1'] }],
    ['/tags', { 'X-Api-Key': [''] }],
    ['/tags', {}],
  ])
    assert.ok(tried.includes(JSON.stringify(some)), JSON.stringify(some));
});

const ORIGIN = 'https://chat.example.org';
const FOR = { 'access-control-allow-origin': ORIGIN };
const ALLOWED = {
  ...FOR,
  'access-control-allow-methods': 'GET, POST',
  'access-control-allow-headers': 'Authorization,content-type',
};
const CORS: readonly [string, Record<string, string>, number, Record<string, string>, string, RegExp][] = [
  [
    'everything that a page needs',
    ALLOWED,
    204,
    FOR,
    'passed',
    /Pages of https:\/\/chat\.example\.org are allowed/,
  ],
  [
    'a preflight without a header',
    { ...ALLOWED, 'access-control-allow-headers': 'x' },
    204,
    FOR,
    'failed',
    /allow authorization, content-type/,
  ],
  [
    'a preflight without a method',
    { ...ALLOWED, 'access-control-allow-methods': 'GET' },
    204,
    FOR,
    'failed',
    /allow POST/,
  ],
  [
    'a preflight for all origins',
    { ...ALLOWED, 'access-control-allow-origin': '*' },
    204,
    FOR,
    'failed',
    /answered for \*/,
  ],
  ['a preflight that is rejected', {}, 401, FOR, 'failed', /returns 401 instead of 204/],
  ['a 401 that the page cannot read', ALLOWED, 204, {}, 'failed', /401 .*cannot be read/],
];
for (const [fact, headers, status, rejected, verdict, says] of CORS)
  test(`CORS: ${fact}: ${verdict}`, () => {
    const all = [
      {
        origin: ORIGIN,
        preflight: { status, headers },
        rejected: { status: 401, headers: rejected, body: '' },
      },
    ];
    const found = judgeOrigins(all, { headers: {} }, 'ORIGINS');
    assert.equal(found.status, verdict);
    assert.match(found.detail, says);
    assert.equal(
      judgeOrigins(all, { headers: { 'access-control-allow-origin': '*' } }, 'ORIGINS').status,
      'failed',
    );
  });

const outcomes = (status: number, challenge = 'Bearer') =>
  attempts(['/list'], 'abc').map(({ path, ...attempt }) => ({
    path,
    attempt,
    answer: { status, headers: { 'www-authenticate': challenge } },
  }));

test('the responses of the gate are rejections, rate limiting included', () => {
  assert.equal(judgeRefusals(outcomes(401)).status, 'passed');
  assert.equal(judgeRefusals(outcomes(429)).status, 'passed');
  assert.equal(judgeRefusals(outcomes(401, 'Basic realm=x')).status, 'warned');
});

test('any other response means that the gate is open, including a 502', () => {
  for (const status of [200, 502])
    assert.match(judgeRefusals(outcomes(status)).detail, /The gate is open: anyone/);
  assert.match(judgeRefusals(outcomes(404)).detail, /not from the gate/);
});

test('reads both formats of a model list, and nothing else', () => {
  assert.deepEqual(modelsIn('{"data":[{"id":"a"}]}'), ['a']);
  assert.deepEqual(modelsIn('{"models":[{"name":"b"}]}'), ['b']);
  assert.deepEqual(modelsIn('{"data":null}'), []);
  for (const text of ['', '<html>', '[]', 'null', '{"error":"x"}']) assert.equal(modelsIn(text), undefined);
});

test('reports that an HTML response to a scope check comes from another service', () => {
  const page = { status: 404, headers: { 'content-type': 'text/html' }, body: NGINX_404 };
  const forbidden = { method: 'DELETE', path: '/d' };
  const scopes = { forbidden, models: '/m', service: 'Ollama', tokenVariable: 'T' };
  assert.match(judgeScope(scopes, page, 404).detail, /neither the gate nor Ollama/);
});

test('explains why a correct token is rejected', () => {
  assert.equal(listFault('/l', { status: 200, body: '{"data":[]}' }, 'T'), '');
  assert.match(listFault('/l', { status: 401, body: '' }, 'T'), /another token than T.*no `Bearer `/);
  assert.match(listFault('/l', { status: 403, body: '' }, 'T'), /the Host that the backend expects/);
  const scope = '{"error":{"code":"insufficient_scope"}}';
  assert.match(listFault('/l', { status: 403, body: scope }, 'T'), /scope inference.*--scope full/);
  const limit = '{"error":{"code":"rate_limit_exceeded"}}';
  assert.match(listFault('/l', { status: 429, body: limit }, 'T'), /exceeded its limit.*Retry-After/);
  assert.match(listFault('/l', { status: 504, body: '' }, 'T'), /firewall.*status\.ts/);
});

test('selects the first model that is not for embeddings', () => {
  assert.equal(firstChatModel(['nomic-embed-text', 'llama', 'qwen']), 'llama');
  assert.equal(firstChatModel(['nomic-embed-text']), 'nomic-embed-text');
  assert.equal(firstChatModel([]), undefined);
});

const REDIRECTS: readonly [number, string | undefined, string][] = [
  [301, 'https://ai.example/redirect-check?a=1&b=%2F', 'passed'],
  [301, 'https://ai.example/redirect-check?a=1&b=/', 'failed'],
  [301, 'http://ai.example/redirect-check?a=1&b=%2F', 'failed'],
  [301, 'https://other.example/redirect-check?a=1&b=%2F', 'failed'],
  [302, 'https://ai.example/redirect-check?a=1&b=%2F', 'failed'],
  [200, undefined, 'failed'],
];
for (const [status, location, verdict] of REDIRECTS) {
  test(`${status} to ${location} for plain HTTP: ${verdict}`, () => {
    const headers = location === undefined ? {} : { location };
    assert.equal(judgeRedirect({ status, headers }, { serverName: NAME }).status, verdict);
  });
}

const NGINX_404 = '<html><hr><center>nginx</center></html>';
const CHALLENGES: readonly [number, string | undefined, string, string][] = [
  [404, undefined, NGINX_404, 'passed'],
  [404, undefined, NGINX_404.replace('nginx', 'nginx/1.22.1'), 'passed'],
  [404, undefined, '{"error":"no such page"}', 'warned'],
  [301, 'https://ai.example/.well-known/acme-challenge/gatepost-check', '', 'failed'],
  [200, undefined, '<!doctype html>', 'failed'],
  [503, undefined, NGINX_404, 'failed'],
];
for (const [status, location, body, verdict] of CHALLENGES) {
  test(`${status} ${location ?? body} for the challenge path: ${verdict}`, () => {
    const headers = location === undefined ? {} : { location };
    assert.equal(judgeChallengePath({ status, headers, body }, { serverName: NAME }).status, verdict);
  });
}

test('accepts a WebSocket handshake only with the Sec-WebSocket-Accept of RFC 6455, section 1.3', () => {
  const accept = acceptOf('dGhlIHNhbXBsZSBub25jZQ==');
  assert.equal(accept, 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  const response = { status: 101, headers: { 'sec-websocket-accept': accept } };
  assert.equal(judgeHandshake(response, '/ws', accept).status, 'passed');
  assert.equal(judgeHandshake(response, '/ws', 'other').status, 'failed');
  assert.match(judgeHandshake({ status: 400, headers: {} }, '/ws', accept).detail, /\$connection_upgrade/);
});

const byNginx = (name: string) => `<html>\r\n<hr><center>${name}</center>\r\n</body>\r\n</html>\r\n`;
for (const name of ['nginx', 'nginx/1.22.1', 'nginx/1.18.0 (Ubuntu)'])
  test(`a page of ${name} is an error page of nginx`, () => {
    assert.ok(isByNginx({ body: byNginx(name) }));
    assert.ok(!isByNginx({ body: `<p>${name}</p>` }));
  });

for (const [status, body, letIn] of [
  [200, '{}', true],
  [502, byNginx('nginx'), true],
  [504, byNginx('nginx/1.22.1'), true],
  [502, '<html>', false],
  [500, byNginx('nginx'), false],
  [301, byNginx('nginx'), false],
  [204, '', false],
  [404, byNginx('nginx'), false],
  [401, '{}', false],
  [429, '{"error":{"code":"rate_limit_exceeded"}}', true],
  [429, '{"error":{"code":"too_many_failed_attempts"}}', false],
] as const)
  test(`a token that gets ${status} with ${JSON.stringify(body)} was ${letIn ? '' : 'not '}accepted`, () => {
    assert.equal(isAccepted({ status, body }), letIn);
    assert.equal(isRejected({ status, body }), [401, 429].includes(status) && !letIn);
  });

/** The bearer gate under requests of clients and attackers; a real nginx with the unmodified template. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import {
  FULL,
  INFERENCE,
  reload,
  removeClients,
  seen,
  seenByOllama,
  startGate,
  stopGate,
  testConfiguration,
  writeClient,
  writeClientText,
} from './gate-nginx.ts';
import { ask, bearer, freshAddress, type GateResponse, lines, raw, statuses } from './requests.ts';

const HSTS = 'max-age=63072000';

before(startGate);
after(stopGate);
beforeEach(() => void seen());

function assertRefused(response: GateResponse): void {
  assert.equal(response.status, 401);
  assert.equal(response.headers['www-authenticate'], 'Bearer');
  assert.equal(response.headers['content-type'], 'application/json');
  assert.equal(response.headers['strict-transport-security'], HSTS);
  assert.match(
    response.body,
    /^\{"error":(?:"(?:Missing or unknown bearer token|This token was revoked)|\{"message":.*"code":"invalid_api_key")/,
  );
}

test('nginx -t passes without a warning', () => {
  const { status, stderr } = testConfiguration();
  assert.equal(status, 0);
  assert.match(stderr, /^nginx: .* syntax is ok\nnginx: .* test is successful\n$/);
});

const swapped = FULL.replace(/[a-z]/i, (c) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase()));

const wrong: Record<string, string> = {
  'an empty header': '',
  'the scheme alone': 'Bearer',
  'the scheme and blanks': 'Bearer    ',
  'a wrong token': 'Bearer 0000000000000000',
  'a token with one letter in the other case': `Bearer ${swapped}`,
  'a token in lowercase': `Bearer ${FULL.toLowerCase()}`,
  'a token in uppercase': `Bearer ${FULL.toUpperCase()}`,
  'a token cut short': `Bearer ${FULL.slice(0, -1)}`,
  'a token with one extra character at the end': `Bearer ${FULL}x`,
  'a token with one extra character at the start': `Bearer x${FULL}`,
  'two tokens': `Bearer ${FULL} ${FULL}`,
  'two tokens with a comma': `Bearer ${FULL}, Bearer ${FULL}`,
  'a token without the scheme': FULL,
  'a token in quotes': `Bearer "${FULL}"`,
  'another scheme': `Basic ${FULL}`,
  'a scheme with a longer name': `Bearerx ${FULL}`,
  'a scheme with a prefix': `xBearer ${FULL}`,
  'no blank': `Bearer${FULL}`,
  'a tab instead of a space': `Bearer\t${FULL}`,
  'Basic with the token as password': `Basic ${Buffer.from(`x:${FULL}`).toString('base64')}`,
  'the value of the map': 'full:default',
  'the regex of the map': 'Bearer .*',
};

for (const [what, authorization] of Object.entries(wrong)) {
  test(`answers 401 to ${what}`, async () => {
    assertRefused(await ask('/ollama/api/tags', { headers: { authorization }, from: freshAddress() }));
    assert.deepEqual(seen(), []);
  });
}

for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'X']) {
  test(`answers 401 to ${method} without a token`, async () => {
    const got = await raw(lines(`${method} /ollama/api/tags HTTP/1.1`), { from: freshAddress() });
    assert.deepEqual(statuses(got), [401]);
    assert.deepEqual(seen(), []);
  });
}

test('answers 401 without any header', async () => {
  assertRefused(await ask('/ollama/v1/models', { from: freshAddress() }));
});

for (const scheme of ['Bearer', 'bearer', 'BEARER', 'Bearer  ']) {
  test(`accepts the right token after "${scheme}"`, async () => {
    const { status, body } = await ask('/ollama/v1/models', {
      headers: { authorization: `${scheme} ${FULL}` },
    });
    assert.equal(status, 200);
    assert.match(body, /tiny:latest/);
  });
}

test('rejects a repeated header, even with the right token twice', async () => {
  const right = `Authorization: Bearer ${FULL}`;
  for (const other of [right, 'Authorization: Bearer x', 'authorization:', `Authorization: Basic ${FULL}`]) {
    for (const pair of [
      [right, other],
      [other, right],
    ]) {
      assert.deepEqual(statuses(await raw(lines('GET /ollama/api/tags HTTP/1.1', ...pair))), [400]);
    }
  }
  assert.deepEqual(seen(), []);
});

const smuggled: Record<string, string> = {
  'a blank before the colon': `Authorization : Bearer ${FULL}`,
  'a folded line': `X-A: b\r\n Authorization: Bearer ${FULL}`,
  'a bare CR': `X-A: b\rAuthorization: Bearer ${FULL}`,
  'a NUL after the token': `Authorization: Bearer ${FULL}\0`,
  'a NUL before the token': `Authorization: Bearer \0${FULL}`,
  'an underscore': `Authorization_: Bearer ${FULL}`,
  'another header': `Proxy-Authorization: Bearer ${FULL}`,
  'two X-Api-Key': `X-Api-Key: wrong-wrong-wrong-wrong\r\nX-Api-Key: ${FULL}`,
  'a forwarded header': `X-Forwarded-Authorization: Bearer ${FULL}`,
  'the name that nginx gives it': `http_authorization: Bearer ${FULL}`,
  'a cookie': `Cookie: Authorization=Bearer ${FULL}; token=${FULL}`,
  'a high byte': `Authorization: Bearer ${FULL}\xa0`,
  'the variable it sets': 'ia_enso_ollama_authorized: 1\r\nX-Ia-Enso-Ollama-Authorized: 1',
};

for (const [what, header] of Object.entries(smuggled)) {
  test(`does not take the token from ${what}`, async () => {
    const got = await raw(lines('GET /ollama/api/tags HTTP/1.1', header), { from: freshAddress() });
    assert.ok([400, 401].includes(statuses(got)[0] ?? 400), got.slice(0, 40));
    assert.deepEqual(seen(), []);
  });
}

test('does not take the token from the query string', async () => {
  for (const name of ['access_token', 'token', 'api_key', 'authorization']) {
    const path = `/ollama/api/tags?${name}=${encodeURIComponent(`Bearer ${FULL}`)}`;
    assertRefused(await ask(path, { from: freshAddress() }));
  }
});

test('does not read the body of a rejected request', async () => {
  const head = [
    'POST /ollama/api/create HTTP/1.1',
    'Content-Length: 1000000000',
    'Expect: 100-continue',
  ] as const;
  const got = await raw(lines(...head), { from: freshAddress() });
  assert.deepEqual(statuses(got), [401]);
  assert.deepEqual(seen(), []);
});

test('redirects /ollama to /ollama/ with 308 and keeps the query string', async () => {
  const { status, headers } = await ask('/ollama?a=b', { method: 'POST' });
  assert.deepEqual([status, headers.location], [308, '/ollama/?a=b']);
  assert.equal(headers['strict-transport-security'], HSTS);
});

test("accepts each client's own token, and both during a rotation", async () => {
  writeClient('laptop', 'full', ['New-Token-0123456789', 'Old-Token-0123456789']);
  await reload();
  for (const token of ['New-Token-0123456789', 'Old-Token-0123456789', FULL, INFERENCE]) {
    assert.equal((await ask('/ollama/api/tags', { headers: bearer(token) })).status, 200);
  }
});

test('accepts no grant without a known scope and name', async () => {
  const values = [
    'admin:x',
    'full',
    'full:',
    ':x',
    'full:X',
    'xfull:x',
    '1',
    '""',
    '"full:x y"',
    '"full:x\n"',
    'full:x:',
    'full:x:7',
    'inference:x:0',
    'full:x:60:60',
    'full:60:x',
    'full:x:-:-:-:-',
    'full:x.:-:-:-:-',
    'full:../x.1:-:-:-:-',
    'full:x.1:7:-:-:-',
    'full:x.1:-:3:-:-',
    'full:x.1:-:-:123:-',
    'full:x.1:-:-:-:x',
    'full:not-live.1:-:-:-:-',
  ];
  writeClientText('odd', values.map((value, at) => `"~^:odd${at}\\z" ${value};\n`).join(''));
  await reload();
  for (const at of values.keys()) {
    assertRefused(await ask('/ollama/api/tags', { headers: bearer(`odd${at}`), from: freshAddress() }));
  }
  assert.deepEqual(seenByOllama(), []);
});

test('rejects everybody if there is no client', async () => {
  removeClients();
  await reload();
  for (const authorization of ['', 'Bearer', 'Bearer ', `Bearer ${FULL}`, `Bearer ${INFERENCE}`]) {
    assertRefused(await ask('/ollama/api/tags', { headers: { authorization }, from: freshAddress() }));
  }
  assertRefused(await ask('/ollama/api/tags', { from: freshAddress() }));
  assert.deepEqual(seen(), []);
});

/** Port 80: the ACME challenge and a redirect; before the first certificate, the challenge and a notice. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { NAME, reload, seen, startGate, stopGate, testConfiguration, writeVhost } from './gate-nginx.ts';
import { lines, raw, statuses } from './requests.ts';

before(async () => {
  await startGate();
  mkdirSync('/var/www/certbot/.well-known/acme-challenge', { recursive: true });
  writeFileSync('/var/www/certbot/.well-known/acme-challenge/token-1', 'token-1.thumbprint');
  writeFileSync('/var/www/certbot/secret', 'not below the challenge path');
});
after(stopGate);

const get = (path: string, ...headers: string[]) =>
  raw(lines(`GET ${path} HTTP/1.1`, ...headers), { port: 80 });
const location = (got: string) => /^Location: (.*)\r$/m.exec(got)?.[1];

async function answersTheChallenge(): Promise<void> {
  const got = await get('/.well-known/acme-challenge/token-1');
  assert.deepEqual(statuses(got), [200]);
  assert.match(got, /Content-Type: text\/plain\r\n/);
  assert.match(got, /token-1\.thumbprint$/);
  for (const path of ['none', '', '../../secret', '%2e%2e/%2e%2e/secret']) {
    assert.doesNotMatch(await get(`/.well-known/acme-challenge/${path}`), /HTTP\/1.1 200/);
  }
}

test("answers the CA's challenge", answersTheChallenge);

for (const path of [
  '/',
  '/ollama/v1/models?a=b%20c',
  '/a%0d%0aSet-Cookie:%20x=y',
  '//evil.example/',
  '/x/../y',
  '/.well-known/x',
]) {
  test(`redirects ${path} unchanged to https`, async () => {
    const got = await get(path);
    assert.deepEqual(statuses(got), [301]);
    assert.equal(location(got), `https://${NAME}${path}`);
    assert.doesNotMatch(got, /^(?:Set-Cookie|Strict-Transport)/m);
  });
}

test('redirects to its own name for any Host header', async () => {
  const got = await raw(`GET http://${NAME}/x HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`, {
    port: 80,
  });
  assert.ok(![200].includes(statuses(got)[0] ?? 0));
  assert.doesNotMatch(got, /evil\.example/);
});

test('exposes no backend on port 80', async () => {
  seen();
  for (const path of ['/', '/ollama/api/tags', '/anythingllm/api/ping', '/api/ping'])
    await get(path, 'Upgrade: websocket');
  assert.deepEqual(seen(), []);
});

test('before the first certificate, nginx -t passes without one', async () => {
  writeVhost(`${NAME}.http-only.conf`);
  const { status, stderr } = testConfiguration();
  assert.equal(status, 0);
  assert.doesNotMatch(stderr, /\[\w+\]/);
  await reload();
});

test('before the first certificate, answers the challenge', answersTheChallenge);

test('before the first certificate, answers everything else with a notice', async () => {
  for (const path of ['/', '/ollama/api/tags', '/x.html']) {
    const got = await get(path);
    assert.deepEqual(statuses(got), [503]);
    assert.match(got, /Content-Type: text\/plain\r\n/);
    assert.match(got, /Retry-After: 60\r\n/);
  }
  await assert.rejects(raw(lines('GET / HTTP/1.1')), { code: 'ECONNREFUSED' });
});

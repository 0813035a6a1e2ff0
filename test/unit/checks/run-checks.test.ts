/** Running checks and parsing pages; delays and failures are real, on loopback. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { bearerOption, curl } from '../../../lib/checks/http/curl.ts';
import { runChecks } from '../../../lib/checks/run-checks.ts';
import { certificate } from '../../../lib/checks/tls/handshake.ts';
import { assetFault, assetsOf, nextOf } from '../../../lib/checks/web/page.ts';
import { httpRedirects } from '../../../lib/checks/web/plain-http.ts';
import { type Check, failed, passed } from '../../../lib/model/check.ts';
import { Secret } from '../../../lib/util/secret.ts';

const TARGET = { serverName: 'ai.example' };
const check = (name: string, run: Check['run']): Check => ({ name, run });
const after = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('runs all checks in parallel, and reports in the order of the list', async () => {
  const reported: string[] = [];
  const slow = check('slow', () => after(80).then(() => passed('late')));
  const quick = check('quick', async () => failed('no'));
  const results = await runChecks([slow, quick], TARGET, ({ name }) => reported.push(name));
  assert.deepEqual(reported, ['slow', 'quick']);
  assert.deepEqual(
    results.map(({ ok }) => ok),
    [true, false],
  );
  assert(Number(results[0]?.milliseconds) >= 75 && Number(results[1]?.milliseconds) < 75);
});

test('a check that throws fails, and the others continue', async () => {
  const bad = check('bad', () => Promise.reject(new Error('odd')));
  const worse = check('worse', () => {
    throw 'text';
  });
  const [first, second, third] = await runChecks(
    [bad, worse, check('good', async () => passed('fine'))],
    TARGET,
  );
  assert.match(first?.detail ?? '', /^odd\. Run it again.*ai\.example/);
  assert.equal(second?.status, 'failed');
  assert.equal(third?.status, 'passed');
});

for (const [fact, measured, times] of [
  ['what it measured', { kind: 'stream', pieces: [], total: 0 } as const, 2],
  ['another reason, which would cause another wait', undefined, 1],
] as const)
  test(`a timed check that fails for ${fact} runs ${times} times`, async () => {
    let runs = 0;
    const run = async () => {
      runs += 1;
      return { ...failed('no'), ...(measured && { measured }) };
    };
    await runChecks([{ ...check('timed', run), isTimed: true }], TARGET);
    assert.equal(runs, times);
  });

test('a timed check is not repeated without enough time left', async () => {
  let runs = 0;
  const run = async () => {
    runs += 1;
    await after(150);
    return { ...failed('no'), measured: { kind: 'stream', pieces: [], total: 0 } as const };
  };
  await runChecks([{ ...check('timed', run), isTimed: true }], { ...TARGET, timeoutMs: 500 });
  assert.equal(runs, 1);
});

test('a check that never ends fails at its time limit', async () => {
  const [result] = await runChecks([check('stuck', () => new Promise(() => {}))], {
    ...TARGET,
    timeoutMs: 50,
  });
  assert.equal(result?.status, 'failed');
  assert.match(result?.detail ?? '', /did not finish within 0\.05 s/);
});

test('reports the request that a silent server did not answer, within the time limit', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const target = { ...TARGET, address: '127.0.0.1', port, httpPort: port, timeoutMs: 200 };
  const [http, tls] = await runChecks([httpRedirects(), certificate()], target);
  assert.match(http?.detail ?? '', /^GET http:\/\/ai\.example\/.*: no answer within 0\.2 s\. No response/);
  assert.match(tls?.detail ?? '', /^TLS with ai\.example: no answer within 0\.2 s\./);
  assert(Number(http?.milliseconds) < 500);
  silent.close();
});

test('errors contain no token, in any letter case', async () => {
  const token = new Secret('Abc.$(x)+12345678');
  const leaky = check('leaky', () => Promise.reject(new Error('sent aBC.$(x)+12345678')));
  const [result] = await runChecks([{ ...leaky, curl: () => token.reveal() }], { ...TARGET, token });
  assert(!JSON.stringify(result).toLowerCase().includes(token.reveal().toLowerCase()));
  assert.match(result?.detail ?? '', /^sent \[REDACTED\]\./);
});

test('shows the curl command for each kind of connection', () => {
  const request = { path: '/a?b=1' };
  assert.equal(
    curl(TARGET, request, bearerOption('T')),
    `curl -sS -H "Authorization: Bearer $T" 'https://ai.example/a?b=1'`,
  );
  const through = { ...TARGET, address: '::1', port: 8443 };
  assert.equal(
    curl(through, request),
    "curl -sS --connect-to ai.example:443:[::1]:8443 'https://ai.example/a?b=1'",
  );
  const plain = { ...request, scheme: 'http' } as const;
  assert.equal(
    curl({ ...TARGET, httpPort: 81 }, plain),
    "curl -sS --connect-to ai.example:80:ai.example:81 'http://ai.example/a?b=1'",
  );
});

test('finds each script and style sheet of this host once, whatever the path of the page', () => {
  const html = `<script type="module" crossorigin src="/index.js"></script><SCRIPT SRC='b.js?x=1&amp;y=2'></SCRIPT>
    <link rel="stylesheet" href=/c.css><link rel=modulepreload href="/index.js"><link rel="icon" href="/i.png">
    <script src="https://cdn.example/x.js"></script><script data-src="/no.js">1</script>`;
  assert.deepEqual(assetsOf(html, '/app/', 'ai.example'), [
    { path: '/index.js', kind: 'script' },
    { path: '/app/b.js?x=1&y=2', kind: 'script' },
    { path: '/c.css', kind: 'style' },
  ]);
});

const ASSETS: readonly [string, number, string, string, RegExp][] = [
  ['a script', 200, 'text/javascript', '1', /^$/],
  ['a missing script', 404, 'text/html', '', /returns 404/],
  ['a page instead of it', 200, 'text/html', '<!doctype html>', /HTML page/],
  ['a page declared as a script', 200, 'text/javascript', '\n<!DOCTYPE html>', /HTML page/],
  ['a plain text', 200, 'text/plain', '1', /do not accept/],
  ['an empty file', 200, 'text/javascript', '', /is empty/],
];
for (const [fact, status, type, body, says] of ASSETS) {
  test(`resolves ${fact} like a browser`, () => {
    const response = { status, headers: { 'content-type': type }, body };
    assert.match(assetFault({ path: '/x.js', kind: 'script' }, response), says);
  });
}

test('follows redirects on this host only', () => {
  assert.deepEqual(nextOf('/', '/a/', TARGET), { path: '/' });
  assert.deepEqual(nextOf('b?c', '/a/', TARGET), { path: '/a/b?c' });
  assert.deepEqual(nextOf('https://ai.example/x', '/a/', TARGET), { path: '/x' });
  for (const location of ['http://ai.example/', '//other.example/', 'https://ai.example:8443/'])
    assert.match(JSON.stringify(nextOf(location, '/a/', TARGET)), /was not followed/);
});

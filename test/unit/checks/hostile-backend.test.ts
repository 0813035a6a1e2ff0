/** Backends with endless responses, or thousands of assets: checks are limited in time, requests and connections. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runChecks } from '../../../lib/checks/run-checks.ts';
import { reaches } from '../../../lib/checks/web/routes.ts';
import { streams } from '../../../lib/checks/web/streaming.ts';
import { webInterface } from '../../../lib/checks/web/web-interface.ts';
import type { Check, CheckTarget } from '../../../lib/model/check.ts';
import { Secret } from '../../../lib/util/secret.ts';

const directory = mkdtempSync(join(tmpdir(), 'gatepost-hostile-'));
const file = (name: string) => join(directory, name);
const request = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ai.example';
execFileSync('openssl', ['req', ...request.split(' '), '-keyout', file('key'), '-out', file('cert')], {
  stdio: 'ignore',
});
const [key, cert] = [readFileSync(file('key')), readFileSync(file('cert'))];
const { fingerprint256: fingerprint } = new X509Certificate(cert);
const servers: Server[] = [];
after(() => {
  rmSync(directory, { recursive: true });
  for (const server of servers) server.closeAllConnections();
  for (const server of servers) server.close();
});

/** The results of checks against a backend, and the requests that it received. */
async function against(handler: RequestListener, checks: readonly Check[], other: Partial<CheckTarget> = {}) {
  const seen = { requests: 0, connections: 0, open: 0, most: 0 };
  const server = createServer({ key, cert }, (request, response) => {
    seen.requests += 1;
    handler(request, response);
  });
  server.on('connection', (socket) => {
    seen.connections += 1;
    seen.open += 1;
    seen.most = Math.max(seen.most, seen.open);
    socket.on('close', () => {
      seen.open -= 1;
    });
  });
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const start = performance.now();
  const results = await runChecks(checks, { serverName: 'ai.example', address: '127.0.0.1', port, ...other });
  return { results, seen, took: performance.now() - start };
}

const page = (scripts: number) =>
  `<!doctype html>${Array.from({ length: scripts }, (_, index) => `<script src="/${index}.js"></script>`).join('')}`;

/** A page, and scripts that are slow enough to accumulate. */
const site =
  (scripts: number): RequestListener =>
  ({ url }, response) => {
    response.setHeader('content-type', url === '/' ? 'text/html' : 'text/javascript');
    if (url === '/') response.end(page(scripts));
    else setTimeout(() => response.end('1'), 20);
  };

test('loads some of 20,000 scripts of a page, a few at a time, and reports that', async () => {
  const { results, seen } = await against(site(20_000), [webInterface({ entry: '/' })]);
  assert.equal(results[0]?.status, 'warned', results[0]?.detail);
  assert.match(results[0]?.detail ?? '', /20000 scripts.*only the first 200/);
  assert.equal(seen.requests, 201);
  assert.ok(seen.most <= 16, `${seen.most} connections`);
});

test('loads all 200 scripts of a page', async () => {
  const { results, seen } = await against(site(200), [webInterface({ entry: '/' })]);
  assert.equal(results[0]?.status, 'passed', results[0]?.detail);
  assert.equal(seen.requests, 201);
});

test('all checks together send at most 16 requests at a time', async () => {
  const paths = Array.from({ length: 15 }, (_, index) => `/api/${index}`);
  const checks = [webInterface({ entry: '/' }), reaches('one', paths), reaches('other', paths)];
  const { results, seen } = await against(site(30), checks);
  assert.deepEqual([...new Set(results.map(({ status }) => status))], ['passed']);
  assert.ok(seen.most > 6 && seen.most <= 16, `${seen.most} connections`);
});

test('a server that closes each connection after its response, unannounced, gets the request again on a new one', async () => {
  const paths = Array.from({ length: 40 }, (_, index) => `/api/${index}`);
  const closing: RequestListener = ({ socket }, response) => {
    response.setHeader('content-type', 'application/json');
    response.end('{}', () => setImmediate(() => socket.destroy()));
  };
  const { results } = await against(closing, [reaches('API', paths)]);
  assert.equal(results[0]?.status, 'passed', results[0]?.detail);
});

test('requests share connections', async () => {
  const paths = Array.from({ length: 100 }, (_, index) => `/api/${index}`);
  const answering: RequestListener = (_, response) => {
    response.setHeader('content-type', 'application/json');
    setTimeout(() => response.end('{}'), 5);
  };
  const { results, seen } = await against(answering, [reaches('API', paths)]);
  assert.equal(results[0]?.status, 'passed', results[0]?.detail);
  assert.deepEqual([seen.requests, seen.connections < 40], [100, true], `${seen.connections} connections`);
});

test('a check with many requests does not hold up the others', async () => {
  const slow: RequestListener = ({ url }, response) => {
    response.setHeader('content-type', 'application/json');
    setTimeout(() => response.end('{}'), url?.startsWith('/many') ? 100 : 0);
  };
  const many = Array.from({ length: 140 }, (_, index) => `/many/${index}`);
  const { results } = await against(slow, [reaches('many', many), reaches('few', ['/few/1'])]);
  const [first, second] = results.map(({ milliseconds }) => milliseconds);
  assert.ok(Number(second) < Number(first) / 2, `${second} ms of ${first} ms`);
});

const CHAT = { models: '/models', completions: '/chat', tokenVariable: 'T' };
const issued = [{ kind: 'self-signed', fingerprint }] as const;
const limited = { token: new Secret('a-token-of-the-test'), issued, timeoutMs: 1_000 };

/** A model with this completion. */
const model =
  (completion: RequestListener): RequestListener =>
  (incoming, response) =>
    incoming.url === '/models' ? response.end('{"data":[{"id":"m"}]}') : completion(incoming, response);

test('a stream that never ends is judged by its chunks until the time limit', async () => {
  const endless = model((_, response) => {
    const timer = setInterval(() => response.write('data: {}\n\n'), 20);
    response.on('close', () => clearInterval(timer));
  });
  const { results, took } = await against(endless, [streams(CHAT)], limited);
  assert.equal(results[0]?.status, 'passed', results[0]?.detail);
  assert.ok(took < 1_300, `${took} ms`);
});

test('a model without output until the time limit is a warning: it may still be loading', async () => {
  const { results, took } = await against(
    model(() => {}),
    [streams(CHAT)],
    limited,
  );
  assert.equal(results[0]?.status, 'warned', results[0]?.detail);
  assert.ok(took < 1_300, `${took} ms`);
});

test('pages and API responses that never end fail at the time limit', async () => {
  const endless: RequestListener = ({ url }, response) => {
    response.writeHead(200, { 'content-type': url === '/' ? 'text/html' : 'application/json' });
    const timer = setInterval(() => response.write(' '.repeat(1000)), 5);
    response.on('close', () => clearInterval(timer));
  };
  const checks = [webInterface({ entry: '/' }), reaches('API', ['/a', '/b'])];
  const { results, took } = await against(endless, checks, { timeoutMs: 500 });
  assert.deepEqual(
    results.map(({ status }) => status),
    ['failed', 'failed'],
  );
  assert.ok(took < 800, `${took} ms`);
});

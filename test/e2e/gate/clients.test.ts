/**
 * Many clients at constant cost, and everything that ends a token: its live file, its expiry, a suspension, a limit.
 */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { BEARERS, type ClientFile, clientFileText, LIVE } from '../../lab/actors/client-files.ts';
import { tokenOf } from '../../lab/actors/many-clients.ts';
import * as gate from './gate-nginx.ts';
import { ask, bearer, freshAddress, target } from './requests.ts';

before(gate.startGate);
after(gate.stopGate);

const PATH = '/ollama/api/version';
const status = async (token: string) =>
  (await ask(PATH, { headers: bearer(token), from: freshAddress() })).status;
const liveFiles = (name: string) => readdirSync(LIVE).filter((file) => file.startsWith(`${name}.`));
const endNow = (name: string) => liveFiles(name).map((file) => rmSync(`${LIVE}/${file}`));

/** The last line of the access log, once nginx has written it. */
async function logged(): Promise<string> {
  await sleep(100);
  return readFileSync(gate.ACCESS_LOG, 'utf8').trim().split('\n').at(-1) ?? '';
}

describe('tokens with the same first characters', () => {
  const similarTokens = [
    'abcdefghijklmnopqrstuvwxyz-1',
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ-2',
    'abcdefghijklmnopqrstuvwxyz-3',
    'abcdefghijklmnopqrstuvwx',
    '=abcdefghijklmnopqrstuvw',
    `${'$a'.repeat(200)}1`,
    'short-0123456789',
    'x'.repeat(500),
  ];

  test('are all accepted exactly; no other token or letter case is', async () => {
    gate.writeClient('alike', 'full', similarTokens.slice(0, 2));
    gate.writeClient('more', 'inference', similarTokens.slice(2));
    assert.match(readFileSync(`${BEARERS}/more.map`, 'utf8'), /^"~\^:/m);
    await gate.reload();
    for (const token of similarTokens) assert.equal(await status(token), 200, token);
    for (const token of similarTokens) {
      const other = token === token.toUpperCase() ? token.toLowerCase() : token.toUpperCase();
      assert.equal(await status(other), 401, other);
      assert.equal(await status(`${token}x`), 401);
      assert.equal(await status(token.slice(0, -1)), 401);
    }
    assert.equal(
      (await ask('/ollama/api/delete', { headers: bearer(similarTokens[1] ?? ''), method: 'DELETE' })).status,
      200,
    );
    assert.equal(
      (await ask('/ollama/api/delete', { headers: bearer(similarTokens[2] ?? ''), method: 'DELETE' })).status,
      403,
    );
  });
});

describe('the cost of a request', () => {
  /** CPU time of the nginx workers per request, in milliseconds. */
  async function cost(token: string): Promise<number> {
    const from = freshAddress();
    const spent = () =>
      gate.workerPids().reduce((sum, pid) => {
        const fields = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ');
        return sum + Number(fields[0]) / 1e6;
      }, 0);
    const once = () => ask(PATH, { headers: { authorization: `Bearer ${token}` }, from });
    for (let i = 0; i < 20; i++) await once();
    const start = spent();
    for (let i = 0; i < 150; i++) await once();
    return (spent() - start) / 150;
  }

  test('is the same with one client and with 10,000, for known and unknown tokens', {
    timeout: 120_000,
  }, async () => {
    gate.removeClients();
    gate.writeClient('default', 'full', [gate.FULL]);
    await gate.reload();
    const unknown = '0'.repeat(64);
    const alone = [await cost(gate.FULL), await cost(unknown)];
    for (let i = 0; i < 10_000; i++) {
      const { text, live } = clientFileText({ name: `c${i}`, scope: 'full', tokens: [tokenOf(i)] });
      writeFileSync(`${BEARERS}/c${i}.map`, text);
      for (const file of live) writeFileSync(`${LIVE}/${file}`, '');
    }
    const { status: ok, stderr } = gate.testConfiguration();
    assert.equal(ok, 0, stderr);
    assert.match(stderr, /could not build optimal map_hash/);
    await gate.reload();
    const many = [await cost(gate.FULL), await cost(unknown)];
    for (const i of [0, 1234, 9999]) assert.equal(await status(tokenOf(i)), 200);
    assert.equal(await status(tokenOf(10_000)), 401);
    for (const [i, one] of alone.entries())
      assert.ok((many[i] ?? 0) < one * 1.5 + 0.02, `${i}: ${one} ms alone, ${many[i]} ms among 10,000`);
    gate.removeClients();
    gate.writeClient('default', 'full', [gate.FULL]);
    await gate.reload();
  });

  test('is linear in the number of blanks in the header', async () => {
    const started = performance.now();
    const headers = { authorization: `Bearer ${' '.repeat(8000)}${gate.FULL} x` };
    for (let i = 0; i < 20; i++)
      assert.equal((await ask(PATH, { headers, from: freshAddress() })).status, 401);
    assert.ok(performance.now() - started < 2000);
  });
});

describe('a token that is not live', () => {
  const TOKEN = 'dead-0123456789abcdef';
  const makeLive = async (more: Partial<ClientFile> = {}) => {
    gate.writeClient('dead', 'full', [TOKEN], more);
    await gate.reload();
    assert.equal(await status(TOKEN), 200);
  };

  const open = (): Promise<TLSSocket> =>
    new Promise((resolve, reject) => {
      const socket = connectTls({ ...target(), port: 443, ALPNProtocols: ['http/1.1'] } as never, () =>
        resolve(socket),
      );
      socket.setEncoding('latin1').on('error', reject);
    });
  const request = `GET ${PATH} HTTP/1.1\r\nHost: ${gate.NAME}\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`;
  const response = (socket: TLSSocket, rest: string): Promise<string> =>
    new Promise((resolve) => {
      socket.once('data', (text) => resolve(`${text}`.slice(9, 12)));
      socket.write(rest);
    });

  /** Sends a request whose header ends two seconds later. */
  const drip = async (socket: TLSSocket): Promise<string> => {
    socket.write(request.slice(0, -20));
    for (const byte of request.slice(-20, -1)) {
      await sleep(100);
      socket.write(byte);
    }
    return response(socket, request.slice(-1));
  };

  test('is rejected without a reload, also on connections that were open before', async () => {
    await makeLive();
    const sockets = await Promise.all([open(), open(), open(), open()]);
    sockets[1]?.write(request.slice(0, 60));
    const dripped = drip(sockets[3] as TLSSocket);
    assert.equal(await response(sockets[2] as TLSSocket, request), '200');
    const session = connectHttp2(`https://127.0.0.1`, {
      servername: gate.NAME,
      ca: readFileSync(gate.CERTIFICATE),
    });
    const stream = () =>
      new Promise((resolve, reject) => {
        const pending = session.request({
          ':path': PATH,
          ':authority': gate.NAME,
          authorization: `Bearer ${TOKEN}`,
        });
        pending.on('response', (headers) => resolve(headers[':status'])).on('error', reject);
        pending.resume().end();
      });
    assert.equal(await stream(), 200);
    await sleep(500);
    endNow('dead');
    assert.equal(await stream(), 401);
    session.close();
    assert.equal(await status(TOKEN), 401);
    assert.equal(await response(sockets[0] as TLSSocket, request), '401');
    assert.equal(await response(sockets[1] as TLSSocket, request.slice(60)), '401');
    assert.equal(await response(sockets[2] as TLSSocket, request), '401');
    assert.equal(await dripped, '401');
    for (const socket of sockets) socket.destroy();
  });

  test('is rejected by an old worker that still has its map', async () => {
    await makeLive();
    const silent = await open();
    gate.writeClientText('dead', '');
    endNow('dead');
    await gate.reload();
    assert.equal(await response(silent, request), '401');
    silent.destroy();
  });

  test("is in the access log by its client's name, and in the message", async () => {
    await makeLive();
    endNow('dead');
    const { body } = await ask(PATH, { headers: bearer(TOKEN), from: freshAddress() });
    assert.match(body, /revoked or suspended/);
    assert.match(await logged(), /^\S+ dead .* 401 /);
  });
});

describe('a token with an expiry', () => {
  test('is rejected from that second on, without a reload; the message names the reason, the log the client', async () => {
    const TOKEN = 'ends-0123456789abcdef';
    const end = Math.floor(Date.now() / 1000) + 4;
    gate.writeClient('ends', 'full', [TOKEN], { end });
    await gate.reload();
    assert.equal(await status(TOKEN), 200);
    await sleep(end * 1000 - Date.now() - 300);
    assert.equal(await status(TOKEN), 200);
    await sleep(end * 1000 - Date.now() + 20);
    const { status: late, body } = await ask(PATH, { headers: bearer(TOKEN), from: freshAddress() });
    assert.equal(late, 401);
    assert.match(body, /expired/);
    assert.match(await logged(), /^\S+ ends .* 401 /);
  });

  test('reports a suspension', async () => {
    const TOKEN = 'rests-0123456789abcdef';
    gate.writeClient('rests', 'full', [TOKEN], { suspended: true });
    await gate.reload();
    const { status: now, body } = await ask(PATH, { headers: bearer(TOKEN), from: freshAddress() });
    assert.equal(now, 401);
    assert.match(body, /suspended/);
    assert.match(await logged(), /^\S+ rests .* 401 /);
  });
});

describe('a token in X-Api-Key', () => {
  const RESTING = 'rests-too-0123456789abcdef';
  const given = async (headers: Record<string, string>) => {
    const response = await ask(PATH, { headers, from: freshAddress() });
    return [response.status, (await logged()).split(' ')[1]];
  };

  before(async () => {
    gate.writeClient('default', 'full', [gate.FULL]);
    gate.writeClient('editor', 'inference', [gate.INFERENCE]);
    await gate.reload();
  });

  test('is accepted exactly, like a bearer token', async () => {
    assert.deepEqual(await given({ 'x-api-key': gate.FULL }), [200, 'default']);
    assert.deepEqual(await given({ 'x-api-key': gate.INFERENCE }), [200, 'editor']);
    for (const key of [gate.FULL.toUpperCase(), `${gate.FULL}x`, `Bearer ${gate.FULL}`, ''])
      assert.deepEqual(await given({ 'x-api-key': key }), [401, '-'], key);
  });

  test('counts only if the bearer token is unknown', async () => {
    gate.writeClient('resting', 'full', [RESTING], { suspended: true });
    await gate.reload();
    assert.deepEqual(await given({ ...bearer('unknown-unknown-unknown'), 'x-api-key': gate.FULL }), [
      200,
      'default',
    ]);
    assert.deepEqual(await given({ ...bearer(gate.INFERENCE), 'x-api-key': gate.FULL }), [200, 'editor']);
    assert.deepEqual(await given({ ...bearer(RESTING), 'x-api-key': gate.FULL }), [401, 'resting']);
    assert.deepEqual(await given({ ...bearer(gate.FULL), 'x-api-key': RESTING }), [200, 'default']);
  });
});

describe('a limit of concurrent requests', () => {
  const TOKEN = 'two-0123456789abcdef';
  const chat = (path: string) =>
    ask(path, {
      method: 'POST',
      headers: { ...bearer(TOKEN), 'content-type': 'application/json' },
      body: SLOW,
    });
  const SLOW = JSON.stringify({ model: 'tiny:every=100', stream: true, messages: [] });

  test('rejects exactly the requests above it, with 429 and Retry-After', async () => {
    gate.writeClient('two', 'full', [TOKEN], { concurrent: 2 });
    await gate.reload();
    const all = await Promise.all(
      Array.from({ length: 5 }, () => chat('/ollama/api/chat?pieces=10&every=100')),
    );
    assert.deepEqual(all.map((one) => one.status).sort(), [200, 200, 429, 429, 429]);
    assert.ok(all.filter((one) => one.status === 429).every(({ headers }) => headers['retry-after'] === '1'));
    assert.equal((await chat('/ollama/api/chat?pieces=1&every=1')).status, 200);
  });
});

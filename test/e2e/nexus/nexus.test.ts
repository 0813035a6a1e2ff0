/** The Nexus appliance: every row of its map, in every encoding, with a real nginx. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';
import * as appliance from './appliance.ts';

let lab: Lab;
before(async () => {
  lab = await startLab();
  await appliance.installServices(lab.proxy);
});
after(() => lab.stop());
beforeEach(() => void appliance.seen());

describe('next to the default site', () => {
  test('default_server is refused with the fix, and the proxy is unchanged', async () => {
    const { config, workers } = await import('../../lab/actors/deploys.ts');
    const [files] = [await config(lab.proxy), await workers(lab.proxy)];
    const refused = await appliance.deployNexus(lab, lab.proxy);
    assert.deepEqual([refused.exit, refused.outcome], [1, 'rolled-back'], refused.stderr);
    assert.match(refused.stderr, /a duplicate default server for 0\.0\.0\.0:80/);
    assert.match(refused.stderr, /fix .*(sites-enabled\/default|NEXUS_SERVER_NAME)/s);
    assert.equal(await config(lab.proxy), files);
    assert.match((await appliance.ask('/', { port: 80 })).body, /Welcome to nginx/);
  });
});

describe('by address', () => {
  before(async () => {
    await lab.proxy.sh('rm /etc/nginx/sites-enabled/default');
    const first = await appliance.deployNexus(lab, lab.proxy);
    assert.deepEqual([first.exit, first.outcome, first.token], [0, 'applied', undefined], first.stderr);
  });

  const rows: Readonly<Record<string, readonly string[]>> = {
    'ai-gateway': [
      ...['/v1', '/v1/', '/v1/x', '/v1beta', '/v1beta/models/gemini-pro:generateContent?key=abc'],
      ...['/openai/deployments', '/openai/deployments/gpt%2F4o/chat/completions?api-version=2024-02-01'],
      ...['/api/paas', '/api/paas/v4/chat/completions', '/v1/a%20b%2Fc%25/+~;x=1,@:!$&()*', '//v1//x'],
      ...['/v1/./x', '/%761/x', '/v1/metrics', '/v1/internal/x', '/v1/api/hub/x', '/v1/..x'],
    ],
    hub: ['/api/internal/things/', '/api/internal/things/enroll?x=%2F', '/ws'],
    'control-plane': [
      ...['/api/', '/api/x%2Fy?z=1', '/api/internal/things', '/api/internal/x', '/api/paasport', '/api/hubs'],
      ...['/api/metrics', '/oauth/token', '/authserver/x', '/.well-known/openid-configuration'],
      ...['/.well-known/oauth-authorization-server', '/scim/v2/Users?filter=userName%20eq%20%22a%22'],
      ...['/healthz', '/ready', '/healthz?x'],
    ],
    page: ['/', '/index.html', '/settings/keys', '/v2/x', '/v1x', '/ws/', '/wsx', '/healthz/', '/metricsx'],
    'nginx 404': [
      ...[
        '/internal',
        '/internal/',
        '/internal/x',
        '/metrics',
        '/metrics/',
        '/metrics?x',
        '/debug',
        '/debug/pprof',
      ],
      ...['/api/hub', '/api/hub/', '/api/hub/x', '/.well-known/acme-challenge/none'],
    ],
  };
  for (const [who, paths] of Object.entries(rows)) {
    for (const path of paths)
      test(`${JSON.stringify(path)} belongs to ${who}`, async () => {
        const response = await appliance.ask(path);
        assert.equal(appliance.receiverOf(response), who, response.head);
        if (response.service) assert.equal(response.url, path);
      });
  }

  const hidden = ['internal', 'internal/x', 'metrics', 'debug/', 'debug/pprof', 'api/hub', 'api/hub/x'];
  const encodings: readonly ((path: string) => string)[] = [
    ...[(p: string) => `//${p}`, (p: string) => `/./${p}`, (p: string) => `/x/../${p}`],
    ...[(p: string) => `/x/%2e%2E/${p}`, (p: string) => `/x/..%2f${p}`, (p: string) => `/x/..;/${p}`],
    ...[(p: string) => `/x/%252e%252e/${p}`, (p: string) => `/x/..%5c${p}`, (p: string) => `/v1/..\\${p}`],
    ...[(p: string) => `/v1/../${p}`, (p: string) => `/v1/..%2F${p}`, (p: string) => `/api/x/../../${p}`],
    (p) => `/${p.toUpperCase()}`,
    (p) => `/${[...p].map((c) => (c === '/' ? c : `%${c.charCodeAt(0).toString(16)}`)).join('')}`,
    (p) => `/${p.replaceAll('/', '%2f')}`,
    (p) => `/${p.replaceAll('/', '%252F')}`,
    (p) => `/${p.replaceAll('/', '\\')}`,
    (p) => `/${p.replaceAll('/', ';/')}`,
    ...[
      '/',
      ';x',
      '%20',
      '%09',
      '%0a',
      '%0d%0a',
      '.',
      '..',
      '%3b',
      '%23',
      '\\',
      '%5c',
      '%2e',
      ':',
      '~',
      '%25',
    ].map((end) => (p: string) => `/${p}${end}`),
    ...['%5c', ';/', '%20', '%2f', '.;/'].map((start) => (p: string) => `/${start}${p}`),
    (p) => `http://${appliance.PUBLIC_NAME}/${p}`,
    (p) => `/.well-known/acme-challenge/../../${p}`,
    (p) => `/ws/../${p}`,
  ];
  for (const path of hidden) {
    test(`/${path} is closed in ${encodings.length} encodings`, async () => {
      for (const requestFor of encodings) {
        const spelled = requestFor(path);
        const who = appliance.receiverOf(await appliance.ask(spelled));
        assert.ok(['nginx 404', 'nginx 400'].includes(who), `${JSON.stringify(spelled)}: ${who}`);
      }
      assert.deepEqual(appliance.seen(), []);
    });
  }

  test('a raw path with .. never reaches another service', async () => {
    for (const path of ['/internal/../v1/x', '/metrics/../api/x', '/api/hub/..%2fx', '/debug/%2e%2e/scim/x'])
      assert.equal(appliance.receiverOf(await appliance.ask(path)), 'nginx 404', path);
    assert.deepEqual(appliance.seen(), []);
  });

  test('the web interface serves its files, and neither dotfiles nor link targets', async () => {
    const script = await appliance.ask('/assets/app.js');
    assert.match(script.body, /Nexus up/);
    assert.match(script.head, /content-type: (application|text)\/javascript/i);
    for (const path of ['/.env', '/.git/config', '/assets/../.env', '/%2eenv', '/.git%2fconfig', '/x/.env'])
      assert.equal(appliance.receiverOf(await appliance.ask(path)), 'nginx 404', path);
    for (const path of ['/link.txt', '/../secret', '/..%2fsecret', '/assets/../../secret', '/%2e%2e/secret'])
      assert.doesNotMatch((await appliance.ask(path)).body, /secret/, path);
  });

  test('accepts 32 MB and no more', async () => {
    const body = 'x'.repeat(32 * 2 ** 20);
    const response = await appliance.ask('/v1/files', { method: 'POST', body });
    assert.deepEqual([response.status, response.service], [200, 'ai-gateway']);
    assert.match(response.body, /"bytes":33554432/);
    const length = ['Content-Length: 33554433'];
    assert.equal((await appliance.ask('/v1/files', { method: 'POST', headers: length })).status, 413);
  });

  test("forwards the client's address, and to each service its own Authorization", async () => {
    for (const path of ['/v1/x', '/api/x', '/scim/x', '/api/internal/things/x']) {
      const headers = [
        'Authorization: Bearer its-own',
        'X-Forwarded-For: 1.2.3.4',
        'X-Forwarded-Proto: gopher',
      ];
      const got = JSON.parse((await appliance.ask(path, { headers })).body) as {
        headers: Record<string, string>;
      };
      assert.equal(got.headers.authorization, 'Bearer its-own');
      assert.equal(got.headers['x-forwarded-for'], '203.0.113.1');
      assert.equal(got.headers['x-forwarded-proto'], 'https');
      assert.equal(got.headers.host, appliance.PUBLIC_NAME);
    }
  });

  for (const path of ['/v1/chat/completions', '/api/compliance/export'])
    test(`streams ${path} chunk by chunk`, async () => {
      const method = path === '/v1/chat/completions' ? ['-d', '{}'] : [];
      const key = ['-H', `Authorization: Bearer ${appliance.KEY}`];
      const { spawn } = await import('node:child_process');
      const url = `https://${appliance.ADDRESS}${path}?pieces=5&every=100`;
      const times: number[] = [];
      const curl = spawn('curl', ['-skN', ...method, ...key, url]);
      curl.stdout.on('data', () => times.push(performance.now()));
      await new Promise((finished) => curl.on('close', finished));
      const gaps = times.slice(1).map((time, at) => time - (times[at] ?? 0));
      assert.ok(gaps.filter((gap) => gap > 60).length >= 4, `gaps: ${gaps.map(Math.round)}`);
    });

  test("/ws proxies a WebSocket, and passes on the Hub's rejection unchanged", async () => {
    const options = { rejectUnauthorized: false } as object;
    const { WebSocket } = await import('ws');
    const socket = new WebSocket(`wss://${appliance.ADDRESS}/ws?token=secret-of-a-thing`, options);
    const response = await new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.on('open', () => socket.send('hello'));
      socket.on('message', (data) => resolve(String(data)));
    });
    socket.terminate();
    assert.equal(response, 'hello');
    const refused = new WebSocket(`wss://${appliance.ADDRESS}/ws`, options);
    await assert.rejects(
      new Promise((resolve, reject) => refused.on('open', resolve).on('error', reject)),
      /401/,
    );
  });

  test('port 80 answers the challenge and redirects everything else to https', async () => {
    const challenge = '/var/www/certbot/.well-known/acme-challenge';
    await lab.proxy.sh(`mkdir -p ${challenge} && echo proof >${challenge}/token`);
    for (const port of [80, 443])
      assert.equal((await appliance.ask('/.well-known/acme-challenge/token', { port })).body, 'proof\n');
    const { status, head } = await appliance.ask('/v1/x%2Fy?z=%0d%0a', { port: 80 });
    assert.equal(status, 301);
    assert.match(head, new RegExp(`^Location: https://${appliance.PUBLIC_NAME}/v1/x%2Fy\\?z=%0d%0a$`, 'm'));
  });

  test('opens no other port', async () => {
    const { stdout } = await lab.proxy.sh(
      "ss -Htln | awk '{print $4}' | grep -v '^127\\.' | sed 's/.*://' | sort -un",
    );
    assert.deepEqual(stdout.split('\n').filter(Boolean), ['22', '80', '443']);
  });

  test('no log contains query strings, even while a service is down', async () => {
    const path = '/v1beta/models/x:generateContent?key=AIza-secret-key';
    await appliance.ask(path);
    await appliance.deployNexus(lab, lab.proxy, { NEXUS_BACKEND_IP: '127.0.0.9' });
    assert.equal(appliance.receiverOf(await appliance.ask(path)), 'nginx 502');
    await appliance.deployNexus(lab, lab.proxy);
    await appliance.ask('/v1/files?key=AIza-secret-key', {
      method: 'POST',
      headers: ['Content-Length: 99999999'],
    });
    await appliance.ask('/api/x?code=AIza-secret-key', {
      headers: ['Referer: https://x/?k=AIza-secret-key'],
    });
    await sleep(100);
    const { stdout } = await lab.proxy.sh('cat /var/log/nginx/*');
    assert.match(stdout, /"GET \/v1beta\/models\/x:generateContent" 200 .* 127\.0\.0\.1:3050 200 /);
    assert.doesNotMatch(stdout, /AIza-secret/);
  });

  test("a second deploy is unchanged; the history is separate from other sites'", async () => {
    const again = await appliance.deployNexus(lab, lab.proxy);
    assert.deepEqual([again.exit, again.outcome], [0, 'unchanged'], again.stderr);
    assert.equal((await lab.proxy.sh('ls /var/lib/gatepost/nexus/releases | wc -l')).stdout.trim(), '3');
  });
});

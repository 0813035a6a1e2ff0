/** A page of another origin uses the gate in real Chromium. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { after, before, test } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { allowOrigins, FULL, NAME, reload, startGate, stopGate } from './gate-nginx.ts';

let browser: Browser;
let pages: Server;

before(async () => {
  await startGate();
  allowOrigins(['http://localhost:3000']);
  await reload();
  pages = createServer((_, response) =>
    response.setHeader('content-type', 'text/html').end('<!doctype html>'),
  );
  await new Promise<void>((resolve) => pages.listen(3000, '127.0.0.1', resolve));
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', `--host-resolver-rules=MAP ${NAME} 127.0.0.1`],
  });
});
after(async () => {
  await browser.close();
  pages.close();
  stopGate();
});

/** A page of that origin. */
async function pageOf(origin: string): Promise<Page> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  await page.goto(origin);
  return page;
}

/** The page's result for a chat: status, id, arrival time of each chunk, body; or the browser's error. */
async function chat(page: Page, token: string) {
  return page.evaluate(
    async ([url, bearer]) => {
      const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' };
      const body = JSON.stringify({ model: 'tiny:latest', stream: true, messages: [] });
      try {
        const reply = await fetch(String(url), { method: 'POST', headers, body });
        const [arrivals, text]: [number[], string[]] = [[], []];
        for await (const chunk of reply.body as unknown as AsyncIterable<Uint8Array>) {
          arrivals.push(performance.now());
          text.push(new TextDecoder().decode(chunk));
        }
        const id = reply.headers.get('x-request-id');
        return { status: reply.status, id, arrivals, body: text.join('') };
      } catch (error) {
        return String(error);
      }
    },
    [`https://${NAME}/ollama/v1/chat/completions`, token],
  );
}

test('an allowed page streams a chat, and reads the request id', async () => {
  const got = await chat(await pageOf('http://localhost:3000'), FULL);
  assert.ok(typeof got === 'object', String(got));
  assert.equal(got.status, 200);
  assert.match(String(got.id), /^[0-9a-f]{32}$/);
  assert.ok(
    got.arrivals.length > 2 && (got.arrivals.at(-1) ?? 0) - (got.arrivals[0] ?? 0) > 200,
    got.arrivals.join(),
  );
});

test('an allowed page reads why its token is rejected', async () => {
  const got = await chat(await pageOf('http://localhost:3000'), 'wrong-wrong-wrong-wrong');
  assert.ok(typeof got === 'object', String(got));
  assert.equal(got.status, 401);
  assert.match(got.body, /invalid_api_key/);
});

test('a page of any other origin gets nothing', async () => {
  const got = await chat(await pageOf('http://127.0.0.1:3000'), FULL);
  assert.match(String(got), /Failed to fetch/);
});

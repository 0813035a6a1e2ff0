/** The official npm clients through the gate: they list models, stream a chat, and show errors to their user. */
import '../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { Ollama } from 'ollama';
import OpenAI from 'openai';
import { type Lab, startLab } from '../lab/namespaces/lab.ts';

const TOKEN = 'a-token-for-clients-0123456789-ABCdef';
const HOST = 'https://ia.enso.4nkweb.com';
const NAME = `${HOST}/ollama`;
const messages = [{ role: 'user' as const, content: 'Say hello.' }];
let lab: Lab;

/** fetch over node:https with the lab's CA, which did not exist when this process started. */
function labFetch(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
  const { url, method, headers, body } = {
    url: String(input instanceof Request ? input.url : input),
    method: 'GET',
    body: null,
    ...init,
  };
  const agent = new Agent({ ca: readFileSync(lab.env.NODE_EXTRA_CA_CERTS ?? '') });
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      { agent, method: method ?? 'GET', headers: Object.fromEntries(new Headers(headers ?? {})) },
      (response) => {
        const received = Readable.toWeb(response) as ReadableStream<Uint8Array>;
        resolve(
          new Response(received, {
            status: response.statusCode ?? 0,
            headers: response.headers as Record<string, string>,
          }),
        );
      },
    );
    sent.on('error', reject).end(body?.toString());
  });
}

before(async () => {
  lab = await startLab();
  const { status, stderr } = await lab.run('deploy', ['--no-verify'], {
    env: { IA_ENSO_OLLAMA_BEARER_TOKEN: TOKEN },
  });
  assert.equal(status, 0, stderr);
});
after(() => lab.stop());

describe('the openai client', () => {
  const client = (apiKey: string) =>
    new OpenAI({ baseURL: `${NAME}/v1`, apiKey, fetch: labFetch, maxRetries: 0 });

  it('lists the models', async () => {
    assert.deepEqual(
      (await client(TOKEN).models.list()).data.map(({ id }) => id),
      ['tiny:latest'],
    );
  });

  it('streams a chat in several chunks', async () => {
    const stream = await client(TOKEN).chat.completions.create({
      model: 'tiny:latest',
      messages,
      stream: true,
    });
    const times: number[] = [];
    for await (const _ of stream) times.push(performance.now());
    assert.ok(times.length > 2 && (times.at(-1) ?? 0) - (times[0] ?? 0) > 200, times.join());
  });

  it('reports the rejection of a wrong key as its own authentication error', async () => {
    await assert.rejects(client(`${TOKEN}x`).models.list(), OpenAI.AuthenticationError);
    await assert.rejects(client(TOKEN.toUpperCase()).models.list(), { status: 401, code: 'invalid_api_key' });
  });

  it('reads the base URL from the error if its path is missing', async () => {
    const wrong = new OpenAI({ baseURL: `${HOST}/v1`, apiKey: TOKEN, fetch: labFetch, maxRetries: 0 });
    await assert.rejects(wrong.models.list(), { status: 404, code: 'wrong_base_url' });
  });
});

describe('the ollama client', () => {
  const client = (token = TOKEN, host = NAME) =>
    new Ollama({ host, headers: { Authorization: `Bearer ${token}` }, fetch: labFetch as typeof fetch });

  it('lists the models', async () => {
    assert.deepEqual(
      (await client().list()).models.map(({ name }) => name),
      ['tiny:latest'],
    );
  });

  it('streams a chat in several chunks', async () => {
    const times: number[] = [];
    for await (const _ of await client().chat({ model: 'tiny:latest', messages, stream: true }))
      times.push(performance.now());
    assert.ok(times.length > 2 && (times.at(-1) ?? 0) - (times[0] ?? 0) > 200, times.join());
  });

  it('shows the text of a rejection, and the base URL if its path is missing', async () => {
    await assert.rejects(client(`${TOKEN}x`).list(), /Missing or unknown bearer token/);
    await assert.rejects(client(TOKEN, HOST).list(), /base URL is https:\/\/ia\.enso\.4nkweb\.com\/ollama/);
  });
});

describe('the Anthropic client', () => {
  const client = (authToken: string, baseURL = NAME) =>
    new Anthropic({ baseURL, authToken, apiKey: null, fetch: labFetch, maxRetries: 5 });
  const request = { model: 'tiny:latest', max_tokens: 9, messages };

  it('gets a message with the token as an API key', async () => {
    const byKey = new Anthropic({
      baseURL: NAME,
      apiKey: TOKEN,
      authToken: null,
      fetch: labFetch,
      maxRetries: 0,
    });
    assert.equal((await byKey.messages.create(request)).content[0]?.type, 'text');
    const wrong = new Anthropic({ baseURL: NAME, apiKey: `${TOKEN}x`, authToken: null, fetch: labFetch });
    await assert.rejects(wrong.messages.create(request), Anthropic.AuthenticationError);
  });

  it('gets a message, complete and in several chunks', async () => {
    assert.equal((await client(TOKEN).messages.create(request)).content[0]?.type, 'text');
    const times: number[] = [];
    for await (const _ of await client(TOKEN).messages.create({ ...request, stream: true }))
      times.push(performance.now());
    assert.ok(times.length > 2 && (times.at(-1) ?? 0) - (times[0] ?? 0) > 200, times.join());
  });

  it('shows a rejection at once, without a retry', async () => {
    const start = performance.now();
    await assert.rejects(client(`${TOKEN}x`).messages.create(request), Anthropic.AuthenticationError);
    await assert.rejects(client(TOKEN, HOST).messages.create(request), Anthropic.NotFoundError);
    assert.ok(performance.now() - start < 2000);
  });
});

describe('when the backend is down', () => {
  before(async () => {
    const env = { IA_ENSO_OLLAMA_BEARER_TOKEN: TOKEN, IA_ENSO_BACKEND_IP: '192.168.1.100' };
    const { status, stderr } = await lab.run('deploy', ['--no-verify'], { env });
    assert.equal(status, 0, stderr);
  });

  it('every client shows that the service cannot be reached', async () => {
    const options = { fetch: labFetch, maxRetries: 0 };
    const openai = new OpenAI({ baseURL: `${NAME}/v1`, apiKey: TOKEN, ...options });
    const anthropic = new Anthropic({ baseURL: NAME, authToken: TOKEN, apiKey: null, ...options });
    const headers = { Authorization: `Bearer ${TOKEN}` };
    const ollama = new Ollama({ host: NAME, headers, fetch: labFetch as typeof fetch });
    const message = /cannot reach the service/;
    await assert.rejects(openai.models.list(), message);
    await assert.rejects(anthropic.messages.create({ model: 'x', max_tokens: 9, messages }), message);
    await assert.rejects(ollama.list(), message);
  });
});

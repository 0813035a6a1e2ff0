/** The official npm clients through the gate: they list models and stream a chat. */
import '../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { Ollama } from 'ollama';
import OpenAI from 'openai';
import { type Lab, startLab } from '../lab/namespaces/lab.ts';

const TOKEN = 'a-token-for-clients-0123456789-ABCdef';
const NAME = 'https://ia.enso.4nkweb.com/ollama';
const messages = [{ role: 'user' as const, content: 'Say hello.' }];
let lab: Lab;

/** fetch over node:https with the lab's CA, which this process did not know when it started. */
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
      (answer) => {
        const received = Readable.toWeb(answer) as ReadableStream<Uint8Array>;
        resolve(
          new Response(received, {
            status: answer.statusCode ?? 0,
            headers: answer.headers as Record<string, string>,
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

  it('streams a chat in several pieces', async () => {
    const stream = await client(TOKEN).chat.completions.create({
      model: 'tiny:latest',
      messages,
      stream: true,
    });
    const times: number[] = [];
    for await (const _ of stream) times.push(performance.now());
    assert.ok(times.length > 2 && (times.at(-1) ?? 0) - (times[0] ?? 0) > 200, times.join());
  });

  it('reads the refusal of a wrong key as its own authentication error', async () => {
    await assert.rejects(client(`${TOKEN}x`).models.list(), OpenAI.AuthenticationError);
    await assert.rejects(client(TOKEN.toUpperCase()).models.list(), { status: 401, code: 'invalid_api_key' });
  });
});

describe('the ollama client', () => {
  const client = () =>
    new Ollama({
      host: NAME,
      headers: { Authorization: `Bearer ${TOKEN}` },
      fetch: labFetch as typeof fetch,
    });

  it('lists the models', async () => {
    assert.deepEqual(
      (await client().list()).models.map(({ name }) => name),
      ['tiny:latest'],
    );
  });

  it('streams a chat in several pieces', async () => {
    const times: number[] = [];
    for await (const _ of await client().chat({ model: 'tiny:latest', messages, stream: true }))
      times.push(performance.now());
    assert.ok(times.length > 2 && (times.at(-1) ?? 0) - (times[0] ?? 0) > 200, times.join());
  });
});

/** A stand-in for Ollama: its native and its OpenAI-compatible API, with one model. */
import type { Server } from 'node:http';
import {
  type Call,
  countBody,
  echo,
  type Handler,
  json,
  type Routes,
  readJson,
  serve,
  silence,
  stream,
  text,
  words,
} from './stand-in.ts';

const MODEL = 'tiny:latest';
const NOW = '2026-01-01T00:00:00Z';
const DETAILS = {
  parent_model: '',
  format: 'gguf',
  family: 'llama',
  families: ['llama'],
  parameter_size: '1M',
};
const CARD = {
  name: MODEL,
  model: MODEL,
  modified_at: NOW,
  size: 42,
  digest: 'a'.repeat(64),
  details: DETAILS,
};
const OPENAI_CARD = { id: MODEL, object: 'model', created: 1767225600, owned_by: 'library' };
const USAGE = { prompt_tokens: 1, completion_tokens: 5, total_tokens: 6 };
const DONE = { done: true, done_reason: 'stop', total_duration: 1, eval_count: 5, eval_duration: 1 };

const line = (value: unknown) => `${JSON.stringify(value)}\n`;
const event = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;

/** A native answer: NDJSON unless the body says `"stream": false`. */
function native(wrap: (content: string) => object): Handler {
  return async (call) => {
    const body = await readJson(call.request);
    await silence(call);
    const head = { model: body.model ?? MODEL, created_at: NOW };
    if (body.stream === false) {
      json(call.response, { ...head, ...wrap(words(call).join('')), ...DONE });
      return;
    }
    const pieces = words(call).map((word) => line({ ...head, ...wrap(word), done: false }));
    await stream(call, 'application/x-ndjson', [...pieces, line({ ...head, ...wrap(''), ...DONE })]);
  };
}

type Choice = (content: string, isPiece: boolean) => object;

/** An OpenAI-shaped answer: SSE when the body says `"stream": true`. */
function openai(object: string, choice: Choice): Handler {
  return async (call) => {
    const body = await readJson(call.request);
    await silence(call);
    const answer = (content: string, finish: string | null, isPiece: boolean) => ({
      id: 'cmpl-1',
      object: isPiece && object === 'chat.completion' ? `${object}.chunk` : object,
      created: 1767225600,
      model: body.model ?? MODEL,
      choices: [{ index: 0, finish_reason: finish, ...choice(content, isPiece) }],
    });
    if (body.stream !== true) {
      json(call.response, { ...answer(words(call).join(''), 'stop', false), usage: USAGE });
      return;
    }
    const pieces = words(call).map((word) => event(answer(word, null, true)));
    await stream(call, 'text/event-stream', [...pieces, event(answer('', 'stop', true)), 'data: [DONE]\n\n']);
  };
}

const chatChoice: Choice = (content, isPiece) => ({
  [isPiece ? 'delta' : 'message']: { role: 'assistant', content },
});

const answer = (value: unknown): Handler => {
  return async ({ request, response }) => {
    await countBody(request);
    json(response, value);
  };
};

/** What changes the models: says how many bytes of the request's body arrived. */
const counted: Handler = async ({ request, response }) => {
  json(response, { status: 'success', bytes: await countBody(request) });
};

const running: Handler = ({ response }) => text(response, 'text/plain', 'Ollama is running');

const routes: Routes = {
  'GET /': running,
  'HEAD /': running,
  'GET /api/tags': answer({ models: [CARD] }),
  'HEAD /api/tags': answer({ models: [CARD] }),
  'GET /api/version': answer({ version: '0.12.0' }),
  'GET /api/ps': answer({ models: [{ ...CARD, expires_at: NOW, size_vram: 42 }] }),
  'POST /api/show': answer({ modelfile: '', parameters: '', template: '', details: DETAILS, model_info: {} }),
  'POST /api/chat': native((content) => ({ message: { role: 'assistant', content } })),
  'POST /api/generate': native((response) => ({ response })),
  'POST /api/embed': answer({ model: MODEL, embeddings: [[0.1, 0.2]] }),
  'POST /api/embeddings': answer({ embedding: [0.1, 0.2] }),
  'POST /api/pull': counted,
  'POST /api/push': counted,
  'POST /api/create': counted,
  'POST /api/copy': counted,
  'DELETE /api/delete': counted,
  'POST /api/blobs/*': counted,
  'HEAD /api/blobs/*': counted,
  '* /api/echo': echo,
  'GET /v1/models': answer({ object: 'list', data: [OPENAI_CARD] }),
  'GET /v1/models/*': answer(OPENAI_CARD),
  'POST /v1/chat/completions': openai('chat.completion', chatChoice),
  'POST /v1/completions': openai('text_completion', (text) => ({ text })),
  'POST /v1/embeddings': answer({
    object: 'list',
    model: MODEL,
    data: [{ object: 'embedding', index: 0, embedding: [0.1, 0.2] }],
    usage: USAGE,
  }),
  '* /v1/echo': echo,
};

/** As Ollama does when it listens on loopback: foreign pages and rebound names get nothing. */
function isForeign({ request }: Call): boolean {
  const { origin, host = '' } = request.headers;
  const isLocal = (name: string) => /^(?:localhost|[0-9.]+)(?::[0-9]+)?$/.test(name);
  return !isLocal(host) || (origin !== undefined && !isLocal(origin.replace(/^https?:\/\//, '')));
}

const guarded = (handler: Handler): Handler => {
  return (call) => (isForeign(call) ? text(call.response, 'text/plain', '', 403) : handler(call));
};

/** Like the router that Ollama uses: a final slash too many is redirected, to a path of its own root. */
const unknownPath: Handler = ({ response, url }) => {
  if (url.pathname.length < 2 || !url.pathname.endsWith('/'))
    return text(response, 'text/plain', '404 page not found', 404);
  response.writeHead(307, { location: url.pathname.slice(0, -1) }).end();
};

/** The server, not yet listening. */
export function ollama(): Server {
  const entries = Object.entries(routes).map(([key, handler]) => [key, guarded(handler)] as const);
  const server = serve('ollama', Object.fromEntries(entries), guarded(unknownPath));
  // A Go server: it closes no idle connection, and waits for a slow body as long as it takes.
  server.keepAliveTimeout = 3_600_000;
  server.requestTimeout = 0;
  return server;
}

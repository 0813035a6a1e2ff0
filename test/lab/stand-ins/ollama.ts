/** A stand-in for Ollama: its native API and its guard, with one model. */
import type { Server } from 'node:http';
import { openaiRoutes } from './ollama-openai.ts';
import {
  answer,
  type Call,
  countBody,
  echo,
  type Handler,
  json,
  MODEL,
  type Routes,
  readJson,
  serve,
  stream,
  text,
  waitIfSilent,
  words,
} from './stand-in.ts';

const NOW = '2026-01-01T00:00:00Z';
const DETAILS = {
  parent_model: '',
  format: 'gguf',
  family: 'llama',
  families: ['llama'],
  parameter_size: '1M',
};
/** Properties that differ between machines; `PUT /stand-in` changes them. */
const machine = {
  version: '0.12.0',
  /** The account for which ollama.com serves cloud models; empty if nobody is signed in. */
  account: '',
  isCloudDisabled: false,
  /** Fields of additional models, such as `remote_host`. */
  models: [] as readonly Readonly<Record<string, unknown>>[],
};
const CARD = {
  name: MODEL,
  model: MODEL,
  modified_at: NOW,
  size: 42,
  digest: 'a'.repeat(64),
  details: DETAILS,
};
const DONE = { done: true, done_reason: 'stop', total_duration: 1, eval_count: 5, eval_duration: 1 };

const line = (value: unknown) => `${JSON.stringify(value)}\n`;

/** A native response: NDJSON unless the body has `"stream": false`. */
function native(wrap: (content: string) => object): Handler {
  return async (call) => {
    const body = await readJson(call.request);
    await waitIfSilent(call);
    const head = { model: body.model ?? MODEL, created_at: NOW };
    if (body.stream === false) {
      json(call.response, { ...head, ...wrap(words(call).join('')), ...DONE });
      return;
    }
    const chunks = words(call).map((word) => line({ ...head, ...wrap(word), done: false }));
    await stream(call, 'application/x-ndjson', [...chunks, line({ ...head, ...wrap(''), ...DONE })]);
  };
}

/** Endpoints that change models: return the number of body bytes received. */
const counted: Handler = async ({ request, response }) => {
  json(response, { status: 'success', bytes: await countBody(request) });
};

const running: Handler = ({ response }) => text(response, 'text/plain', 'Ollama is running');

const tags: Handler = ({ response }) =>
  json(response, { models: [CARD, ...machine.models.map((more) => ({ ...CARD, ...more }))] });

/** As in Ollama 0.16; the sign-in URL contains the machine's key. */
const account: Handler = ({ response }) =>
  machine.account === ''
    ? json(response, { error: 'unauthorized', signin_url: 'https://ollama.com/connect?key=a2V5' }, 401)
    : json(response, { id: '1', email: 'ops@example.org', name: machine.account });

const change: Handler = async ({ request, response }) =>
  json(response, Object.assign(machine, await readJson(request)));

const routes: Routes = {
  'PUT /stand-in': change,
  'GET /': running,
  'HEAD /': running,
  'GET /api/tags': tags,
  'HEAD /api/tags': tags,
  'GET /api/version': ({ response }) => json(response, { version: machine.version }),
  'GET /api/status': ({ response }) =>
    json(response, { cloud: { disabled: machine.isCloudDisabled, source: 'env' } }),
  'POST /api/me': account,
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
  ...openaiRoutes,
};

/** Ollama on loopback rejects foreign origins and rebound names. */
function isForeign({ request }: Call): boolean {
  const { origin, host = '' } = request.headers;
  const isLocal = (name: string) => /^(?:localhost|[0-9.]+)(?::[0-9]+)?$/.test(name);
  return !isLocal(host) || (origin !== undefined && !isLocal(origin.replace(/^https?:\/\//, '')));
}

const guarded = (handler: Handler): Handler => {
  return (call) => (isForeign(call) ? text(call.response, 'text/plain', '', 403) : handler(call));
};

/** Ollama's router redirects a path with an extra trailing slash, relative to its own root. */
const unknownPath: Handler = ({ response, url }) => {
  if (url.pathname.length < 2 || !url.pathname.endsWith('/'))
    return text(response, 'text/plain', '404 page not found', 404);
  response.writeHead(307, { location: url.pathname.slice(0, -1) }).end();
};

/** The server, not yet listening. */
export function ollama(): Server {
  const entries = Object.entries(routes).map(([key, handler]) => [key, guarded(handler)] as const);
  const server = serve('ollama', Object.fromEntries(entries), guarded(unknownPath));
  // As a Go server: it keeps idle connections open and waits indefinitely for a slow body.
  server.keepAliveTimeout = 3_600_000;
  server.requestTimeout = 0;
  return server;
}

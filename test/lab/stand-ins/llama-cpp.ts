/**
 * A stand-in for llama.cpp's server (8080) on the given address: its OpenAI-compatible API, its page, its own errors.
 */
import { once } from 'node:events';
import { openaiRoutes } from './ollama-openai.ts';
import { answer, type Handler, json, type Routes, serve, text } from './stand-in.ts';

const notFound: Handler = ({ response }) =>
  json(response, { error: { code: 404, message: 'File Not Found', type: 'not_found_error' } }, 404);

const routes: Routes = {
  ...openaiRoutes,
  'GET /': ({ response }) => text(response, 'text/html', '<!doctype html><title>llama.cpp</title>'),
  'GET /health': answer({ status: 'ok' }),
  'GET /props': answer({ total_slots: 1 }),
  'GET /slots': answer([{ id: 0, prompt: 'a prompt of somebody else' }]),
};

const server = serve('llama.cpp', routes, notFound);
server.listen(8080, process.argv[2] ?? '127.0.0.1');
await once(server, 'listening');
console.log('ready');

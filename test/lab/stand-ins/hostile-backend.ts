/**
 * Stand-ins for Ollama (11434) and AnythingLLM (3001) whose responses are endless or oversized; writes the highest
 * number of concurrent requests to a file, and prints `ready`.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { setInterval } from 'node:timers';

const [, , address = '127.0.0.1', file = '/dev/null'] = process.argv;
let [open, maxOpen] = [0, 0];

/** Writes a chunk at an interval, until the client closes the connection. */
function trickle(response: ServerResponse, chunk: string, intervalMs: number): void {
  const timer = setInterval(() => response.write(chunk), intervalMs);
  response.on('close', () => clearInterval(timer));
}

/** As fast as the client reads. */
function flood(response: ServerResponse): void {
  const write = () => {
    while (!response.destroyed && response.write(Buffer.alloc(65_536, 'x')));
  };
  response.on('drain', write);
  write();
}

const json = { 'content-type': 'application/json' };
const scripts = Array.from({ length: 20_000 }, (_, n) => `<script src="/${n}.js"></script>`).join('');

const ollama: RequestListener = ({ url = '' }, reply) => {
  if (url.startsWith('/v1/models')) return reply.writeHead(200, json).end('{"data":[{"id":"m"}]}');
  if (url.startsWith('/v1/chat')) {
    reply.writeHead(200, { 'content-type': 'text/event-stream' });
    return trickle(reply, 'data: {"choices":[{"delta":{"content":"x"}}]}\n\n', 20);
  }
  // The list of models, one character at a time.
  return trickle(reply.writeHead(200, json), '[', 500);
};

const anythingllm: RequestListener = ({ url = '' }, reply) => {
  if (url === '/') return reply.writeHead(200, { 'content-type': 'text/html' }).end(scripts);
  if (url === '/api/ping') return reply.writeHead(200, { ...json, 'x-long': 'x'.repeat(500_000) }).end('{}');
  if (url.endsWith('.js')) return setTimeout(() => flood(reply), 50);
  return flood(reply.writeHead(200, { 'content-type': 'text/plain' }));
};

for (const [port, listener] of [
  [11434, ollama],
  [3001, anythingllm],
] as const) {
  const server = createServer((request, reply) => {
    open += 1;
    maxOpen = Math.max(maxOpen, open);
    writeFileSync(file, `${maxOpen}`);
    reply.on('close', () => {
      open -= 1;
    });
    listener(request, reply);
  });
  // WebSocket handshakes get no response.
  server.on('upgrade', (_, socket) => socket.on('error', () => {}));
  server.listen(port, address);
  await once(server, 'listening');
}
console.log('ready');

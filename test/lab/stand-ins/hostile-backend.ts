/** Stand-ins for Ollama (11434) and AnythingLLM (3001) that end no answer, or give too much of it; writes into a file how many requests were open at once, and says `ready`. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { setInterval } from 'node:timers';

const [, , address = '127.0.0.1', file = '/dev/null'] = process.argv;
let [open, most] = [0, 0];

/** Writes a piece every so many milliseconds, for as long as somebody reads. */
function without(end: ServerResponse, piece: string, every: number): void {
  const timer = setInterval(() => end.write(piece), every);
  end.on('close', () => clearInterval(timer));
}

/** As fast as it is read. */
function flood(answer: ServerResponse): void {
  const more = () => {
    while (!answer.destroyed && answer.write(Buffer.alloc(65_536, 'x')));
  };
  answer.on('drain', more);
  more();
}

const json = { 'content-type': 'application/json' };
const scripts = Array.from({ length: 20_000 }, (_, n) => `<script src="/${n}.js"></script>`).join('');

const ollama: RequestListener = ({ url = '' }, answer) => {
  if (url.startsWith('/v1/models')) return answer.writeHead(200, json).end('{"data":[{"id":"m"}]}');
  if (url.startsWith('/v1/chat')) {
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    return without(answer, 'data: {"choices":[{"delta":{"content":"x"}}]}\n\n', 20);
  }
  // The list of models, a character at a time.
  return without(answer.writeHead(200, json), '[', 500);
};

const anythingllm: RequestListener = ({ url = '' }, answer) => {
  if (url === '/') return answer.writeHead(200, { 'content-type': 'text/html' }).end(scripts);
  if (url === '/api/ping') return answer.writeHead(200, { ...json, 'x-long': 'x'.repeat(500_000) }).end('{}');
  if (url.endsWith('.js')) return setTimeout(() => flood(answer), 50);
  return flood(answer.writeHead(200, { 'content-type': 'text/plain' }));
};

for (const [port, listener] of [
  [11434, ollama],
  [3001, anythingllm],
] as const) {
  const server = createServer((request, answer) => {
    open += 1;
    most = Math.max(most, open);
    writeFileSync(file, `${most}`);
    answer.on('close', () => {
      open -= 1;
    });
    listener(request, answer);
  });
  // A handshake of WebSocket is never answered.
  server.on('upgrade', (_, socket) => socket.on('error', () => {}));
  server.listen(port, address);
  await once(server, 'listening');
}
console.log('ready');

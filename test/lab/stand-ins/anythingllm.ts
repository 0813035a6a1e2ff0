/** A stand-in for AnythingLLM: a page built for the root of a host, its API, uploads and the agents' WebSocket. */
import type { Server } from 'node:http';
import { WebSocketServer } from 'ws';
import {
  countBody,
  echo,
  type Handler,
  json,
  type Routes,
  serve,
  stream,
  text,
  waitIfSilent,
  words,
} from './stand-in.ts';

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="UTF-8" />
    <title>AnythingLLM | Your personal LLM trained on anything</title>
    <link rel="icon" type="image/png" href="/favicon.png" />
    <script type="module" crossorigin src="/index.js"></script>
    <link rel="stylesheet" crossorigin href="/index.css">
  </head>
  <body><div id="root"></div></body>
</html>
`;
const SCRIPT =
  "fetch('/api/ping').then((r) => r.json()).then((p) => { document.title = 'online: ' + p.online; });\n";
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
);

const page: Handler = ({ response }) => text(response, 'text/html; charset=utf-8', PAGE);

const upload: Handler = async ({ request, response }) => {
  json(response, { success: true, error: null, bytes: await countBody(request) });
};

const chat: Handler = async (call) => {
  await countBody(call.request);
  await waitIfSilent(call);
  const chunks = words(call).map(
    (textResponse) => `data: ${JSON.stringify({ type: 'textResponseChunk', textResponse })}\n\n`,
  );
  await stream(call, 'text/event-stream', [
    ...chunks,
    'data: {"type":"finalizeResponseStream","close":true}\n\n',
  ]);
};

const routes: Routes = {
  'GET /index.js': ({ response }) => text(response, 'application/javascript; charset=UTF-8', SCRIPT),
  'GET /index.css': ({ response }) => text(response, 'text/css; charset=UTF-8', 'body { margin: 0; }\n'),
  'GET /favicon.png': ({ response }) => text(response, 'image/png', PIXEL),
  'GET /api/ping': ({ response }) => json(response, { online: true }),
  'POST /api/v1/document/upload': upload,
  'POST /api/workspace/demo/upload': upload,
  'POST /api/workspace/demo/stream-chat': chat,
  'GET /api/stream': chat,
  '* /api/echo': echo,
};

const AGENT = /^\/api\/agent-invocation\/[^/?]+(?:\?|$)/;

/** Echoes each message; other paths get no handshake. */
function addAgents(server: Server): void {
  const agents = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    if (!AGENT.test(request.url ?? ''))
      return socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
    agents.handleUpgrade(request, socket, head, (agent) => {
      agent.on('message', (data, isBinary) => agent.send(data, { binary: isBinary }));
    });
  });
}

/** The server, not yet listening; any other path gets the page, as is usual for a single-page application. */
export function anythingllm(): Server {
  const server = serve('anythingllm', routes, page);
  // Node's default, made explicit because the proxy must cope with it.
  server.keepAliveTimeout = 5000;
  addAgents(server);
  return server;
}

/** Starts the stand-ins for the Nexus services (3001, 3050, 3060) on the given address, and prints `ready`. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { WebSocketServer } from 'ws';
import {
  countBody,
  type Handler,
  json,
  MODEL,
  type Routes,
  readJson,
  serve,
  stream,
  waitIfSilent,
  words,
} from './stand-in.ts';

const address = process.argv[2] ?? '127.0.0.1';
const VIRTUAL_KEY = 'nvk-lab-0123456789abcdef';

/** Which service answered, and the exact request. */
const answerOf =
  (service: string): Handler =>
  async ({ request, response }) => {
    const bytes = await countBody(request);
    const { method, url, headers, rawHeaders } = request;
    json(response, { service, method, url, headers, rawHeaders, bytes });
  };

const guarded =
  (handler: Handler): Handler =>
  (call) =>
    call.request.headers.authorization === `Bearer ${VIRTUAL_KEY}`
      ? handler(call)
      : json(call.response, { error: { message: 'a virtual key is wanted' } }, 401);

const chat: Handler = async (call) => {
  await readJson(call.request);
  await waitIfSilent(call);
  const chunks = words(call).map(
    (content) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`,
  );
  await stream(call, 'text/event-stream', [...chunks, 'data: [DONE]\n\n']);
};

const gateway: Routes = {
  'GET /v1/models': guarded(({ response }) => json(response, { object: 'list', data: [{ id: MODEL }] })),
  'POST /v1/chat/completions': guarded(chat),
  '* /v1/lost': ({ response }) => json(response, { error: 'no such thing' }, 404),
};

const controlPlane: Routes = { 'GET /api/compliance/export': chat, 'GET /api/hang': () => {} };

/** The Hub accepts things with a token, and echoes each message. */
function addThings(server: Server): Server {
  const things = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    if (!/^\/ws\?token=./.test(request.url ?? ''))
      return socket.end(
        'HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{}\n',
      );
    things.handleUpgrade(request, socket, head, (thing) => {
      thing.on('message', (data, isBinary) => thing.send(data, { binary: isBinary }));
    });
  });
  return server;
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, address);
  await once(server, 'listening');
}

const hub = addThings(serve('hub', {}, answerOf('hub')));
await Promise.all([
  listen(serve('control-plane', controlPlane, answerOf('control-plane')), 3001),
  listen(serve('ai-gateway', gateway, answerOf('ai-gateway')), 3050),
  listen(hub, 3060),
]);
console.log('ready');

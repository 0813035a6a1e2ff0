/**
 * Requests streamed completions, alternately through the gate and from the backend, and measures the time to the first
 * chunk: stream-client.ts ROUNDS, on a proxy of the lab, with the token in TOKEN. Prints milliseconds, `{ gate, direct
 * }`.
 */
import { once } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';
import { SITE } from '../test/lab/actors/deploys.ts';
import { BACKEND } from '../test/lab/namespaces/network.ts';
import { inTurns } from './turns.ts';

const BODY = JSON.stringify({
  model: 'tiny:latest',
  stream: true,
  messages: [{ role: 'user', content: 'Hello' }],
});
const QUERY = '?pieces=2&every=1';
const headers = {
  'content-type': 'application/json',
  'content-length': BODY.length,
  authorization: `Bearer ${process.env.TOKEN}`,
};
const common = { method: 'POST', headers } as const;
const viaGate = {
  ...common,
  host: SITE,
  path: `/ollama/v1/chat/completions${QUERY}`,
  agent: new https.Agent({ keepAlive: true }),
  rejectUnauthorized: false,
};
const direct = {
  ...common,
  host: BACKEND.lan,
  port: 11434,
  path: `/v1/chat/completions${QUERY}`,
  agent: new http.Agent({ keepAlive: true }),
};

/** The time until the first chunk; reads the rest too, so that the connection can be reused. */
async function timeToFirstChunk(request: http.ClientRequest): Promise<number> {
  const start = performance.now();
  const [response] = (await once(request.end(BODY), 'response')) as [http.IncomingMessage];
  // On a busy machine the end may arrive together with the first chunk.
  const ended = once(response, 'end');
  await once(response, 'data');
  const milliseconds = performance.now() - start;
  if (response.statusCode !== 200) throw new Error(`${response.statusCode}`);
  await ended;
  return milliseconds;
}

const turns = {
  gate: () => timeToFirstChunk(https.request(viaGate)),
  direct: () => timeToFirstChunk(http.request(direct)),
};
await inTurns(3, turns, () => {});
console.log(JSON.stringify(await inTurns(Number(process.argv[2]), turns, () => {})));
viaGate.agent.destroy();
direct.agent.destroy();

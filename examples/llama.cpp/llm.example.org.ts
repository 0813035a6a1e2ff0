/** The site llm.example.org: llama.cpp's server behind a bearer gate. */
import * as check from 'gatepost/checks';
import { OPENAI } from 'gatepost/client-settings';
import { gate, gateMap, tokenSettings } from 'gatepost/gate';
import { ipv4 } from 'gatepost/settings';
import type { Site } from 'gatepost/site';

const NAME = 'llm.example.org';
const TOKEN = 'LLM_BEARER_TOKEN';
const INFERENCE_TOKEN = 'LLM_INFERENCE_TOKEN';
const service = 'llama.cpp';
const models = '/v1/models';
const GATE = {
  site: NAME,
  name: 'llm',
  path: '/',
  service,
  inference: 'health\\z|v1/(?:chat/completions|completions|embeddings|messages|models|rerank|responses)\\z',
  inferencePaths:
    '/health and /v1/{chat/completions,completions,embeddings,messages,models,rerank,responses}',
} as const;

export const site: Site = {
  name: NAME,
  serverName: NAME,
  prefix: 'LLM',
  settings: {
    LLM_BACKEND_IP: { form: ipv4, required: true, meaning: 'IPv4 address of llama.cpp' },
    ...tokenSettings(TOKEN, INFERENCE_TOKEN),
  },
  maps: [gateMap(GATE)],
  webSocket: false,
  gate: gate(GATE, { token: TOKEN, inferenceToken: INFERENCE_TOKEN, models, settings: OPENAI }),
  checks: [
    check.httpRedirects(),
    check.challengePath(),
    check.certificate(),
    check.bearerGate({ lists: [models], tokenVariable: TOKEN }),
    check.streams({ models, completions: '/v1/chat/completions', tokenVariable: TOKEN }),
    check.inferenceScope({
      forbidden: { method: 'GET', path: '/slots' },
      models,
      service,
      tokenVariable: INFERENCE_TOKEN,
    }),
    check.bypassAttempts({ prefix: '/v1', list: '/models', service }),
    check.publicName(),
    check.otherNames(),
    check.closedPorts([8080]),
  ],
};

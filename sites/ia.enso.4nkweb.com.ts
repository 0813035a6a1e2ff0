/** The site ia.enso.4nkweb.com: Ollama behind a bearer gate, AnythingLLM beside it. */
import {
  bearerGate,
  bypassAttempts,
  certificate,
  challengePath,
  closedPorts,
  httpRedirects,
  inferenceScope,
  publicName,
  streams,
  webInterface,
  webSocket,
} from '../lib/checks/catalog.ts';
import { ipv4, token } from '../lib/config/validators.ts';
import type { Site } from '../lib/model/site.ts';

const TOKEN = 'IA_ENSO_OLLAMA_BEARER_TOKEN';
const INFERENCE_TOKEN = 'IA_ENSO_INFERENCE_TOKEN';
const OLLAMA = '/ollama';
const MODELS = `${OLLAMA}/v1/models`;
const AGENT_SOCKET = '/api/agent-invocation/00000000-0000-0000-0000-000000000000';

export const site: Site = {
  name: 'ia.enso.4nkweb.com',
  serverName: 'ia.enso.4nkweb.com',
  prefix: 'IA_ENSO',
  proxy: { host: '192.168.1.100', user: 'ncantu' },
  settings: {
    IA_ENSO_BACKEND_IP: {
      form: ipv4,
      default: '192.168.1.164',
      meaning: 'IPv4 address of the machine with Ollama and AnythingLLM',
    },
    [TOKEN]: { form: token, meaning: 'the bearer token of the client `default`' },
    [INFERENCE_TOKEN]: { form: token, meaning: 'a token of scope `inference`, for one check only' },
  },
  maps: [{ source: 'ia-enso-ollama-bearer.map.conf.example', name: 'ia-enso-http-maps.conf', mode: '600' }],
  webSocket: true,
  gate: {
    token: TOKEN,
    inferenceToken: INFERENCE_TOKEN,
    clients: '/etc/nginx/ia-enso-bearers',
    path: OLLAMA,
    limits: { 10: 'ia_enso_ollama_10', 60: 'ia_enso_ollama_60', 600: 'ia_enso_ollama_600' },
    log: '/var/log/nginx/ia.enso.4nkweb.com.access.log',
  },
  checks: [
    httpRedirects(),
    challengePath(),
    certificate(),
    bearerGate({ lists: [MODELS, `${OLLAMA}/api/tags`], tokenVariable: TOKEN }),
    streams({
      models: MODELS,
      completions: `${OLLAMA}/v1/chat/completions`,
      tokenVariable: TOKEN,
    }),
    webSocket({ path: AGENT_SOCKET }),
    webInterface({ entry: '/anythingllm/', ping: '/api/ping' }),
    inferenceScope({
      deletes: `${OLLAMA}/api/delete`,
      models: MODELS,
      tokenVariable: INFERENCE_TOKEN,
    }),
    bypassAttempts({ prefix: OLLAMA, list: '/api/tags' }),
    publicName(),
    closedPorts([11434, 3001]),
  ],
};

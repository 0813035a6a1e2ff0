/** The site ia.enso.4nkweb.com: Ollama behind a bearer gate, and AnythingLLM. */
import {
  bearerGate,
  bypassAttempts,
  certificate,
  challengePath,
  closedPorts,
  cloudAccount,
  crossOrigin,
  httpRedirects,
  inferenceScope,
  otherNames,
  publicName,
  streams,
  webInterface,
  webSocket,
} from '../lib/checks/catalog.ts';
import {
  endpointOrNone,
  endpoints,
  ipv4,
  publicName as nameForm,
  origins,
} from '../lib/config/validators.ts';
import type { Site } from '../lib/model/site.ts';
import { ANYTHINGLLM, OPENAI } from './shared/client-settings.ts';
import { gate, gateMap, tokenSettings, WRITTEN } from './shared/gate.ts';

const DEFAULT_NAME = 'ia.enso.4nkweb.com';
const TOKEN = 'IA_ENSO_OLLAMA_BEARER_TOKEN';
const INFERENCE_TOKEN = 'IA_ENSO_INFERENCE_TOKEN';
const ORIGINS = 'IA_ENSO_CORS_ORIGINS';
const OLLAMA = WRITTEN.path;
const MODELS = `${OLLAMA}/v1/models` as const;
const AGENT_SOCKET = '/api/agent-invocation/00000000-0000-0000-0000-000000000000';

export const site: Site = {
  name: 'ia.enso.4nkweb.com',
  serverName: DEFAULT_NAME,
  nameFrom: 'IA_ENSO_SERVER_NAME',
  prefix: 'IA_ENSO',
  seed: {
    IA_ENSO_PROXY_HOST: '192.168.1.100',
    IA_ENSO_PROXY_USER: 'ncantu',
    IA_ENSO_BACKEND_IP: '192.168.1.164',
    DEPLOY_SSH_PROXY_HOST: '4nk.myftp.biz',
  },
  settings: {
    IA_ENSO_SERVER_NAME: {
      form: nameForm,
      default: DEFAULT_NAME,
      meaning: 'public name; the vhost file, the certificate, the log and the client settings follow it',
    },
    IA_ENSO_BACKEND_IP: {
      form: ipv4,
      required: true,
      meaning: 'IPv4 address of the machine with Ollama and AnythingLLM',
    },
    IA_ENSO_OLLAMA_BACKENDS: {
      form: endpoints,
      unset: '`IA_ENSO_BACKEND_IP`, port 11434',
      meaning: 'machines with Ollama, `IPv4[:port]` separated by commas',
    },
    IA_ENSO_ANYTHINGLLM: {
      form: endpointOrNone,
      unset: '`IA_ENSO_BACKEND_IP`, port 3001',
      meaning: 'AnythingLLM, `IPv4[:port]`, or `none` for Ollama alone',
    },
    ...tokenSettings(TOKEN, INFERENCE_TOKEN),
    [ORIGINS]: { form: origins, meaning: 'exact origins of browser clients, separated by commas' },
  },
  backends: {
    IA_ENSO_OLLAMA_BACKENDS: {
      text: '__IA_ENSO_BACKEND_IP__:11434',
      whenClosed: {
        error: 'backend …:11434 closed, while the same machine answers on 3001',
        cause: 'Ollama listens only on 127.0.0.1 of its machine, as it does by default.',
        fix: 'On that machine: `systemctl edit ollama`, add `[Service]` and `Environment="OLLAMA_HOST=0.0.0.0"`, then `systemctl restart ollama` (macOS: `launchctl setenv OLLAMA_HOST 0.0.0.0`, then start it again). Then allow only the proxy in its firewall: docs/firewall.md.',
      },
      reports: {
        upstream: 'ia_enso_ollama',
        version: { path: '/api/version', field: 'version' },
        models: '/api/tags',
        fix: '`ollama pull MODEL` on the machine itself (through the gate, only the first one changes)',
      },
    },
    IA_ENSO_ANYTHINGLLM: { text: '__IA_ENSO_BACKEND_IP__:3001', checks: ['webSocket', 'webInterface'] },
  },
  maps: [gateMap(WRITTEN)],
  webSocket: true,
  gate: gate(WRITTEN, {
    token: TOKEN,
    inferenceToken: INFERENCE_TOKEN,
    origins: ORIGINS,
    models: MODELS,
    settings: [...OPENAI, ANYTHINGLLM],
  }),
  checks: [
    httpRedirects(),
    challengePath(),
    certificate(),
    bearerGate({ lists: [MODELS, `${OLLAMA}/api/tags`], tokenVariable: TOKEN }),
    crossOrigin({ path: MODELS, originsVariable: ORIGINS }),
    streams({
      models: MODELS,
      completions: `${OLLAMA}/v1/chat/completions`,
      tokenVariable: TOKEN,
    }),
    webSocket({ path: AGENT_SOCKET }),
    webInterface({ entry: '/anythingllm/', ping: '/api/ping' }),
    inferenceScope({
      // Names no model, so Ollama deletes nothing.
      forbidden: { method: 'DELETE', path: `${OLLAMA}/api/delete` },
      models: MODELS,
      service: 'Ollama',
      tokenVariable: INFERENCE_TOKEN,
    }),
    cloudAccount({
      disabled: { path: `${OLLAMA}/api/status`, field: ['cloud', 'disabled'] },
      account: { method: 'POST', path: `${OLLAMA}/api/me`, field: 'name' },
      models: { path: `${OLLAMA}/api/tags`, field: 'remote_host' },
      service: 'Ollama',
      provider: 'ollama.com',
      fix: 'Set `OLLAMA_NO_CLOUD=1` in the environment of Ollama (`sudo systemctl edit ollama`: `[Service]` and `Environment=OLLAMA_NO_CLOUD=1`) and restart it, or sign out with `ollama signout`.',
      tokenVariable: TOKEN,
    }),
    bypassAttempts({
      prefix: OLLAMA,
      list: '/api/tags',
      service: 'Ollama',
      // AnythingLLM responds with HTML or JSON; Ollama rejects a foreign Host with an empty 403.
      signature: {
        texts: /^\s*(?:Ollama is running|404 page not found|405 method not allowed)\s*$/i,
        empty: [403],
      },
      others: ['/anythingllm'],
    }),
    publicName(),
    otherNames(),
    closedPorts([11434, 3001]),
  ],
};

/** The site nexus: the Nexus Gateway appliance, reached by its name or by its address. */
import {
  certificate,
  challengePath,
  closed,
  httpRedirects,
  reaches,
  streams,
  webInterface,
  webSocket,
} from '../lib/checks/catalog.ts';
import { ipv4, publicNameOrAddress, token } from '../lib/config/validators.ts';
import type { Site } from '../lib/model/site.ts';

const KEY = 'NEXUS_VIRTUAL_KEY';

export const site: Site = {
  name: 'nexus',
  serverName: '_',
  nameFrom: 'NEXUS_SERVER_NAME',
  prefix: 'NEXUS',
  proxy: { user: 'root' },
  settings: {
    NEXUS_BACKEND_IP: {
      form: ipv4,
      default: '127.0.0.1',
      meaning: "IPv4 address of the appliance's services, as nginx reaches them",
    },
    NEXUS_SERVER_NAME: {
      form: publicNameOrAddress,
      unset: 'none: the appliance is reached by its address',
      meaning: 'public name, or public IPv4 address for a certificate from a CA',
    },
    [KEY]: { form: token, meaning: 'a virtual key, for one check only' },
  },
  maps: [],
  webSocket: true,
  certificate: { chain: '/etc/nexus/tls.crt', key: '/etc/nexus/tls.key' },
  checkToken: KEY,
  checks: [
    httpRedirects(),
    challengePath(),
    certificate(),
    reaches('AI Gateway', [
      '/v1',
      '/v1/models',
      '/v1beta',
      '/v1beta/models',
      '/openai/deployments',
      '/openai/deployments/check/chat/completions',
      '/api/paas',
      '/api/paas/v4/models',
    ]),
    reaches('Hub', ['/api/internal/things/']),
    webSocket({ path: '/ws', refusals: [401, 403] }),
    reaches('Control Plane', [
      '/api/',
      '/oauth/token',
      '/authserver/',
      '/.well-known/openid-configuration',
      '/scim/v2/ServiceProviderConfig',
      '/healthz',
      '/ready',
    ]),
    closed(['/internal/', '/metrics', '/debug/', '/api/hub/']),
    webInterface({ entry: '/' }),
    streams({
      models: '/v1/models',
      completions: '/v1/chat/completions',
      tokenVariable: KEY,
      service: 'the AI Gateway',
    }),
  ],
};

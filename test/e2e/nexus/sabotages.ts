/** The sabotages of the Nexus appliance: every row of its vhost, and what the checks must report. */
import type { Sabotage } from '../checks/spoiled-nginx.ts';

const GATEWAY = '"^/(?:v1|v1beta|openai/deployments|api/paas)(?:/|\\z)"';
const CONTROL = '"^/(?:(?:oauth|authserver|\\.well-known|scim)/|(?:healthz|ready)\\z)"';
const CLOSED = '(?:internal|metrics|debug|api(?:%[0-9a-f]{2}|[^a-z0-9])+hub)';
const LOST =
  /(is not reached: \S+ returns (an HTML page \(200\)|an nginx error page \(404\))[^.]*|200, but not a JSON list of models)\. Another location of the vhost matches the path.*deploy the site again/;
const DOWN =
  /returns an nginx error page \(502\)\. nginx could not reach the backend: the service is down.*status\.ts|returns 502/;

/** A path that is lost to the web interface, which returns its page with 200 for any unknown path. */
const toInterface = (name: string, path: string, list: string, without: string, check: string): Sabotage => ({
  fact: `the page where ${path} should be (${name})`,
  replace: list,
  by: without,
  fails: path === '/v1' ? [check, 'streaming'] : [check],
  says: LOST,
});

const GATEWAY_PATHS: readonly Sabotage[] = (
  [
    ['OpenAI', '/v1', 'v1|'],
    ['Gemini', '/v1beta', 'v1beta|'],
    ['Azure', '/openai/deployments', 'openai/deployments|'],
  ] as const
).map(([name, path, part]) => toInterface(name, path, GATEWAY, GATEWAY.replace(part, ''), 'AI Gateway'));

const CONTROL_PATHS: readonly Sabotage[] = (
  [
    ['logins', '/oauth/', 'oauth|'],
    ['the authorization server', '/authserver/', 'authserver|'],
    ['metadata', '/.well-known/', '\\.well-known|'],
    ['users from Okta and Entra', '/scim/', '|scim'],
    ['health', '/healthz', 'healthz|'],
    ['readiness', '/ready', '|ready'],
  ] as const
).map(([name, path, part]) => toInterface(name, path, CONTROL, CONTROL.replace(part, ''), 'Control Plane'));

const OPENED: readonly Sabotage[] = (
  [
    ['/internal/', 'internal|'],
    ['/metrics', 'metrics|'],
    ['/debug/', 'debug|'],
    ['/api/hub/', '|api(?:%[0-9a-f]{2}|[^a-z0-9])+hub'],
  ] as const
).map(([path, part]) => ({
  fact: `${path} is open`,
  replace: CLOSED,
  by: CLOSED.replace(part, ''),
  fails: ['closed paths'],
  says: new RegExp(`Internal paths are open.*: ${path} returns \\d+\\. Check whether.*deploy the site again`),
}));

const SERVICES: readonly Sabotage[] = [
  {
    fact: 'the AI Gateway is down',
    replace: ':3050',
    by: ':9',
    fails: ['AI Gateway', 'streaming'],
    says: DOWN,
  },
  { fact: 'the Hub is down', replace: ':3060', by: ':9', fails: ['Hub', 'WebSocket'], says: DOWN },
  { fact: 'the Control Plane is down', replace: ':3001', by: ':9', fails: ['Control Plane'], says: DOWN },
  {
    fact: 'GLM’s /api/paas goes to the Control Plane, which does not know it',
    replace: 'location /api/ {',
    by: 'location ^~ /api/paas/ { return 404; }\n    location /api/ {',
    fails: ['AI Gateway'],
    says: /\/api\/paas\/v4\/models returns an nginx error page \(404\)/,
  },
  {
    fact: 'the page instead of /api/',
    replace: 'location /api/ {',
    by: 'location /api-gone/ {',
    fails: ['Control Plane'],
    says: LOST,
  },
  {
    fact: 'the page instead of the Hub’s enrolment',
    replace: 'location ~ ^/api/internal/things/ {',
    by: 'location ^~ /api/internal/things/ { root /nowhere; try_files $uri /index.html; }\n    location /gone/ {',
    fails: ['Hub'],
    says: LOST,
  },
  {
    fact: '/ws without its Upgrade header',
    replace: /proxy_set_header Upgrade .*;/g,
    by: '',
    fails: ['WebSocket'],
    says: /\/ws returns \d+ instead of 101.*proxy_set_header Upgrade/,
  },
  {
    fact: 'the page instead of /ws',
    replace: 'location = /ws {',
    by: 'location = /ws-gone {',
    fails: ['WebSocket'],
    says: /\/ws returns 200 instead of 101/,
  },
  {
    fact: 'nginx itself rejects /ws',
    replace: 'location = /ws {',
    by: 'location = /ws { return 403;',
    fails: ['WebSocket'],
    says: /\/ws returns 403 instead of 101/,
  },
  {
    fact: 'the page instead of /v1 alone',
    replace: GATEWAY,
    by: GATEWAY.replace('(?:/|\\z)', '/'),
    fails: ['AI Gateway'],
    says: /\/v1 returns an HTML page/,
  },
  {
    fact: 'no web interface',
    replace: /root \S+\/ui;/,
    by: 'root /nowhere;',
    fails: ['web interface'],
    says: /\/ returns 404/,
  },
  {
    fact: 'a missing script: the page is returned instead',
    replace: 'location / {\n        root',
    by: 'location /assets/ { rewrite ^ /index.html; }\n    location / {\n        root',
    fails: ['web interface'],
    says: /stays blank in a browser: \/assets\/app\.js returns an HTML page instead of a script/,
  },
  {
    fact: 'buffering of the AI Gateway',
    replace: /proxy_buffering off;/g,
    by: '',
    fails: ['streaming'],
    says: /in 1 chunk.*proxy_buffering off/,
  },
  {
    fact: 'http without a redirect',
    replace: /return 301 .*;/,
    by: 'return 200 hello;',
    fails: ['http to https'],
    says: /returns 200 instead of 301/,
  },
  {
    fact: 'a challenge path that the Control Plane answers',
    replace: /location \^~ \/\.well-known\/acme-challenge\/ \{[^}]*\}/,
    by: 'location /.well-known/ { proxy_pass http://nexus_control_plane; }',
    fails: ['challenge path'],
    says: /instead of a 404 by nginx/,
  },
  {
    fact: 'an expired certificate',
    certificate: 'expired',
    fails: ['certificate', 'streaming'],
    says: /expired.*certbot renew|valid certificate/,
  },
];

export const SABOTAGES: readonly Sabotage[] = [...GATEWAY_PATHS, ...CONTROL_PATHS, ...OPENED, ...SERVICES];

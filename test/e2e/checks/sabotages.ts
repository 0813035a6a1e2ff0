/**
 * The sabotages of ia.enso.4nkweb.com: one defect in nginx each, the checks that must fail, and their messages. Defects
 * outside of nginx (DNS, open ports, the route to the site) are in verify.test.ts.
 */

import type { Sabotage } from './spoiled-nginx.ts';

const TLS = /ssl_protocols .*;\nssl_ciphers .*;/;
const oldTls = (protocols: string) => `ssl_protocols ${protocols}; ssl_ciphers ALL:@SECLEVEL=0;`;
const BEARER = ['bearer gate refuses', 'bearer gate opens', 'streaming'];
const SECURE = [...BEARER, 'inference scope'];
const WEB = ['WebSocket', 'web interface'];
const CHALLENGE = /location \^~ \/\.well-known\/acme-challenge\/ \{[^}]*\}/;
const GATE = /if \((?:\$ia_enso_ollama_(?:authorized|permitted) != 1|!-f \S+)\)/g;
const INCLUDE = /include \S+\/bearers\/\*\.map;/;
/** Adds a location before the last one. */
const withLocation = (location: string) => ({
  replace: /( {4}location \/ \{\n)(?= *proxy_|#)/,
  by: `${location}\n    location / {\n`,
});

const PORT_80: readonly Sabotage[] = [
  {
    fact: 'http without a redirect',
    replace: /return 301 .*;/,
    by: 'return 200 hello;',
    fails: ['http to https'],
    says: /returns 200 instead of 301.*deploy/,
  },
  {
    fact: 'a redirect to the front page',
    replace: /return 301 .*;/,
    by: 'return 301 https://$host/;',
    fails: ['http to https'],
    says: /301 to https:\/\/ia.enso.4nkweb.com\/ instead.*\$request_uri/,
  },
  {
    fact: 'a temporary redirect',
    replace: 'return 301',
    by: 'return 302',
    fails: ['http to https'],
    says: /302 .*cache only a 301/,
  },
  {
    fact: 'a challenge path that is redirected like all others',
    replace: CHALLENGE,
    by: '',
    fails: ['challenge path'],
    says: /returns 301 to https.* instead of a 404 by nginx.*not be renewed.*Deploy the site again/,
  },
  {
    fact: 'a challenge path that a backend answers',
    replace: CHALLENGE,
    by: 'location /.well-known/ { proxy_pass http://ia_enso_anythingllm; }',
    fails: ['challenge path'],
    says: /returns 200 instead of a 404 by nginx.*acme-challenge/,
  },
];

const CERTIFICATE: readonly Sabotage[] = [
  {
    fact: 'a certificate for another name',
    certificate: 'other-name',
    fails: ['certificate', ...SECURE],
    says: /is not for ia.enso.4nkweb.com but for DNS:other.example.*ssl_certificate|valid certificate/,
  },
  {
    fact: 'an expired certificate',
    certificate: 'expired',
    fails: ['certificate', ...SECURE],
    says: /expired.*certbot renew|valid certificate/,
  },
  {
    fact: 'a certificate that expires in three days',
    certificate: 'ending',
    fails: ['certificate'],
    says: /expires in 3 days.*certbot renew/,
  },
  {
    fact: 'a certificate that expires in two weeks',
    certificate: 'ending-soon',
    warns: ['certificate'],
    says: /14 days left.*certbot renew/,
  },
  {
    fact: 'an incomplete chain',
    certificate: 'chainless',
    fails: ['certificate', ...SECURE],
    says: /without the chain to a trusted CA.*fullchain\.pem, not cert\.pem|valid certificate/,
  },
  {
    fact: 'a self-signed certificate',
    certificate: 'self-signed',
    fails: ['certificate', 'bearer gate refuses', 'bearer gate opens', 'inference scope'],
    says: /certificate is self-signed.*bootstrap-tls|valid certificate/,
  },
  {
    fact: 'the key of another certificate',
    certificate: 'mismatched',
    fails: ['certificate', ...SECURE, 'CORS', ...WEB, 'path bypass attempts', 'other names'].sort(),
    says: /does not respond with valid TLS.*certificate and key match/,
  },
  {
    fact: 'TLS 1.1',
    replace: TLS,
    by: oldTls('TLSv1.1 TLSv1.2 TLSv1.3'),
    fails: ['certificate'],
    says: /TLS 1\.1 is accepted.*ssl_protocols/,
  },
  {
    fact: 'TLS 1.0',
    replace: TLS,
    by: oldTls('TLSv1 TLSv1.2'),
    fails: ['certificate'],
    says: /TLS 1\.0 is accepted.*ssl_protocols/,
  },
];

/** A web application firewall answers with its own page. */
const WAF = {
  replace: 'location ^~ /ollama/ {',
  by: 'location @waf { default_type text/html; return 403 "<!DOCTYPE html><title>Blocked</title>"; } location ^~ /ollama/ { error_page 403 = @waf; return 403;',
  fails: [...SECURE, 'CORS'],
  says: /returned 403 for.*not from the gate|returns 403.*(web application firewall|instead of 204)|neither the gate/,
};

const AT_THE_GATE: readonly Sabotage[] = [
  {
    fact: 'an open gate',
    replace: GATE,
    by: 'if ($host = none)',
    fails: ['bearer gate refuses', 'inference scope'],
    says: /returned 200 for no token, an invalid token.*The gate is open: anyone.*nginx -T|can do more than use/,
  },
  {
    fact: 'a gate that ignores case',
    replace: '"~^([^ ]++) (\\S++) \\1',
    by: '"~*^([^ ]++) (\\S++) \\1',
    fails: ['bearer gate refuses'],
    says: /returned 200 for the token in changed letter case, an X-Api-Key in changed letter case\..*ignores letter case.*deploy/,
  },
  {
    fact: 'a gate that refuses everyone',
    replace: INCLUDE,
    by: '',
    fails: ['bearer gate opens', 'streaming', 'inference scope'],
    says: /returns 401.*another token than IA_ENSO_OLLAMA_BEARER_TOKEN.*bearers.ts list|no client has this token/,
  },
  {
    fact: 'another location in the gate’s place',
    replace: 'location ^~ /ollama/ {',
    by: 'location ^~ /ollama/ { return 404;',
    fails: [...SECURE, 'CORS'],
    says: /returned 404 for.*not from the gate|returns 404.*(proxy_pass|neither the gate|instead of 204)/,
  },
  {
    fact: 'a web application firewall in front of the gate',
    ...WAF,
  },
  {
    fact: 'a nested location that the gate does not protect',
    replace: 'proxy_redirect default;',
    by: 'proxy_redirect default; location ~ \\.js$ { proxy_pass http://ia_enso_ollama; }',
    fails: ['path bypass attempts'],
    says: /\/ollama\/x\.js reaches Ollama.*nginx -T.*Deploy the site again/,
  },
  {
    fact: 'a regex location next to the gate',
    replace: 'location = /ollama {',
    by: `location ~* ^/ollama { rewrite ^/[^/]*(/.*)$ $1 break; proxy_set_header Host localhost; proxy_pass http://ia_enso_ollama; }
    location = /ollama {`,
    fails: ['path bypass attempts'],
    says: /\/OLLAMA\/api\/tags.* reach Ollama: anyone.*regex locations/,
  },
  {
    fact: 'a gate that ignores X-Api-Key',
    replace: /\$http_x_api_key/g,
    by: '$http_x_none',
    fails: ['bearer gate opens'],
    says: /but not as `X-Api-Key`.*deploy the site again/,
  },
  {
    fact: 'preflights that require a token',
    replace: /if \(\$ia_enso_asks\)/,
    by: 'if ($host = none)',
    fails: ['CORS'],
    says: /preflight of https:\/\/chat\.example\.org returns 401/,
  },
  {
    fact: 'an error that a page cannot read',
    replace:
      /(add_header X-Request-Id \$request_id always;\n) {4}add_header Access-Control-Allow-Origin \S+ always;/,
    by: 'add_header X-Request-Id $request_id always;',
    fails: ['CORS'],
    says: /401 .*cannot be read/,
  },
  {
    fact: 'pages of all origins',
    replace: /\$ia_enso_origin \{\n +default "";/,
    by: '$ia_enso_origin {\n    default $http_origin;',
    fails: ['CORS'],
    says: /no-such-origin\.invalid is allowed, too.*Remove them/,
  },
  {
    fact: 'a rejection without WWW-Authenticate',
    replace: 'add_header WWW-Authenticate $ia_enso_auth always;',
    by: '',
    warns: ['bearer gate refuses'],
    says: /without `WWW-Authenticate: Bearer`.*Deploy/,
  },
  {
    fact: 'an inference scope that is too wide',
    replace: '|version)',
    by: '|version|delete)',
    fails: ['inference scope'],
    says: /DELETE \S+ returns 200 .*bearers.ts list.*deploy the site again/,
  },
  {
    fact: 'an inference scope that is too narrow',
    replace: '(?:v1/|',
    by: '(?:v2/|',
    fails: ['inference scope'],
    says: /\/ollama\/v1\/models returns 403 .*allows too few paths.*Deploy/,
  },
];

const MANY_SCRIPTS = Array.from({ length: 201 }, (_, index) => `<script src=s${index}>`).join('');

const BEHIND: readonly Sabotage[] = [
  {
    fact: 'buffering',
    replace: /proxy_buffering off;/g,
    by: '',
    fails: ['streaming'],
    says: /7 events in 1 chunk.*proxy_buffering off/,
  },
  {
    fact: 'a lost Upgrade header',
    replace: /proxy_set_header Upgrade .*;/g,
    by: '',
    fails: ['WebSocket'],
    says: /instead of 101.*proxy_set_header Upgrade/,
  },
  {
    fact: 'another definition of $connection_upgrade',
    replace: 'default upgrade;',
    by: 'default close;',
    fails: ['WebSocket'],
    says: /instead of 101.*nginx -T/,
  },
  {
    fact: 'a missing script',
    ...withLocation('location = /index.js { return 404; }'),
    fails: ['web interface'],
    says: /index.js returns 404.*location \//,
  },
  {
    fact: 'an HTML page instead of a style sheet',
    ...withLocation('location = /index.css { default_type text/html; return 200 "<!doctype html>"; }'),
    fails: ['web interface'],
    says: /index.css returns an HTML page instead of a style/,
  },
  {
    fact: 'a script of the wrong type',
    ...withLocation('location = /index.js { types {} default_type text/plain; return 200 "1"; }'),
    fails: ['web interface'],
    says: /text\/plain, which browsers do not accept for a script/,
  },
  {
    fact: 'a page with more scripts than any browser would load',
    ...withLocation(
      `location = / { default_type text/html; return 200 "<!doctype html>${MANY_SCRIPTS}"; } location ~ ^/s[0-9] { default_type text/javascript; return 200 1; }`,
    ),
    warns: ['web interface'],
    says: /references 201 scripts.*only the first 200 were loaded/,
  },
  {
    fact: 'the page instead of AnythingLLM’s API',
    ...withLocation('location = /api/ping { default_type text/html; return 200 "<!doctype html>"; }'),
    fails: ['web interface'],
    says: /\/api\/ping returns an HTML page instead of the API response.*location \//,
  },
  {
    fact: 'an entry that redirects to another host',
    replace: /return 302 \/\$is_args\$args;/g,
    by: 'return 302 https://other.example/;',
    fails: ['web interface'],
    says: /redirects from .* to https:\/\/other.example\/, which was not followed/,
  },
  {
    fact: 'a redirect to itself, as with Cloudflare’s Flexible mode',
    ...withLocation('location = / { return 301 https://$host/; }'),
    fails: ['web interface'],
    says: /redirects to itself.*Flexible.*Full \(strict\)/,
  },
  {
    fact: 'a front end served under a prefix: a blank page',
    replace: /location = \/anythingllm\/ \{[^}]*\}/,
    by: 'location = /index.js { return 404; } location = /index.css { return 404; }',
    fails: ['web interface'],
    says: /anythingllm\/ stays blank in a browser: \/index.js returns 404; \/index.css returns 404.*location \//,
  },
  {
    fact: 'Ollama down',
    replace: ':11434',
    by: ':9',
    fails: ['bearer gate opens', 'streaming'],
    says: /returns 502.*service is down.*firewall.*status.ts/,
  },
  {
    fact: 'AnythingLLM down',
    replace: '127.0.0.1:3001',
    by: '127.0.0.1:9',
    fails: WEB,
    says: /returns 502.*service is down.*firewall.*status.ts/,
  },
  {
    fact: 'a wrong address of Ollama',
    replace: '127.0.0.1:11434',
    by: '192.0.2.9:11434',
    fails: ['bearer gate opens', 'streaming'],
    says: /returns 502.*address is wrong.*status.ts` shows the configured address/,
  },
];

/** In the order of the checks. */
export const SABOTAGES: readonly Sabotage[] = [...PORT_80, ...CERTIFICATE, ...AT_THE_GATE, ...BEHIND];

/** Both backends are at `address`, whose firewall drops the proxy's packets. */
export const dropped = (address: string): Sabotage => ({
  fact: 'a firewall that drops packets in front of both backends',
  replace: /127\.0\.0\.1/g,
  by: address,
  fails: ['bearer gate opens', 'streaming', ...WEB],
  says: /returns 504.*firewall drops the proxy's packets.*status.ts/,
});

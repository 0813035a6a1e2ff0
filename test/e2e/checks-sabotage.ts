/** One thing wrong in nginx at a time, which checks must fail for it, and what they must say. */
import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import type { Sabotage } from './checks-site.ts';
import { bearerMap } from './checks-site.ts';

/** What is wrong, how it is made so, the checks that fail, and a text that each of them gives. */
type Row = readonly [fact: string, sabotage: Sabotage, failing: readonly string[], says: RegExp];

const GATE = /if \(\$ia_enso_ollama_(authorized|permitted) != 1\)/g;
const TLS = /ssl_protocols .*;\nssl_ciphers .*;/;
const BEARER = ['bearer gate refuses', 'bearer gate opens', 'streaming'];
const WEB = ['WebSocket', 'web interface'];
const before = (location: string): Sabotage => ({
  replace: /( {4}location \/ \{\n)(?= *proxy_|#)/,
  by: `${location}\n    location / {\n`,
});
const UNTRUSTED = /certificate is self-signed.*bootstrap-tls|certificate holds/;

export const SABOTAGES: readonly Row[] = [
  [
    'http without a redirect',
    { replace: /return 301 .*;/, by: 'return 200 hello;' },
    ['http to https'],
    /gives 200 instead of 301.*deploy/,
  ],
  [
    'a redirect to the front page',
    { replace: /return 301 .*;/, by: 'return 301 https://$host/;' },
    ['http to https'],
    /301 to https:\/\/ia.enso.4nkweb.com\/ instead.*\$request_uri/,
  ],
  [
    'a temporary redirect',
    { replace: 'return 301', by: 'return 302' },
    ['http to https'],
    /302 .*Only a 301/,
  ],
  [
    'another name in the certificate',
    { certificate: 'other-name' },
    ['certificate', ...BEARER],
    /does not name ia.enso.4nkweb.com, but DNS:other.example.*ssl_certificate|certificate holds/,
  ],
  [
    'an expired certificate',
    { certificate: 'expired' },
    ['certificate', ...BEARER],
    /expired.*certbot renew|certificate holds/,
  ],
  [
    'a certificate that ends in three days',
    { certificate: 'ending' },
    ['certificate'],
    /ends in 3 days.*certbot renew/,
  ],
  [
    'a self-signed certificate',
    { certificate: 'self-signed' },
    ['certificate', 'bearer gate refuses', 'bearer gate opens'],
    UNTRUSTED,
  ],
  [
    'TLS 1.1',
    { replace: TLS, by: 'ssl_protocols TLSv1.1 TLSv1.2 TLSv1.3; ssl_ciphers ALL:@SECLEVEL=0;' },
    ['certificate'],
    /TLS 1.1 is accepted.*ssl_protocols/,
  ],
  [
    'an open gate',
    { replace: GATE, by: 'if ($host = none)' },
    ['bearer gate refuses'],
    /gave 200 to no bearer, a wrong one.*The gate is open: anyone.*nginx -T/,
  ],
  [
    'a gate that refuses everyone',
    { replace: 'bearers/*.map', by: 'bearers/*.none' },
    ['bearer gate opens', 'streaming'],
    /gives 401.*another token than IA_ENSO_OLLAMA_BEARER_TOKEN.*bearers.ts list/,
  ],
  [
    'another location in the gate’s place',
    { replace: 'location ^~ /ollama/ {', by: 'location ^~ /ollama/ { return 404;' },
    BEARER,
    /gave 404 to.*not the gate|gives 404.*proxy_pass/,
  ],
  [
    'buffering',
    { replace: /proxy_buffering off;/g, by: '' },
    ['streaming'],
    /7 events in one lump.*proxy_buffering off/,
  ],
  [
    'a lost Upgrade header',
    { replace: /proxy_set_header Upgrade .*;/g, by: '' },
    ['WebSocket'],
    /instead of 101.*proxy_set_header Upgrade/,
  ],
  [
    'another definition of $connection_upgrade',
    { replace: 'default upgrade;', by: 'default close;' },
    ['WebSocket'],
    /instead of 101.*nginx -T/,
  ],
  [
    'a missing script',
    before('location = /index.js { return 404; }'),
    ['web interface'],
    /index.js gives 404.*location \//,
  ],
  [
    'a page of HTML in place of a style',
    before('location = /index.css { default_type text/html; return 200 "<!doctype html>"; }'),
    ['web interface'],
    /index.css gives a page of HTML instead of a style/,
  ],
  [
    'a script of the wrong type',
    before('location = /index.js { types {} default_type text/plain; return 200 "1"; }'),
    ['web interface'],
    /text\/plain, which browsers do not take for a script/,
  ],
  [
    'an entry that leads to another host',
    { replace: /return 302 \/\$is_args\$args;/g, by: 'return 302 https://other.example/;' },
    ['web interface'],
    /leads away from .* to https:\/\/other.example\/, which was not followed/,
  ],
  [
    'a front end served under a prefix',
    {
      replace: /location = \/anythingllm\/ \{[^}]*\}/,
      by: 'location = /index.js { return 404; } location = /index.css { return 404; }',
    },
    ['web interface'],
    /anythingllm\/ stays blank in a browser: \/index.js gives 404; \/index.css gives 404.*location \//,
  ],
  [
    'Ollama down',
    { replace: ':11434', by: ':9' },
    ['bearer gate opens', 'streaming'],
    /gives 502.*service is down.*firewall.*status.ts/,
  ],
  [
    'AnythingLLM down',
    { replace: '127.0.0.1:3001', by: '127.0.0.1:9' },
    WEB,
    /gives 502.*service is down.*firewall.*status.ts/,
  ],
];

/** The client's map as a careless hand writes it. */
export const looseMap = (): string => bearerMap().replaceAll('"~^(?i:bearer)', '"~*^bearer');

/** A connection that is a stream and no socket, as an SSH channel is. */
export async function tunnel(port: number): Promise<Duplex> {
  const socket = connect(port, '127.0.0.1');
  return Duplex.from({ readable: socket, writable: socket });
}

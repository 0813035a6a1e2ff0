/** What people see in an editor, a browser or curl if a site does not work; the checks report the same causes. */
import type { Row } from './row.ts';

const STATUS = 'npx tsx scripts/status.ts';
const REACH =
  'Check that nginx is running on the proxy, and that the router and the firewall forward this port to it.';

/** The proxy cannot be reached. */
const NETWORK = {
  ssrfBlocked: {
    error: 'ssrf_blocked',
    cause:
      'The name resolves to a private address, which Cursor and other services that send requests from their own servers refuse.',
    fix: 'Point the DNS record to the public IP address of the proxy. If it already does, your resolver gives an internal answer (/etc/hosts, split DNS): query another one with `dig NAME @9.9.9.9`.',
  },
  noName: {
    error: 'ENOTFOUND; Could not resolve host',
    cause: 'The name is not in the DNS.',
    fix: 'Point the DNS record of the name to the public IP address of the proxy; until then, check with --via-ssh or --connect-to.',
  },
  refused: {
    error: 'ECONNREFUSED; Connection refused',
    cause: 'Nothing listens there.',
    fix: REACH,
  },
  noAnswer: {
    error: 'ETIMEDOUT; Connection timed out',
    cause: 'No response: the machine is down, or a firewall drops the packets.',
    fix: REACH,
  },
  untrusted: {
    error: 'certificate has expired; self-signed certificate; unable to verify the first certificate',
    cause: 'Clients do not trust the certificate.',
    fix: '`npx tsx scripts/verify.ts --only certificate` shows what is wrong with it and how to fix it.',
  },
} as const satisfies Record<string, Row>;

/** The gate rejects the request. */
const GATE = {
  badUserApiKey: {
    error: 'ERROR_BAD_USER_API_KEY',
    cause:
      'Cursor shows this for any refusal: of its own page (its Verify button is subject to CORS), of the gate, or of its own servers, through which its agent traffic goes and which may never ask yours.',
    fix: 'First the gate and CORS: `npx tsx scripts/verify.ts --only gate`; the access log on the proxy shows whether Cursor asked at all, and with which status. `OPTIONS` with 401: add its origin to IA_ENSO_CORS_ORIGINS. 401: fix the key there (without `Bearer `). No line, or only 200: it is Cursor: check the base URL (with its path: `npx tsx scripts/bearers.ts add NAME` prints it), that the model is one of yours, and its plan.',
  },
  unauthorized: {
    error: '401 invalid_api_key, with a key that looks right',
    cause: 'The proxy has another token than TOKEN, or none; Cursor shows it as ERROR_BAD_USER_API_KEY.',
    fix: 'Check whether it was rotated from another machine (`npx tsx scripts/bearers.ts list` shows fingerprints), whether the value is the token alone (no `Bearer `, no spaces, same letter case), and whether an environment variable overrides the env file; then deploy again.',
  },
  manyClients: {
    error: 'could not build optimal map_hash',
    cause: 'nginx prints this warning from about 150 clients on. It has no effect on the gate.',
    fix: 'Nothing to do. To silence it, set `map_hash_max_size 65536;` at the top of the http block of nginx.conf.',
  },
  forbidden: {
    error: '403 insufficient_scope',
    cause: 'The token belongs to a client of scope inference, and the path requires full.',
    fix: 'Use the token of a client of scope full, or add one: `npx tsx scripts/bearers.ts add NAME --scope full`',
  },
  foreign: {
    error: '403 with an empty body',
    cause: 'The backend rejects the Host or Origin header that it received.',
    fix: 'The location of the gate should send the Host that the backend expects and no Origin: deploy the site again.',
  },
  slowedDown: {
    error: '429 too_many_failed_attempts',
    cause: 'The gate rate-limits this IP address after many rejected requests.',
    fix: 'Fix the key of the client that sends them, wait two minutes and retry.',
  },
  overLimit: {
    error: '429 rate_limit_exceeded',
    cause: 'This client has exceeded its limit of requests per minute, or at the same time.',
    fix: 'Wait for the time in Retry-After; to change a limit: `npx tsx scripts/bearers.ts set NAME --limit N`, or `--concurrent N`.',
  },
} as const satisfies Record<string, Row>;

/** The backend fails. */
const BACKEND = {
  badGateway: {
    error: '502 Bad Gateway',
    cause:
      "nginx could not reach the backend: the service is down, the backend's firewall blocks the proxy, or the backend's address is wrong.",
    fix: `\`${STATUS}\` shows the configured address and whether the backend is reachable from the proxy.`,
  },
  gatewayTimeout: {
    error: '504 Gateway Time-out',
    cause:
      "The backend did not answer nginx in time: the machine is down, its firewall drops the proxy's packets, or the backend's address is wrong.",
    fix: `\`${STATUS}\` shows the configured address and whether the backend is reachable from the proxy.`,
  },
  publishedByDocker: {
    error: 'a backend port that stays open although ufw, nft or firewalld denies it',
    cause:
      'Docker publishes the port (`-p 8080:8080`): it forwards the packets before the rules of the input chain see them.',
    fix: 'Filter in the chain DOCKER-USER, or publish on one address only (`-p 192.168.1.20:8080:8080`): docs/firewall.md, Docker.',
  },
  selinux: {
    error: '502, with `(13: Permission denied) while connecting to upstream` in the error log of nginx',
    cause:
      'SELinux on the proxy is enforcing and httpd_can_network_connect is off, so nginx may not connect to any backend.',
    fix: 'On the proxy, as root: `setsebool -P httpd_can_network_connect 1`',
  },
  unavailable: {
    error: '503 Service Unavailable',
    cause:
      'nginx limits requests, the backend reports that it is overloaded, or the site has only its HTTP-only vhost and no certificate.',
    fix: `\`${STATUS}\` shows which; to get a certificate, run \`npx tsx scripts/bootstrap-tls.ts\`.`,
  },
  serverError: {
    error: '500 Internal Server Error',
    cause: 'nginx or the backend has an internal error.',
    fix: 'Check the error log of nginx and of the backend.',
  },
  tooLarge: {
    error: '413 Request Entity Too Large',
    cause: 'The request body is larger than nginx allows.',
    fix: 'Check client_max_body_size in the vhost, and deploy the site again.',
  },
  buffered: {
    error: 'a response that arrives all at once instead of streaming',
    cause: 'Something on the path buffers responses, and editors show nothing until the end.',
    fix: 'The location needs `proxy_buffering off` and `proxy_http_version 1.1`, without gzip; deploy the site again, and check for another proxy or CDN in between.',
  },
  noWebSocket: {
    error: 'agents that do not start; WebSocket connection failed',
    cause: 'The WebSocket upgrade request did not reach the backend.',
    fix: 'The location needs `proxy_http_version 1.1`, `proxy_set_header Upgrade $http_upgrade` and `proxy_set_header Connection $connection_upgrade`, and that map must yield `upgrade`; another nginx file may define $connection_upgrade differently (`nginx -T | grep -A3 connection_upgrade`).',
  },
  blank: {
    error: 'a blank page below a path of the host',
    cause:
      'The front end requests its files and its API from the root of the host, and receives something else there.',
    fix: 'Check that `location /` proxies to its backend, and whether another location (such as `~ \\.(js|css)$`) takes these requests; deploy the site again.',
  },
} as const satisfies Record<string, Row>;

/** Cloudflare, other CDNs and web application firewalls in front of the proxy. */
const IN_FRONT = {
  redirectLoop: {
    error: 'ERR_TOO_MANY_REDIRECTS; 301 to the same URL',
    cause:
      'Something in front of the proxy asks it by http and not by https, so it redirects to https again: Cloudflare with the SSL mode Flexible, a load balancer, a router.',
    fix: 'In Cloudflare, set SSL/TLS to Full (strict); elsewhere, forward port 443 to port 443 of the proxy. Until then, check the proxy itself: `npx tsx scripts/verify.ts --via-ssh`.',
  },
  cloudflareError: {
    error: '520; 521; 522; 523; 524; 525; 526, by Cloudflare',
    cause:
      'Cloudflare did not get an answer from the proxy: 520 an invalid one, 521 port closed, 522 and 523 no route (firewall, wrong address in its DNS), 524 none within 100 s, 525 and 526 TLS failed or the certificate is not trusted.',
    fix: 'Check the proxy itself with `npx tsx scripts/verify.ts --via-ssh`. 521 to 523: allow the addresses of https://www.cloudflare.com/ips/ on ports 80 and 443. 524: responses must begin within 100 s; set the DNS record to "DNS only". 526: `npx tsx scripts/bootstrap-tls.ts`, or an origin certificate.',
  },
  cloudflareName: {
    error: 'the name resolves to addresses of Cloudflare, not of the proxy',
    cause:
      'Cloudflare answers for the name. It ends a request after 100 s without a byte (524), refuses bodies over 100 MB (413), and may challenge API clients as bots (403).',
    fix: 'For streaming and uploads, set the DNS record to "DNS only" (gray cloud). Otherwise use the SSL mode Full (strict), and a rule that skips bot checks and caching for this name.',
  },
  firewallPage: {
    error: '403 or 406 with an HTML page that nginx did not write',
    cause:
      'A web application firewall in front of the backend refused the request (Cloudflare, ModSecurity, the router, a hosting panel): prompts and code in a request look like an attack to it.',
    fix: 'Find it by the page and its headers: `curl -i https://NAME/`. Switch it off for this name; on the proxy: `modsecurity off;` in the location.',
  },
} as const satisfies Record<string, Row>;

/** The client. */
const CLIENT = {
  failedToFetch: {
    error: 'Failed to fetch; NetworkError when attempting to fetch resource; blocked by CORS policy',
    cause:
      'A page of another origin called the site, and the browser withheld the answer: that origin is not allowed. curl works all the same.',
    fix: 'Add the exact origin of the page (as in its address bar, `https://app.example.org`) to IA_ENSO_CORS_ORIGINS, and deploy again.',
  },
  basePath: {
    error: 'an empty list of models, HTML instead of JSON, or 404 at /v1/… or /api/…',
    cause: 'The client dropped the path of its base URL and sent the request to the root of the name.',
    fix: 'Set the base URL with its path, exactly as `npx tsx scripts/bearers.ts add NAME` prints it for each kind of client. The access log shows the path that arrived.',
  },
  inputLog: {
    error: 'tokens in /var/log/sudo-io (Defaults log_input)',
    cause: 'sudo on the proxy records what commands read: the programs of gatepost, with the tokens in them.',
    fix: 'On the proxy, with visudo: `Defaults:USER !log_input`. Delete the recordings (`rm -r /var/log/sudo-io`), then rotate: `npx tsx scripts/rotate-bearer.ts`.',
  },
  openFiles: {
    error: 'client files that others can read or change',
    cause:
      'A folder or file of the clients on the proxy does not belong to root alone: other users there can read tokens, or add their own.',
    fix: 'On the proxy, with the folder of the clients in place of FOLDER: `chown -R 0:0 FOLDER && chmod 700 FOLDER && chmod 600 FOLDER/*.map`. If you do not trust these users, rotate the tokens.',
  },
  etckeeper: {
    error: 'tokens in the history of /etc (etckeeper)',
    cause:
      'etckeeper commits /etc on the proxy, the files of the clients included: a revoked token stays in its history.',
    fix: "On the proxy: `printf '%s\\n' 'nginx/*-bearers/' 'nginx/conf.d/*-http-maps.conf' >>/etc/.gitignore && git -C /etc rm -r -q --cached --ignore-unmatch nginx/ia-enso-bearers nginx/conf.d/ia-enso-http-maps.conf`. Where the history is pushed elsewhere, rotate the tokens.",
  },
} as const satisfies Record<string, Row>;

/** All rows, by name: a check that recognizes a cause reports its row. */
export const SYMPTOMS = { ...NETWORK, ...GATE, ...BACKEND, ...IN_FRONT, ...CLIENT } as const;

/** Those that are recognized by the status code alone. */
const BY_STATUS: Readonly<Record<number, Row>> = {
  413: SYMPTOMS.tooLarge,
  429: SYMPTOMS.slowedDown,
  500: SYMPTOMS.serverError,
  502: SYMPTOMS.badGateway,
  503: SYMPTOMS.unavailable,
  504: SYMPTOMS.gatewayTimeout,
  ...Object.fromEntries(
    [520, 521, 522, 523, 524, 525, 526].map((status) => [status, SYMPTOMS.cloudflareError]),
  ),
};

/** A page that is not nginx's own, whose pages end with its name. */
const isForeignPage = (body: string): boolean =>
  /^\s*<(!doctype html|html)\b/i.test(body) && !/<center>(nginx|openresty|angie)/i.test(body);

/** The row for a response: by the `code` in an OpenAI-style JSON error, or by the status code alone. */
export function symptomOf(status: number, body: string): Row | undefined {
  const code = /"code":"(\w+)"/.exec(body)?.[1];
  const byCode = Object.values(SYMPTOMS).find(({ error }) => code && error.startsWith(`${status} ${code}`));
  if ((status === 403 || status === 406) && isForeignPage(body)) return SYMPTOMS.firewallPage;
  return byCode ?? BY_STATUS[status];
}

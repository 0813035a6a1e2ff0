/** What people see in an editor, a browser or curl when a site does not work; the checks report the same causes. */
import type { Row } from './row.ts';

const STATUS = 'npx tsx scripts/status.ts';
const REACH =
  'Check that nginx is running on the proxy, and that the router and the firewall forward this port to it.';

/** The proxy is not reached. */
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

/** The gate refuses. */
const GATE = {
  badUserApiKey: {
    error: 'ERROR_BAD_USER_API_KEY',
    cause:
      'Cursor shows this even when its own servers, not yours, refused the request: part of its traffic never reaches the override URL.',
    fix: 'Run `npx tsx scripts/verify.ts --only gate`. If the gate accepts the token, the problem is in Cursor: check the base URL (with its path: `npx tsx scripts/bearers.ts add NAME` prints it) and the key (without `Bearer `) there, and that the model is one of yours. If not, the check shows the reason.',
  },
  unauthorized: {
    error: '401 invalid_api_key, with a key that looks right',
    cause: 'The proxy has another token than TOKEN, or none; Cursor shows it as ERROR_BAD_USER_API_KEY.',
    fix: 'Check whether it was rotated from another machine (`npx tsx scripts/bearers.ts list` shows fingerprints), whether the value is the token alone (no `Bearer `, no spaces, same letter case), and whether an environment variable overrides the env file; then deploy again.',
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
    cause: 'This client has exceeded its limit of requests per minute.',
    fix: 'Wait for the time in Retry-After; to change the limit, revoke the client and add it again with --limit.',
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

/** All rows, by name: a check that recognizes a cause reports its row. */
export const SYMPTOMS = { ...NETWORK, ...GATE, ...BACKEND } as const;

/** Those that are recognized by the status code alone. */
const BY_STATUS: Readonly<Record<number, Row>> = {
  413: SYMPTOMS.tooLarge,
  429: SYMPTOMS.slowedDown,
  500: SYMPTOMS.serverError,
  502: SYMPTOMS.badGateway,
  503: SYMPTOMS.unavailable,
  504: SYMPTOMS.gatewayTimeout,
};

/** The row for a response: by the `code` in an OpenAI-style JSON error, or by the status code alone. */
export function symptomOf(status: number, body: string): Row | undefined {
  const code = /"code":"(\w+)"/.exec(body)?.[1];
  const byCode = Object.values(SYMPTOMS).find(({ error }) => code && error.startsWith(`${status} ${code}`));
  return byCode ?? BY_STATUS[status];
}

/** What people see in an editor, a browser or curl when a site is not as it should be; the checks say the same. */
import type { Row } from './row.ts';

const STATUS = 'npx tsx scripts/status.ts';
const REACH =
  'Look whether nginx runs on the proxy, and whether the router and the firewall let this port through to it.';

/** On the way to the proxy. */
const WAY = {
  ssrfBlocked: {
    says: 'ssrf_blocked',
    means:
      'The name leads to a private address, where Cursor and others who ask from their own servers do not go.',
    next: 'Let its DNS record name the public entry of the proxy; if it does, the resolver here gives an inside answer of its own (/etc/hosts, split DNS): ask another one with `dig NAME @9.9.9.9`.',
  },
  noName: {
    says: 'ENOTFOUND; Could not resolve host',
    means: 'The name is not in the DNS.',
    next: 'Set the DNS record of the name to the public entry of the proxy; until then check by --via-ssh or --connect-to.',
  },
  refused: {
    says: 'ECONNREFUSED; Connection refused',
    means: 'Nothing listens there.',
    next: REACH,
  },
  noAnswer: {
    says: 'ETIMEDOUT; Connection timed out',
    means: 'Nothing came back: the machine is off, or a firewall drops the packets.',
    next: REACH,
  },
  untrusted: {
    says: 'certificate has expired; self-signed certificate; unable to verify the first certificate',
    means: 'The certificate is not one that clients accept.',
    next: '`npx tsx scripts/verify.ts --only certificate` says what is wrong with it and how to mend it.',
  },
} as const satisfies Record<string, Row>;

/** At the gate. */
const GATE = {
  badUserApiKey: {
    says: 'ERROR_BAD_USER_API_KEY',
    means:
      'Cursor shows this for the override too, also where its own servers, not yours, refused: part of its traffic never comes here.',
    next: 'Run `npx tsx scripts/verify.ts --only gate`. Does the bearer open the gate? Then the failure is on Cursor’s side: check base URL (https://NAME/ollama/v1) and key (without `Bearer `) there, and that the model is one of yours. If not, it says why.',
  },
  unauthorized: {
    says: '401 invalid_api_key, with a key that looks right',
    means: 'The proxy holds another token than TOKEN, or none; Cursor shows it as ERROR_BAD_USER_API_KEY.',
    next: 'Look whether it was rotated from elsewhere (`npx tsx scripts/bearers.ts list` shows fingerprints), whether the value is the token alone without `Bearer `, in its own case and without blanks, and whether the environment hides the env file’s; then deploy again.',
  },
  forbidden: {
    says: '403 insufficient_scope',
    means: 'The token belongs to a client of scope inference, and the path wants full.',
    next: 'Use the token of a client of scope full, or add one: `npx tsx scripts/bearers.ts add NAME --scope full`',
  },
  foreign: {
    says: '403 without a word',
    means: 'Ollama does not know the Host or the Origin that it was sent.',
    next: 'nginx should send `Host localhost:11434` and no Origin: deploy the site again.',
  },
  slowedDown: {
    says: '429 too_many_failed_attempts',
    means: 'The gate is slowing this address after many refused requests.',
    next: 'Mend the key of whoever asks, wait two minutes and run it again.',
  },
  overLimit: {
    says: '429 rate_limit_exceeded',
    means: 'This client has a limit of requests a minute, and is above it.',
    next: 'Wait as long as Retry-After says; for another limit revoke the client and add it again with --limit.',
  },
} as const satisfies Record<string, Row>;

/** Behind it. */
const BACKEND = {
  badGateway: {
    says: '502 Bad Gateway',
    means:
      "nginx could not reach the backend: the service is down, the backend's firewall does not let the proxy in, or the backend's address is wrong.",
    next: `\`${STATUS}\` shows the address in force and asks the backend from the proxy.`,
  },
  gatewayTimeout: {
    says: '504 Gateway Time-out',
    means:
      "The backend did not answer nginx in time: the machine is off, its firewall drops the proxy's packets, or the backend's address is wrong.",
    next: `\`${STATUS}\` shows the address in force and asks the backend from the proxy.`,
  },
  unavailable: {
    says: '503 Service Unavailable',
    means:
      'Either nginx is limiting requests, or the backend says that it is overloaded, or the site has only its first vhost, without a certificate.',
    next: `\`${STATUS}\` tells which; a certificate comes by \`npx tsx scripts/bootstrap-tls.ts\`.`,
  },
  serverError: {
    says: '500 Internal Server Error',
    means: 'nginx or the backend met a fault of its own.',
    next: 'The error log of nginx, or of the backend, says why.',
  },
  tooLarge: {
    says: '413 Request Entity Too Large',
    means: 'The body is larger than nginx lets through.',
    next: 'Look at client_max_body_size in the vhost, and deploy the site again.',
  },
  lump: {
    says: 'an answer that stays away, then comes in one piece',
    means: 'Something on the way holds answers back, and editors show nothing until the end.',
    next: 'The location needs `proxy_buffering off` and `proxy_http_version 1.1`, without gzip; deploy the site again, and look for another proxy or CDN in between.',
  },
  noWebSocket: {
    says: 'agents that do not start; WebSocket connection failed',
    means: 'The request for a WebSocket was lost on the way.',
    next: 'The location needs `proxy_http_version 1.1`, `proxy_set_header Upgrade $http_upgrade` and `proxy_set_header Connection $connection_upgrade`, and that map must give `upgrade`; another file of nginx may define $connection_upgrade otherwise (`nginx -T | grep -A3 connection_upgrade`).',
  },
  blank: {
    says: 'a blank page, as under /anythingllm/',
    means:
      'The front end looks for its files and its API at the root of the host, and gets something else there.',
    next: 'Look whether `location /` goes to its backend, and whether another location (such as `~ \\.(js|css)$`) takes them; deploy the site again.',
  },
} as const satisfies Record<string, Row>;

/** All of them, by name: a check that sees a cause says its row. */
export const CLIENTS = { ...WAY, ...GATE, ...BACKEND } as const;

/** Those that a status tells by itself, whoever gives it. */
const BY_STATUS: Readonly<Record<number, Row>> = {
  413: CLIENTS.tooLarge,
  429: CLIENTS.slowedDown,
  500: CLIENTS.serverError,
  502: CLIENTS.badGateway,
  503: CLIENTS.unavailable,
  504: CLIENTS.gatewayTimeout,
};

/** The row for an answer: by the `code` in a JSON error like OpenAI's, or by the status alone. */
export function symptomOf(status: number, body: string): Row | undefined {
  const code = /"code":"(\w+)"/.exec(body)?.[1];
  const byCode = Object.values(CLIENTS).find(({ says }) => code && says.startsWith(`${status} ${code}`));
  return byCode ?? BY_STATUS[status];
}

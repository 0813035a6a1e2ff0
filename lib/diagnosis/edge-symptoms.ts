/** What people see when something else answers in front of the proxy, or the client itself is at fault. */
import type { Row } from './row.ts';

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
    fix: 'Set the base URL with its path (`npx tsx scripts/bearers.ts add NAME` prints it): https://NAME/ollama/v1 for OpenAI clients, https://NAME/ollama for those of Ollama and Anthropic. The access log shows the path that arrived.',
  },
  inputLog: {
    error: 'tokens in /var/log/sudo-io (Defaults log_input)',
    cause: 'sudo on the proxy records what commands read: the programs of gatepost, with the tokens in them.',
    fix: 'On the proxy, with visudo: `Defaults:USER !log_input`. Delete the recordings (`rm -r /var/log/sudo-io`), then rotate: `npx tsx scripts/rotate-bearer.ts`.',
  },
  etckeeper: {
    error: 'tokens in the history of /etc (etckeeper)',
    cause:
      'etckeeper commits /etc on the proxy, the files of the clients included: a revoked token stays in its history.',
    fix: "On the proxy: `printf '%s\\n' 'nginx/*-bearers/' 'nginx/conf.d/*-http-maps.conf' >>/etc/.gitignore && git -C /etc rm -r -q --cached --ignore-unmatch nginx/ia-enso-bearers nginx/conf.d/ia-enso-http-maps.conf`. Where the history is pushed elsewhere, rotate the tokens.",
  },
} as const satisfies Record<string, Row>;

export const EDGE = { ...IN_FRONT, ...CLIENT } as const;

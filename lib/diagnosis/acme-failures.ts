/** What keeps a certificate from being issued, in certbot's words and the CA's. */
import type { Row } from './row.ts';

/** What to do after the cause is gone. */
export const AGAIN = 'then run bootstrap-tls again; it goes on where it stopped.';

/** By certbot's words; the first that fits counts. Types of RFC 8555, section 6.7, come as `urn:ietf:params:acme:error:TYPE`. */
export const ACME: readonly Row[] = [
  {
    code: 'certbot-busy',
    says: 'Another instance of Certbot is already running',
    means: 'certbot is at work on the proxy already, by its timer or by hand.',
    next: `Wait until it ends (\`ps -C certbot\`), ${AGAIN}`,
  },
  {
    code: 'acme-rate-limited',
    says: 'error:rateLimited; too many certificates already issued',
    when: /error:rateLimited|too many (certificates|failed|new orders|registrations|requests|currently pending)/i,
    means: 'The CA has had too many requests for this name, account or address.',
    next: 'Wait until the time that its message gives, and rehearse with --staging meanwhile. Each failed validation counts.',
  },
  {
    code: 'acme-bad-nonce',
    says: 'error:badNonce; invalid anti-replay nonce',
    when: /error:badNonce|anti-replay nonce/i,
    means:
      'The CA did not take the nonce that it had given; a proxy or several CA servers in between can cause that.',
    next: 'Run bootstrap-tls again, at once.',
  },
  {
    code: 'acme-untrusted',
    says: 'CERTIFICATE_VERIFY_FAILED',
    when: /SSLError|CERTIFICATE_VERIFY_FAILED|certificate verify failed/i,
    means:
      'certbot on the proxy does not trust the certificate of the CA at ACME_DIRECTORY_URL, or its clock is wrong.',
    next: `Look at the proxy's date; for a CA of your own put its root below /usr/local/share/ca-certificates and run \`update-ca-certificates\`; ${AGAIN}`,
  },
  {
    code: 'acme-unreachable',
    says: 'Requesting …: Connection refused; Max retries exceeded; Name or service not known',
    when: /Requesting \S+: |NewConnectionError|ConnectionError|ConnectTimeout|Max retries exceeded|ReadTimeout|Name or service not known|Temporary failure in name resolution|Network is unreachable|Read timed out/i,
    means: 'The proxy does not reach the CA.',
    next: `On the proxy, try: \`curl -sS ACME_DIRECTORY_URL\`. Look at its DNS, its way out and the CA's status page, ${AGAIN}`,
  },
  {
    code: 'acme-dns',
    says: 'Type: dns; NXDOMAIN; no valid A records found',
    when: /Type: +dns|error:dns|NXDOMAIN|no valid A records|DNS problem/i,
    means: "The name resolves here and not for the CA: the public DNS lacks it, or the CA's resolver fails.",
    next: `Look with: \`dig NAME @1.1.1.1\`. Mend the public record, wait for its time to live, ${AGAIN}`,
  },
  {
    code: 'acme-caa',
    says: 'Type: caa; CAA record prevents issuance',
    when: /Type: +caa|error:caa|CAA record/i,
    means: 'A CAA record of the domain does not let this CA issue.',
    next: `Look with: \`dig CAA NAME\`. Add the CA or remove the record, ${AGAIN}`,
  },
  {
    code: 'acme-connection',
    says: 'Type: connection; Timeout during connect',
    when: /Type: +connection|error:connection|Type: +tls/i,
    means: 'The CA does not reach port 80 of the name, though this machine does.',
    next: `Let the router and the firewall pass port 80 to the proxy from everywhere, IPv6 included when the name has an AAAA record, ${AGAIN}`,
  },
  {
    code: 'acme-challenge',
    says: 'Type: unauthorized; Invalid response from …',
    when: /Type: +(unauthorized|incorrectResponse)|error:(unauthorized|incorrectResponse)/i,
    means:
      'The CA got something else than the challenge: it sees another server under this name than this machine does.',
    next: `Compare its message with: \`dig NAME @1.1.1.1\` (A and AAAA), look at what answers there, ${AGAIN}`,
  },
  {
    code: 'acme-account',
    says: 'error:externalAccountRequired; External Account Binding',
    when: /externalAccountRequired|External Account Binding|--eab-kid/i,
    means:
      'This CA wants an account that it gave out itself (external account binding), which the suite does not do.',
    next: 'Register once on the proxy: `certbot register --server URL --eab-kid ID --eab-hmac-key KEY`; then run bootstrap-tls again.',
  },
  {
    code: 'acme-refused',
    says: 'error:rejectedIdentifier, and any other error: of the CA',
    when: /error:\w+|Error creating new order|policy|rejectedIdentifier/i,
    means: 'The CA refuses; its reason stands in its message.',
    next: `Mend what it names (the name itself, ACME_EMAIL, the account), ${AGAIN}`,
  },
];

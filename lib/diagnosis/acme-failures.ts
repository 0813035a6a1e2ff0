/** Reasons why no certificate was issued, by the messages of certbot and the CA. */
import type { Row } from './row.ts';

/** The last step of a fix. */
export const RERUN = 'then run `npx tsx scripts/bootstrap-tls.ts` again; it continues where it stopped.';

/**
 * By certbot's output; the first match counts. Types from RFC 8555, section 6.7, appear as
 * `urn:ietf:params:acme:error:TYPE`.
 */
export const ACME: readonly Row[] = [
  {
    code: 'certbot-busy',
    error: 'Another instance of Certbot is already running',
    cause: 'certbot is already running on the proxy, started by its timer or by hand.',
    fix: `Wait until it exits (\`ps -C certbot\`), ${RERUN}`,
  },
  {
    code: 'acme-rate-limited',
    error: 'error:rateLimited; too many certificates already issued',
    when: /error:rateLimited|too many (certificates|failed|new orders|registrations|requests|currently pending)/i,
    cause: 'A rate limit of the CA is exceeded for this name, account or IP address.',
    fix: 'Wait until the time given in the message; test with --staging in the meantime. Each failed validation counts against the limit.',
  },
  {
    code: 'acme-bad-nonce',
    error: 'error:badNonce; invalid anti-replay nonce',
    when: /error:badNonce|anti-replay nonce/i,
    cause:
      'The CA rejected a nonce that it had issued; an intermediate proxy or several CA servers can cause that.',
    fix: 'Run `npx tsx scripts/bootstrap-tls.ts` again right away.',
  },
  {
    code: 'acme-untrusted',
    error: 'CERTIFICATE_VERIFY_FAILED',
    when: /SSLError|CERTIFICATE_VERIFY_FAILED|certificate verify failed/i,
    cause:
      'certbot on the proxy does not trust the TLS certificate of the CA at ACME_DIRECTORY_URL, or the clock of the proxy is wrong.',
    fix: `Check the date on the proxy; for a private CA, copy its root certificate to /usr/local/share/ca-certificates and run \`update-ca-certificates\`; where the message names an extension (\`key usage\`), Python 3.13 wants it in that certificate: issue it again; ${RERUN}`,
  },
  {
    code: 'acme-unreachable',
    error: 'Requesting …: Connection refused; Max retries exceeded; Name or service not known',
    when: /Requesting \S+: |NewConnectionError|ConnectionError|ConnectTimeout|Max retries exceeded|ReadTimeout|Name or service not known|Temporary failure in name resolution|Network is unreachable|Read timed out/i,
    cause: 'The proxy cannot reach the CA.',
    fix: `On the proxy, try: \`curl -sS ACME_DIRECTORY_URL\`. Check its DNS, its outbound firewall rules and the status page of the CA, ${RERUN}`,
  },
  {
    code: 'acme-dns',
    error: 'Type: dns; NXDOMAIN; no valid A records found',
    when: /Type: +dns|error:dns|NXDOMAIN|no valid A records|DNS problem/i,
    cause:
      'The name resolves here but not for the CA: it is missing from the public DNS, or the resolver of the CA fails.',
    fix: `Check with: \`dig NAME @1.1.1.1\`. Fix the public record, wait for its TTL to expire, ${RERUN}`,
  },
  {
    code: 'acme-caa',
    error: 'Type: caa; CAA record prevents issuance',
    when: /Type: +caa|error:caa|CAA record/i,
    cause: 'A CAA record of the domain does not allow this CA to issue certificates.',
    fix: `Check with: \`dig CAA NAME\`. Add the CA to the record or remove the record, ${RERUN}`,
  },
  {
    code: 'acme-connection',
    error: 'Type: connection; Timeout during connect',
    when: /Type: +connection|error:connection|Type: +tls/i,
    cause: 'The CA cannot reach port 80 of the name, although this machine can.',
    fix: `Allow port 80 from anywhere on the router and the firewall, and forward it to the proxy; over IPv6 too if the name has an AAAA record; ${RERUN}`,
  },
  {
    code: 'acme-challenge',
    error: 'Type: unauthorized; Invalid response from …',
    when: /Type: +(unauthorized|incorrectResponse)|error:(unauthorized|incorrectResponse)/i,
    cause:
      'The CA did not receive the challenge file: the name points it to a different server than this machine.',
    fix: `Compare its message with: \`dig NAME @1.1.1.1\` (A and AAAA), check which server answers there, ${RERUN}`,
  },
  {
    code: 'acme-account',
    error: 'error:externalAccountRequired; External Account Binding',
    when: /externalAccountRequired|External Account Binding|--eab-kid/i,
    cause: 'This CA requires external account binding (EAB), which gatepost does not support.',
    fix: 'Register once on the proxy: `certbot register --server URL --eab-kid ID --eab-hmac-key KEY`; then run `npx tsx scripts/bootstrap-tls.ts` again.',
  },
  {
    code: 'acme-account-choice',
    error: 'Please choose an account',
    cause: 'certbot on the proxy has several accounts at this CA, and asks which one to use.',
    fix: `On the proxy, list them (\`ls -d /etc/letsencrypt/accounts/*/*/*\`) and choose one in certbot's own settings: \`echo 'account = ID' >>/etc/letsencrypt/cli.ini\`; ${RERUN}`,
  },
  {
    code: 'acme-flags',
    error: 'Missing command line flag or config entry for this setting; Too many flags setting',
    when: /Missing command line flag or config entry|Too many flags setting|unrecognized arguments|ambiguous option/i,
    cause:
      'certbot asks for something, or its own settings contradict the order: /etc/letsencrypt/cli.ini on the proxy, or a very old certbot.',
    fix: `Answer it in /etc/letsencrypt/cli.ini (\`name = value\`, the names of \`certbot --help all\` without the dashes), or remove there what sets another authenticator or installer; ${RERUN}`,
  },
  {
    code: 'acme-refused',
    error: 'error:rejectedIdentifier, and any other error: of the CA',
    when: /error:\w+|Error creating new order|policy|rejectedIdentifier/i,
    cause: 'The CA refused the request; its message gives the reason.',
    fix: `Fix what it names (the name itself, ACME_EMAIL, the account), ${RERUN}`,
  },
];

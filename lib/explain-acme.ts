/** What keeps a certificate from being issued, by type: what it means and what to do. */
import type { Explanation } from './explain.ts';
import type { Failure } from './outcome.ts';

interface Row extends Explanation {
  readonly code: string;
  readonly when: RegExp;
}

const AGAIN = 'then run bootstrap-tls again; it goes on where it stopped.';

/** By certbot's words; the first that fits. Types of RFC 8555, section 6.7, come as `urn:ietf:params:acme:error:TYPE`. */
const BY_TEXT: readonly Row[] = [
  {
    code: 'certbot-busy',
    when: /Another instance of Certbot is already running/i,
    means: 'certbot is at work on the proxy already, by its timer or by hand.',
    next: `Wait until it ends (ps -C certbot), ${AGAIN}`,
  },
  {
    code: 'disk-full',
    when: /No space left on device|Errno 28/i,
    means: 'The disk of the proxy is full.',
    next: `Free some space (df -h), ${AGAIN}`,
  },
  {
    code: 'read-only',
    when: /Read-only file system|Errno 30/i,
    means: 'The file system on the proxy is mounted read-only.',
    next: `Look at dmesg for the reason, remount it, ${AGAIN}`,
  },
  {
    code: 'acme-rate-limited',
    when: /error:rateLimited|too many (certificates|failed|new orders|registrations|requests|currently pending)/i,
    means: 'The CA has had too many requests for this name, account or address.',
    next: 'Wait until the time that its message gives, and rehearse with --staging meanwhile. Each failed validation counts.',
  },
  {
    code: 'acme-bad-nonce',
    when: /error:badNonce|anti-replay nonce/i,
    means:
      'The CA did not take the nonce that it had given; a proxy or several CA servers in between can cause that.',
    next: 'Run bootstrap-tls again, at once.',
  },
  {
    code: 'acme-untrusted',
    when: /SSLError|CERTIFICATE_VERIFY_FAILED|certificate verify failed/i,
    means:
      'certbot on the proxy does not trust the certificate of the CA at ACME_DIRECTORY_URL, or its clock is wrong.',
    next: `Look at the proxy's date; for a CA of your own put its root below /usr/local/share/ca-certificates and run update-ca-certificates; ${AGAIN}`,
  },
  {
    code: 'acme-unreachable',
    when: /Requesting \S+: |NewConnectionError|ConnectionError|ConnectTimeout|Max retries exceeded|ReadTimeout|Name or service not known|Temporary failure in name resolution|Network is unreachable|Read timed out/i,
    means: 'The proxy does not reach the CA.',
    next: `On the proxy, try: curl -sS ACME_DIRECTORY_URL. Look at its DNS, its way out and the CA's status page, ${AGAIN}`,
  },
  {
    code: 'acme-dns',
    when: /Type: +dns|error:dns|NXDOMAIN|no valid A records|DNS problem/i,
    means: "The name resolves here and not for the CA: the public DNS lacks it, or the CA's resolver fails.",
    next: `Look with: dig NAME @1.1.1.1. Mend the public record, wait for its time to live, ${AGAIN}`,
  },
  {
    code: 'acme-caa',
    when: /Type: +caa|error:caa|CAA record/i,
    means: 'A CAA record of the domain does not let this CA issue.',
    next: `Look with: dig CAA NAME. Add the CA or remove the record, ${AGAIN}`,
  },
  {
    code: 'acme-connection',
    when: /Type: +connection|error:connection|Type: +tls/i,
    means: 'The CA does not reach port 80 of the name, though this machine does.',
    next: `Let the router and the firewall pass port 80 to the proxy from everywhere, IPv6 included when the name has an AAAA record, ${AGAIN}`,
  },
  {
    code: 'acme-challenge',
    when: /Type: +(unauthorized|incorrectResponse)|error:(unauthorized|incorrectResponse)/i,
    means:
      'The CA got something else than the challenge: it sees another server under this name than this machine does.',
    next: `Compare its message with: dig NAME @1.1.1.1 (A and AAAA), look at what answers there, ${AGAIN}`,
  },
  {
    code: 'acme-account',
    when: /externalAccountRequired|External Account Binding|--eab-kid/i,
    means:
      'This CA wants an account that it gave out itself (external account binding), which the suite does not do.',
    next: 'Register once on the proxy: certbot register --server URL --eab-kid ID --eab-hmac-key KEY; then run bootstrap-tls again.',
  },
  {
    code: 'acme-refused',
    when: /error:\w+|Error creating new order|policy|rejectedIdentifier/i,
    means: 'The CA refuses; its reason stands in its message.',
    next: `Mend what it names (the name itself, ACME_EMAIL, the account), ${AGAIN}`,
  },
];

/** By the point where the suite itself stopped. */
const BY_CODE: Readonly<Record<string, Explanation>> = {
  'dns-missing': {
    means: 'A CA can only look at a name that is in the public DNS.',
    next: `Set the record of the name to the proxy's public address, ${AGAIN}`,
  },
  dns: {
    means: 'The resolver of this machine does not answer, so nothing is known of the name.',
    next: `Look at the network of this machine, ${AGAIN}`,
  },
  'dns-private': {
    means:
      'The CA on the internet cannot reach a private address, and editors such as Cursor refuse it (ssrf_blocked).',
    next: `Set the record of the name to the proxy's public entry. Where only your own network gives another answer, run this from outside. Or: --self-signed.`,
  },
  'challenge-unreachable': {
    means: 'Port 80 of the name is not open from here, so the CA would hardly get through.',
    next: `Let the router and the firewall pass port 80 to the proxy (from inside its own network many routers do not lead back: run this from outside), ${AGAIN}`,
  },
  'challenge-ipv6': {
    means: 'The name has an IPv6 address that goes nowhere, and the CA asks there first.',
    next: `Remove the AAAA record, or let IPv6 reach the proxy's port 80, ${AGAIN}`,
  },
  'challenge-redirect': {
    means: 'The CA would follow that redirect to another place, where the challenge is not.',
    next: `Except /.well-known/acme-challenge/ from the redirect (another vhost, a CDN, the router), ${AGAIN}`,
  },
  'challenge-other': {
    means:
      'Another server or another vhost answers under this name: the record leads elsewhere, or something stands before the proxy.',
    next: `Compare the address with the proxy's public entry; on the proxy: grep -rn server_name /etc/nginx. With several proxies name the right one by --host; ${AGAIN}`,
  },
  'certbot-missing': {
    means: 'certbot is what asks the CA, on the proxy itself.',
    next: 'On the proxy: apt install certbot (RHEL: dnf install certbot; Alpine: apk add certbot); then run bootstrap-tls again.',
  },
  'order-timeout': {
    means: 'certbot was still waiting for the CA after 80 s and was ended.',
    next: 'Run bootstrap-tls again; if it stays, look at /var/log/letsencrypt/letsencrypt.log on the proxy.',
  },
  order: {
    means: 'certbot failed for a reason that is not in our table.',
    next: 'Its own words are above; /var/log/letsencrypt/letsencrypt.log on the proxy tells more.',
  },
  webroot: {
    means: 'The file for the challenge cannot be written on the proxy.',
    next: `Look at the disk and the rights of /var/www/certbot there (df -h), ${AGAIN}`,
  },
  hook: {
    means: 'The certificate is there, and nginx would not be told of its renewals.',
    next: `Look at the disk and the rights of /etc/letsencrypt there, ${AGAIN}`,
  },
  serve: {
    means: 'The certificate is there, and nginx does not take it yet.',
    next: `Mend what nginx names, ${AGAIN}`,
  },
  managed: {
    means: 'A certificate that renews itself is not given up for a self-signed one.',
    next: 'Run it without --self-signed; or, on the proxy, first: certbot delete --cert-name NAME',
  },
  openssl: {
    means: 'The key of a self-signed certificate is made where it is used, by openssl.',
    next: 'Install openssl on the proxy, then run it again.',
  },
  sign: { means: 'openssl on the proxy did not make the certificate.', next: 'Its own words are above.' },
};

/** A failed order with its type, from certbot's words. */
export function typed(failure: Failure): Failure {
  if (failure.code !== 'order') return failure;
  const row = BY_TEXT.find(({ when }) => when.test(failure.text));
  return row ? { ...failure, code: row.code } : failure;
}

/** What a failure on the way to a certificate means; undefined for any other. */
export function explainAcme(code: string): Explanation | undefined {
  return BY_TEXT.find((row) => row.code === code) ?? BY_CODE[code];
}

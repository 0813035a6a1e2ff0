/** By the point where bootstrap-tls itself stopped, before or after the CA was asked. */
import { AGAIN } from './acme-failures.ts';
import type { Point } from './failure-codes.ts';

/** By the code of a failure. */
export const TLS_POINTS: Readonly<Record<string, Point>> = {
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
    next: `Compare the address with the proxy's public entry; on the proxy: \`grep -rn server_name /etc/nginx\`. With several proxies name the right one by --host; ${AGAIN}`,
  },
  'certbot-missing': {
    means: 'certbot is what asks the CA, on the proxy itself.',
    next: 'On the proxy: `apt install certbot` (RHEL: `dnf install certbot`; Alpine: `apk add certbot`); then run bootstrap-tls again.',
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
    next: `Look at the disk and the rights of /var/www/certbot there (\`df -h\`), ${AGAIN}`,
  },
  linked: {
    means:
      'The path leads into the certificate of another site. Writing there would give that site a certificate that does not name it.',
    next: `Give the site files of its own below /etc/letsencrypt, ${AGAIN}`,
    isFirm: true,
  },
  'lineage-names': {
    means:
      'The new certificate would lack those names, and the sites that use it would break. (A wildcard needs a DNS challenge.)',
    next: 'On the proxy, renew it by its own means: `certbot renew --cert-name NAME --force-renewal`',
    isFirm: true,
  },
  'lineage-name': {
    means:
      'The certificate names other sites, too, which an order keeps; so each of its names must pass the challenge. Nothing was changed.',
    next: 'Serve http://NAME/.well-known/acme-challenge/ of that name from the webroot on the proxy (/var/www/certbot, unless certbot knows another), then run bootstrap-tls again. Or renew it by its own means: `certbot renew --cert-name LINEAGE --force-renewal`. Names that are not needed any more are dropped only by hand: `certbot certonly --cert-name LINEAGE --webroot -w /var/www/certbot -d NAME`, with -d for each name to keep.',
    isFirm: true,
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
    next: 'Run it without --self-signed; or, on the proxy, first: `certbot delete --cert-name NAME`',
  },
  openssl: {
    means: 'The key of a self-signed certificate is made where it is used, by openssl.',
    next: 'Install openssl on the proxy, then run it again.',
  },
  sign: { means: 'openssl on the proxy did not make the certificate.', next: 'Its own words are above.' },
};

/** By the code of a failure (the point where a change, or a certificate, failed), when its words say nothing more. */
import type { ExplainedFailure } from '../model/contract.ts';
import { AGAIN } from './acme-failures.ts';
import type { Explanation } from './row.ts';

export interface Point extends Explanation {
  /** Its advice holds whatever the words say: they are somebody else's file, or have been dealt with. */
  readonly isFirm?: true;
}

/** By the code of a failure. */
export const POINTS = {
  test: {
    means: 'nginx refuses the new configuration.',
    next: 'Mend the template or the setting that its message names, then deploy again.',
  },
  reload: {
    means: 'nginx accepted the new configuration but does not serve it.',
    next: "Read nginx's error log on the proxy, mend the cause, then deploy again.",
  },
  sick: {
    means: 'nginx on the proxy refuses its configuration already, before any change of ours.',
    next: 'Mend the file that its message names (`nginx -t`), then deploy again.',
    isFirm: true,
  },
  locked: { means: 'Another run is at work on this proxy.', next: 'Wait for it to end, then run it again.' },
  layout: {
    means: 'nginx would not read what is deployed.',
    next: 'Add to the http block of /etc/nginx/nginx.conf: `include /etc/nginx/conf.d/*.conf;`',
  },
  'nginx-absent': {
    means: 'The suite changes an nginx that is there already.',
    next: 'Install nginx on the proxy.',
  },
  'nginx-stopped': {
    means: 'A change is proven by the running nginx, and there is none.',
    next: 'Start it (`systemctl start nginx`), then deploy again.',
  },
  target: {
    means: 'What stands in the place of one of our files was put there by somebody else.',
    next: 'Look at it on the proxy and move it away, then deploy again.',
  },
  write: {
    means: 'A file could not be written on the proxy.',
    next: 'Look at the disk and the rights there (`df -h`, `lsattr`).',
  },
  store: {
    means: 'The history below /var/lib/gatepost cannot be written.',
    next: 'Look at the disk and the mounts there (`df -h`, `mount`).',
  },
  restore: {
    means: 'What was changed could not be put back whole.',
    next: 'Do the steps below on the proxy, as root, in order.',
    isFirm: true,
  },
  sudo: {
    means: 'The login works, but the shell there did not run the program.',
    next: 'Try by hand: ssh to the proxy and run `sudo -n /bin/sh -c id`',
  },
  unknown: {
    means: 'The program was sent. It ends by itself, with the change wholly live or wholly undone.',
    next: 'When the proxy answers again, run the same command once more: it settles what was left and goes on.',
    isFirm: true,
  },
  lost: {
    means: 'The connection dropped before the program was there. Nothing was changed.',
    next: 'Run it again.',
    isFirm: true,
  },
  cancelled: { means: 'Nothing was changed.', next: 'Run it again.' },
  ended: { means: 'The program was stopped from outside (a shutdown, a kill).', next: 'Run it again.' },
  bug: {
    means: 'The program on the proxy ended before it was done; what it had begun is put back.',
    next: 'Run it again. Should it fail again, please report it with this text.',
  },
  'same-token': {
    means: 'A token that is in use already would change nothing, or mix two clients up.',
    next: 'Set another token (`openssl rand -hex 32`), or leave it unset to have one generated.',
  },
  'no-client': {
    next: 'See which there are: `npx tsx scripts/bearers.ts list`. A new one: `npx tsx scripts/bearers.ts add NAME`',
  },
  'client-exists': {
    means: 'Its token stays as it is.',
    next: 'A new token for it: `npx tsx scripts/rotate-bearer.ts --client NAME`. Another scope: revoke it, then add it.',
  },
  'client-file': {
    means: 'Somebody wrote that file by hand, in another form.',
    next: 'Revoke the client and add it again: `npx tsx scripts/bearers.ts revoke NAME`',
  },
  'no-gate': { next: 'Deploy the site first: `npx tsx scripts/deploy.ts`' },
  'no-release': { next: 'The ids, with who and when: `npx tsx scripts/status.ts`' },
  'no-files': {
    next: 'Choose another release (`npx tsx scripts/status.ts`), or run: `npx tsx scripts/remove.ts`',
  },
  'no-earlier': {
    next: 'To take the site off the proxy: `npx tsx scripts/remove.ts`. Any other release: `--to ID`, as `npx tsx scripts/status.ts` lists them.',
  },
  tools: {
    means: 'A tool that every Linux has is missing on the proxy.',
    next: 'Install it, then run it again.',
  },
} satisfies Partial<Record<ExplainedFailure, Point>>;

/** By the code of a failure. */
export const TLS_POINTS = {
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
} satisfies Partial<Record<ExplainedFailure, Point>>;

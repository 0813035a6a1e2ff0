/** By failure code (the failed step of a change or a certificate), for texts that match no row. */
import type { ExplainedFailure } from '../model/contract.ts';
import { RERUN } from './acme-failures.ts';
import type { Explanation } from './row.ts';

export interface CodeExplanation extends Explanation {
  /** This fix applies even if the text matches a row, because the row's fix would not apply here. */
  readonly isFinal?: true;
}

/** Failures of a change. */
export const FAILURE_CODES = {
  test: {
    cause: 'The new configuration is invalid (`nginx -t` fails).',
    fix: 'Fix the template or the setting named in the message, then deploy again.',
  },
  reload: {
    cause: 'nginx accepted the new configuration but does not serve it.',
    fix: 'Check the nginx error log on the proxy, fix the cause, then deploy again.',
  },
  sick: {
    cause:
      'The current nginx configuration on the proxy is already invalid (`nginx -t` fails), before any change by gatepost.',
    fix: 'Fix the file named in the message (`nginx -t` shows it again), then deploy again.',
    isFinal: true,
  },
  locked: { cause: 'Another run is in progress on this proxy.', fix: 'Wait until it ends, then retry.' },
  'lock-stalled': {
    cause:
      'The run that holds the lock has made no progress for ten minutes: its process is stopped or stuck.',
    fix: 'Run the same command with `--take-over-lock`: it ends that process, rolls back what it has changed, and goes on.',
  },
  live: {
    cause:
      "nginx's workers cannot see the files that say which tokens are live, so the gate would refuse every request.",
    fix: 'Let the user of nginx pass through the folder in the message and the ones above it: `chmod o+x /etc/nginx`',
  },
  'client-ended': {
    cause: 'Its tokens are not accepted at present, and a new one would not be either.',
    fix: '`npx tsx scripts/bearers.ts resume NAME`, or `set NAME --expires WHEN` with a time that is yet to come.',
  },
  layout: {
    cause: 'nginx would not include the deployed files.',
    fix: 'Add an include to the http block of nginx.conf: `include /etc/nginx/conf.d/*.conf;`',
  },
  'nginx-absent': {
    cause: 'gatepost configures an existing nginx; it does not install one.',
    fix: 'Install nginx on the proxy.',
  },
  'nginx-old': {
    cause: 'The vhosts use directives that older versions of nginx do not know.',
    fix: 'Upgrade nginx on the proxy to 1.15.6 or newer (the packages of nginx.org have one for every supported system).',
  },
  'nginx-several': {
    cause: 'gatepost cannot tell which nginx serves the public ports.',
    fix: 'Stop the others, or have the one that serves the public ports write its pid to /run/nginx.pid (`pid /run/nginx.pid;` in its nginx.conf).',
  },
  stream: {
    cause:
      "nginx's own stream block holds the port: it passes connections on before any vhost sees them, so a vhost cannot listen there, too.",
    fix: 'Have the stream block listen on another port or address; or route the name of this site in it (`ssl_preread`) to another proxy.',
  },
  restart: {
    cause:
      'A reload cannot take over a port for all addresses while nginx listens on some of them: it fails with `still could not bind()`, and the old configuration stays active.',
    fix: 'Restart nginx on the proxy (`systemctl restart nginx`), then deploy again.',
  },
  'nginx-stopped': {
    cause: 'nginx must be running to deploy: the change is verified against the running server.',
    fix: 'Start it (`systemctl start nginx`), then deploy again.',
  },
  upgrading: {
    cause:
      'A binary upgrade of nginx is in progress (the USR2 signal, a package upgrade): its old master keeps serving what it has read.',
    fix: 'Finish the upgrade on the proxy (`kill -QUIT "$(cat /run/nginx.pid.oldbin)"`), then run the same command again.',
  },
  target: {
    cause: 'A file that gatepost needs to write already exists and is not managed by gatepost.',
    fix: 'Inspect it on the proxy and move it away, then deploy again.',
  },
  variable: {
    cause:
      'Another file on the proxy defines a variable of this site, as after a copy of a site in which a name was not changed. nginx accepts that, and uses the last definition for every site: tokens of one site would be accepted by another.',
    fix: 'Rename the variable in that file or in this site, or remove the file, then deploy again.',
  },
  write: {
    cause: 'A file could not be written on the proxy.',
    fix: 'Check free disk space and permissions there (`df -h`, `lsattr`).',
  },
  edited: {
    cause: 'Somebody edited that file at the same time. Nothing was changed.',
    fix: 'Run the same command again: the edit is reported as drift, and kept in the release history.',
  },
  store: {
    cause: 'The release history in /var/lib/gatepost cannot be written.',
    fix: 'Check free disk space and mounts there (`df -h`, `mount`).',
  },
  restore: {
    cause: 'The rollback failed; some files were not restored.',
    fix: 'Run the steps below on the proxy, as root, in order.',
    isFinal: true,
  },
  sudo: {
    cause: 'The login works, but the remote shell did not run the program.',
    fix: 'Try it manually: ssh to the proxy and run `sudo -n /bin/sh -c id`',
  },
  unknown: {
    cause:
      'The program was sent. It finishes on the proxy without this connection: the change is either fully applied or fully rolled back.',
    fix: 'When the proxy is reachable again, run the same command again: it completes or rolls back the interrupted change and continues.',
    isFinal: true,
  },
  lost: {
    cause: 'The connection dropped before the program was fully sent. Nothing was changed.',
    fix: 'Run it again.',
    isFinal: true,
  },
  cancelled: { cause: 'Nothing was changed.', fix: 'Run it again.' },
  ended: { cause: 'The program was terminated (by a shutdown or a kill).', fix: 'Run it again.' },
  bug: {
    cause: 'The program on the proxy exited early; its change was rolled back.',
    fix: 'Run it again. If it fails again, please report it with this text.',
  },
  'same-token': {
    cause: 'The token is already in use, by this client or by another one.',
    fix: 'To generate a new token and write it into the env file: `npx tsx scripts/rotate-bearer.ts --write-env` (in the process environment, unset the token first). Or set another token (`openssl rand -hex 32`).',
  },
  'no-client': {
    fix: 'List the clients: `npx tsx scripts/bearers.ts list`. Add one: `npx tsx scripts/bearers.ts add NAME`',
  },
  'client-exists': {
    cause: 'Its token was not changed.',
    fix: 'To replace its token: `npx tsx scripts/rotate-bearer.ts --client NAME`. To change its scope, limits or end: `npx tsx scripts/bearers.ts set NAME`.',
  },
  'copy-exists': {
    cause:
      'These clients have another token on the two proxies, and which one is wanted is not known. Nothing was copied.',
    fix: 'Revoke them on the proxy that is to get the clients (`bearers.ts revoke NAME --host HOST`), then copy again; or copy one client by its name (`bearers.ts copy NAME …`).',
  },
  'output-log': {
    cause: 'The tokens would pass through sudo, and stay in that log in clear text.',
    fix: 'On that proxy, with visudo, except its login user from the log (`Defaults:USER !log_output`), then copy again.',
  },
  'client-file': {
    cause: 'The file was edited by hand and no longer has the expected format.',
    fix: 'Revoke the client and add it again: `npx tsx scripts/bearers.ts revoke NAME`',
  },
  'no-gate': { fix: 'Deploy the site first: `npx tsx scripts/deploy.ts`' },
  'no-release': { fix: 'List the releases: `npx tsx scripts/status.ts`' },
  'no-files': {
    fix: 'Choose another release (`npx tsx scripts/status.ts`), or run: `npx tsx scripts/remove.ts`',
  },
  'no-earlier': {
    fix: 'To remove the site from the proxy: `npx tsx scripts/remove.ts`. For any other release: `--to ID`, as listed by `npx tsx scripts/status.ts`.',
  },
  tools: {
    cause: 'A standard Linux tool is missing on the proxy.',
    fix: 'Install it, then retry.',
  },
} satisfies Partial<Record<ExplainedFailure, CodeExplanation>>;

/** Failures of a certificate. */
export const TLS_FAILURE_CODES = {
  'dns-missing': {
    cause: 'A CA can only validate a name that is in the public DNS.',
    fix: `Point the DNS record of the name to the public IP address of the proxy, ${RERUN}`,
  },
  dns: {
    cause: 'The DNS resolver of this machine does not respond, so the name could not be looked up.',
    fix: `Check the network of this machine, ${RERUN}`,
  },
  'dns-private': {
    cause:
      'A CA on the internet cannot reach a private address, and editors such as Cursor refuse it (ssrf_blocked).',
    fix: 'Point the DNS record of the name to the public IP address of the proxy. If only your own network resolves it differently (split DNS): --no-preflight asks the CA without trying it from here. Without a public address: --self-signed.',
  },
  'challenge-unreachable': {
    cause: 'Port 80 of the name is not reachable from here, so the CA probably cannot reach it either.',
    fix: `Allow port 80 on the router and the firewall and forward it to the proxy, ${RERUN} If only this machine cannot reach it (a router without NAT loopback): --no-preflight.`,
  },
  'challenge-ipv6': {
    cause: 'The IPv6 address of the name is unreachable, and the CA tries IPv6 first.',
    fix: `Remove the AAAA record, or make port 80 of the proxy reachable over IPv6, ${RERUN}`,
  },
  'challenge-redirect': {
    cause: 'The CA would follow that redirect to another server, which does not have the challenge file.',
    fix: `Exclude /.well-known/acme-challenge/ from the redirect (another vhost, a CDN, the router), ${RERUN}`,
  },
  'challenge-other': {
    cause:
      'Another server or another vhost answers for this name: the DNS record points elsewhere, or a CDN or load balancer is in front of the proxy.',
    fix: `Check that the name is yours and resolves to the public IP address of the proxy; on the proxy: \`grep -rn server_name /etc/nginx\`. With several proxies, select the right one with --host; ${RERUN}`,
  },
  'certbot-missing': {
    cause: 'certbot requests the certificate and must be installed on the proxy.',
    fix: 'On the proxy: `apt install certbot` (RHEL: `dnf install certbot`; Alpine: `apk add certbot`); then run `npx tsx scripts/bootstrap-tls.ts` again.',
  },
  'certbot-old': {
    cause: 'certbot gets certificates for addresses by webroot from version 5.4 on. Nothing was changed.',
    fix: 'Upgrade certbot on the proxy, then run `npx tsx scripts/bootstrap-tls.ts` again; or use --self-signed.',
  },
  'order-timeout': {
    cause: 'certbot was still waiting for the CA after 80 s and was stopped.',
    fix: 'Run `npx tsx scripts/bootstrap-tls.ts` again; if it happens again, check /var/log/letsencrypt/letsencrypt.log on the proxy.',
  },
  order: {
    cause: 'certbot failed for a reason that is not in the tables of gatepost.',
    fix: 'See its output above and /var/log/letsencrypt/letsencrypt.log on the proxy.',
  },
  webroot: {
    cause: 'The challenge file cannot be written on the proxy.',
    fix: `Check free disk space and the permissions of /var/www/certbot there (\`df -h\`), ${RERUN}`,
  },
  linked: {
    cause:
      'The path is a symlink to the certificate of another site. Writing there would give that site a certificate for the wrong name.',
    fix: `Use separate files for this site in /etc/letsencrypt, ${RERUN}`,
    isFinal: true,
  },
  'lineage-names': {
    cause:
      'The new certificate would not include those names, which would break the sites that use it. (A wildcard requires a DNS challenge.)',
    fix: 'On the proxy, renew it the way it was issued: `certbot renew --cert-name NAME --force-renewal`',
    isFinal: true,
  },
  'lineage-name': {
    cause:
      'The certificate also covers other sites. An order keeps those names, so each of them must pass the challenge. Nothing was changed.',
    fix: 'Serve http://NAME/.well-known/acme-challenge/ for that name from the webroot on the proxy (/var/www/certbot, unless certbot is configured with another), then run `npx tsx scripts/bootstrap-tls.ts` again. Or renew it the way it was issued: `certbot renew --cert-name LINEAGE --force-renewal`. To drop names that are no longer needed, run `certbot certonly --cert-name LINEAGE --webroot -w /var/www/certbot -d NAME`, with -d for each name to keep.',
    isFinal: true,
  },
  hook: {
    cause: 'The certificate is in place, but nginx would not be reloaded after renewals.',
    fix: `Check free disk space and the permissions of /etc/letsencrypt there, ${RERUN}`,
  },
  serve: {
    cause: 'The certificate is in place, but nginx does not serve it yet.',
    fix: `Fix the error that nginx reports, ${RERUN}`,
  },
  unusable: {
    cause: 'The certificate cannot take the place of one of the site itself. Nothing was changed.',
    fix: 'List them on the proxy: `certbot certificates`. Or request one: run `npx tsx scripts/bootstrap-tls.ts` without --use-certificate.',
  },
  managed: {
    cause: 'A certificate that certbot renews is not replaced with a self-signed one.',
    fix: 'Run it without --self-signed; or, on the proxy, first: `certbot delete --cert-name NAME`',
  },
  openssl: {
    cause: 'openssl generates the key of a self-signed certificate on the proxy itself.',
    fix: 'Install openssl on the proxy, then retry.',
  },
  sign: { cause: 'openssl on the proxy failed to create the certificate.', fix: 'See its output above.' },
} satisfies Partial<Record<ExplainedFailure, CodeExplanation>>;

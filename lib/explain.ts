/** A failure's words -> what it means and what to do next; one table for every program the suite talks to. */
import { explainAcme } from './explain-acme.ts';
import type { Failure } from './outcome.ts';

/** What it means, where the words do not say so already, and what to do next. */
export interface Explanation {
  readonly means?: string;
  readonly next: string;
}

interface Row extends Explanation {
  /** What people look for; the README's table shows it. */
  readonly says: string;
  readonly when: RegExp;
  readonly means: string;
}

/** By the words of nginx, sudo and the shell; the first that fits. The README's table is made of it. */
export const BY_TEXT: readonly Row[] = [
  {
    says: 'sudo: a password is required',
    when: /a password is required|a terminal is required|sudo: .*(password|askpass)/i,
    means: 'The program must run as root, by `sudo -n` for a shell, and sudo asks for a password.',
    next: 'On the proxy, by visudo, add a line for the login user: USER ALL=(root) NOPASSWD: /bin/sh',
  },
  {
    says: 'sudo: not found; not in the sudoers file',
    when: /sudo: (command )?not found|sudo: No such file|exec: sudo|not in the sudoers file|may not run sudo|not allowed to execute/i,
    means: 'The login user is not root and has no way to become root.',
    next: 'Install sudo on the proxy and add by visudo: USER ALL=(root) NOPASSWD: /bin/sh; or log in as root.',
  },
  {
    says: 'sudo: you must have a tty',
    when: /requiretty|you must have a tty/i,
    means: 'sudo on the proxy wants a terminal; the suite never asks for one.',
    next: 'On the proxy, by visudo: Defaults:USER !requiretty',
  },
  {
    says: 'cannot load certificate',
    when: /cannot load certificate|PEM_read_bio_X509|BIO_new_file|cannot load certificate key/,
    means: 'The certificate or its key is missing on the proxy, or cannot be read.',
    next: 'Get the first one with: npx tsx scripts/bootstrap-tls.ts',
  },
  {
    says: 'key values mismatch',
    when: /key values mismatch/,
    means: 'The certificate and the private key on the proxy do not belong together.',
    next: 'Look at both below /etc/letsencrypt/live/, then issue the certificate again.',
  },
  {
    says: 'conflicting server name',
    when: /conflicting server name/,
    means: 'Another vhost on this proxy already has our server name; nginx would let ours never serve.',
    next: 'Find it with: grep -rn server_name /etc/nginx. Remove or rename it, then deploy again.',
  },
  {
    says: 'a duplicate default server',
    when: /duplicate default server/,
    means: 'Another vhost is already the default server of that port (stock Debian: sites-enabled/default).',
    next: 'Remove the stock one (rm /etc/nginx/sites-enabled/default), take default_server off the other vhost, or give this site a server name.',
  },
  {
    says: 'could not build map_hash',
    when: /could not build map_hash/,
    means: "A string key of a map is longer than nginx's hash buckets; a gate made by hand has such keys.",
    next: 'Use regex keys as in http-maps/, or raise map_hash_bucket_size in nginx.conf.',
  },
  {
    says: '"map_hash_bucket_size" directive is duplicate',
    when: /"map_hash_bucket_size" directive is duplicate/,
    means: 'map_hash_bucket_size is set twice, or after a map.',
    next: 'Keep it once, at the top of the http block of nginx.conf.',
  },
  {
    says: 'duplicate connection_upgrade',
    when: /connection_upgrade/,
    means: 'Two files define $connection_upgrade and this build of nginx refuses that.',
    next: 'Keep one definition; the suite leaves its own out where another file has one.',
  },
  {
    says: 'still could not bind()',
    when: /could not bind|Address already in use/,
    means: 'Another process has the port, so nginx kept serving the old configuration.',
    next: 'Find the process with: ss -ltnp. Stop it or move it, then deploy again.',
  },
  {
    says: 'host not found in upstream',
    when: /host not found in upstream/,
    means: 'A name in an upstream does not resolve; nginx refuses the whole configuration for that.',
    next: 'Use an address in its place.',
  },
  {
    says: 'No space left on device',
    when: /No space left on device/,
    means: 'The disk of the proxy is full.',
    next: 'Free some space (df -h), then run it again.',
  },
  {
    says: 'Read-only file system',
    when: /Read-only file system/,
    means: 'The file system on the proxy is mounted read-only.',
    next: 'Look at dmesg for the reason, remount it, then run it again.',
  },
];

/** By the point where it failed, when the words say nothing more. */
const BY_CODE: Readonly<Record<string, Explanation>> = {
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
    next: 'Mend the file that its message names (nginx -t), then deploy again.',
  },
  locked: { means: 'Another run is at work on this proxy.', next: 'Wait for it to end, then run it again.' },
  layout: {
    means: 'nginx would not read what is deployed.',
    next: 'Add to the http block of /etc/nginx/nginx.conf: include /etc/nginx/conf.d/*.conf;',
  },
  'nginx-absent': {
    means: 'The suite changes an nginx that is there already.',
    next: 'Install nginx on the proxy.',
  },
  'nginx-stopped': {
    means: 'A change is proven by the running nginx, and there is none.',
    next: 'Start it (systemctl start nginx), then deploy again.',
  },
  target: {
    means: 'What stands in the place of one of our files was put there by somebody else.',
    next: 'Look at it on the proxy and move it away, then deploy again.',
  },
  write: {
    means: 'A file could not be written on the proxy.',
    next: 'Look at the disk and the rights there (df -h, lsattr).',
  },
  store: {
    means: 'The history below /var/lib/gatepost cannot be written.',
    next: 'Look at the disk and the mounts there (df -h, mount).',
  },
  restore: {
    means: 'What was changed could not be put back whole.',
    next: 'Do the steps below on the proxy, as root, in order.',
  },
  sudo: {
    means: 'The login works, but the shell there did not run the program.',
    next: 'Try by hand: ssh to the proxy and run sudo -n /bin/sh -c id',
  },
  unknown: {
    means: 'The program was sent. It ends by itself, with the change wholly live or wholly undone.',
    next: 'When the proxy answers again, run the same command once more: it settles what was left and goes on.',
  },
  lost: {
    means: 'The connection dropped before the program was there. Nothing was changed.',
    next: 'Run it again.',
  },
  cancelled: { means: 'Nothing was changed.', next: 'Run it again.' },
  ended: { means: 'The program was stopped from outside (a shutdown, a kill).', next: 'Run it again.' },
  bug: {
    means: 'The program on the proxy ended before it was done; what it had begun is put back.',
    next: 'Run it again. Should it fail again, please report it with this text.',
  },
  'same-token': {
    means: 'A rotation to a token that is in use already would change nothing, or mix two clients up.',
    next: 'Set another token (openssl rand -hex 32), or leave it unset to have one generated.',
  },
  'no-client': {
    next: 'See which there are: npx tsx scripts/bearers.ts list. A new one: npx tsx scripts/bearers.ts add NAME',
  },
  'client-exists': {
    means: 'Its token stays as it is.',
    next: 'A new token for it: npx tsx scripts/rotate-bearer.ts --client NAME. Another scope: revoke it, then add it.',
  },
  'client-file': {
    means: 'Somebody wrote that file by hand, in another form.',
    next: 'Revoke the client and add it again: npx tsx scripts/bearers.ts revoke NAME',
  },
  'no-gate': { next: 'Deploy the site first: npx tsx scripts/deploy.ts' },
  'no-release': { next: 'The ids, with who and when: npx tsx scripts/status.ts' },
  'no-files': {
    next: 'Choose another release (npx tsx scripts/status.ts), or run: npx tsx scripts/remove.ts',
  },
  'no-earlier': {
    next: 'To take the site off the proxy: npx tsx scripts/remove.ts. Any other release: --to ID, as npx tsx scripts/status.ts lists them.',
  },
  tools: {
    means: 'A tool that every Linux has is missing on the proxy.',
    next: 'Install it, then run it again.',
  },
};

const UNKNOWN: Explanation = {
  means: 'This failure is not in our table.',
  next: 'Its own words are above; on the proxy, nginx -t and the error log tell more.',
};

/** What `failure` means and what to do. */
export function explain({ code, text, advice }: Failure): Explanation {
  if (advice !== undefined) return { next: advice };
  if (code === 'lost' || code === 'unknown') return BY_CODE[code] ?? UNKNOWN;
  const { means, next } =
    BY_TEXT.find(({ when }) => when.test(text)) ?? explainAcme(code) ?? BY_CODE[code] ?? UNKNOWN;
  return { next, ...(means && { means }) };
}

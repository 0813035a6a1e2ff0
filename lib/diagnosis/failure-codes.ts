/** By the point where a change failed, when the words say nothing more. */
import type { Explanation } from './row.ts';

export interface Point extends Explanation {
  /** Its advice holds whatever the words say: they are somebody else's file, or have been dealt with. */
  readonly isFirm?: true;
}

/** By the code of a failure. */
export const POINTS: Readonly<Record<string, Point>> = {
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
};

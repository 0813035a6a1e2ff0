/** What sudo, the shell and the disk of a proxy say when a program cannot run there. */
import type { Row } from './row.ts';

/** The line that lets the program run as root; sudo wants it in a file of visudo's. */
const LINE = 'USER ALL=(root) NOPASSWD: /bin/sh';

/** The first that fits counts. */
export const LOGIN: readonly Row[] = [
  {
    says: 'sudo: a password is required',
    when: /a password is required|a terminal is required|no askpass/i,
    means: 'The program must run as root, by `sudo -n` for a shell, and sudo asks for a password.',
    next: `On the proxy, by visudo, add a line for the login user: \`${LINE}\``,
  },
  {
    says: 'sudo: you must have a tty',
    when: /you must have a tty/i,
    means: 'sudo on the proxy wants a terminal; the suite never asks for one.',
    next: 'On the proxy, by visudo: `Defaults:USER !requiretty`',
  },
  {
    says: 'is not in the sudoers file; is not allowed to execute',
    when: /not in the sudoers file|may not run sudo|not allowed to (execute|run)/i,
    means: 'sudo knows the login user, and does not let it run a shell as root.',
    next: `On the proxy, by visudo: \`${LINE}\`. The last line that fits counts: put it after the others.`,
  },
  {
    says: 'sudo: not found',
    when: /sudo: (command )?not found|sudo: No such file/i,
    means: 'The login user is not root, and the proxy has no sudo.',
    next: `Install sudo on the proxy and add by visudo: \`${LINE}\`; or log in as root.`,
  },
  {
    says: 'gatepost-run: this program is not approved on this host',
    means:
      'Root on the proxy approved other programs: of another version of this suite, or of other settings.',
    next: 'Make the approval anew: `npx tsx scripts/approve.ts --bundle approve.sh`; then on the proxy, as root: `sh approve.sh`',
  },
  {
    says: 'no valid sudoers sources found',
    means: 'sudo on the proxy refuses its own files: a slip in them, or their mode.',
    next: 'As root on the proxy: `visudo -c` names the line; mend it, `chmod 440`.',
  },
  {
    says: 'sudo: effective uid is not 0; "no new privileges" flag is set',
    when: /effective uid is not 0|must be owned by uid 0|no new privileges/,
    means:
      'sudo cannot become root there: a container, a file system mounted nosuid, or a service with NoNewPrivileges.',
    next: 'Log in as root (the user in the settings), or take that limit off.',
  },
  {
    says: 'This account is currently not available',
    means: 'The login user of the proxy has no shell (nologin), so nothing can be run.',
    next: 'Give it one (`usermod -s /bin/sh USER`), or set another user.',
  },
  {
    code: 'disk-full',
    says: 'No space left on device',
    means: 'The disk of the proxy is full.',
    next: 'Free some space (`df -h`), then run it again.',
  },
  {
    code: 'read-only',
    says: 'Read-only file system',
    means: 'The file system on the proxy is mounted read-only.',
    next: 'Look at dmesg for the reason, remount it, then run it again.',
  },
  {
    says: 'Operation not permitted',
    means: 'The file is immutable, or the proxy is a container without the right to change it.',
    next: 'Look with `lsattr`; take the mark off with `chattr -i`, then run it again.',
  },
];

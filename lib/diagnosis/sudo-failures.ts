/** What sudo, the shell and the disk of a proxy report when a program cannot run there. */
import type { Row } from './row.ts';

/** The sudoers line that lets the program run as root. */
const LINE = 'USER ALL=(root) NOPASSWD: /bin/sh';

/** The first match counts. */
export const SUDO: readonly Row[] = [
  {
    error: 'sudo: a password is required; sudo-rs: interactive authentication is required',
    when: /a password is required|a terminal is required|no askpass|interactive authentication is required/i,
    cause: 'The program must run as root with `sudo -n` and a shell, but sudo requires a password.',
    fix: `On the proxy, with visudo, add a line for the login user: \`${LINE}\``,
  },
  {
    error: 'sudo: you must have a tty',
    when: /you must have a tty/i,
    cause: 'sudo on the proxy requires a terminal, which gatepost does not allocate.',
    fix: 'On the proxy, with visudo: `Defaults:USER !requiretty`',
  },
  {
    error:
      "is not in the sudoers file; is not allowed to execute; sudo-rs: I'm sorry USER. I'm afraid I can't do that",
    when: /not in the sudoers file|may not run sudo|not allowed to (execute|run)|I'm afraid I can't do that/i,
    cause: 'The sudoers file does not allow the login user to run a shell as root.',
    fix: `On the proxy, with visudo: \`${LINE}\`. The last matching line applies: add it after the others.`,
  },
  {
    error: 'sudo: not found',
    when: /sudo: (command )?not found|sudo: No such file/i,
    cause: 'The login user is not root, and sudo is not installed on the proxy.',
    fix: `Install sudo on the proxy and add with visudo: \`${LINE}\`; or log in as root.`,
  },
  {
    error: 'gatepost-run: this program is not approved on this host',
    cause: 'Root on the proxy approved programs of another gatepost version, or for other settings.',
    fix: 'Generate a new approval: `npx tsx scripts/approve.ts --bundle approve.sh`; then on the proxy, as root: `sh approve.sh`',
  },
  {
    error: 'gatepost: unsupported shell',
    cause:
      'The shell of the proxy would show secrets in the process list, or cannot hold a lock (mksh and ksh are such shells).',
    fix: 'Make /bin/sh dash, bash or busybox on the proxy (on Debian: `dpkg-reconfigure dash`).',
  },
  {
    error: 'no valid sudoers sources found',
    cause: 'sudo on the proxy rejects its own files because of a syntax error or their mode.',
    fix: 'As root on the proxy: `visudo -c` shows the line; fix it, `chmod 440`.',
  },
  {
    error: 'sudo: effective uid is not 0; "no new privileges" flag is set',
    when: /effective uid is not 0|must be owned by uid 0|no new privileges/,
    cause:
      'sudo cannot become root there: a container, a file system mounted nosuid, or a service with NoNewPrivileges.',
    fix: 'Log in as root (the user in the settings), or remove that restriction.',
  },
  {
    error: 'This account is currently not available',
    cause: 'The login user of the proxy has no shell (nologin), so no command can be run.',
    fix: 'Set a shell (`usermod -s /bin/sh USER`), or use another user.',
  },
  {
    code: 'disk-full',
    error: 'No space left on device',
    cause: 'The disk of the proxy is full.',
    fix: 'Free some space (`df -h`), then retry.',
  },
  {
    code: 'read-only',
    error: 'Read-only file system',
    cause: 'The file system on the proxy is mounted read-only.',
    fix: 'Check dmesg for the reason, remount it, then retry.',
  },
  {
    error: 'Operation not permitted',
    cause: 'The file is immutable, or the proxy is a container without permission to change it.',
    fix: 'Check with `lsattr`; remove the attribute with `chattr -i`, then retry.',
  },
];

/** Why a host could not be reached, logged in to, or kept connected over SSH. */
import type { Row } from './row.ts';

/** No connection to the host. HOST, PORT and USER are the host's; JUMP is the jump host before it. */
export const UNREACHABLE = {
  noDns: {
    error: 'the name does not resolve: the DNS server does not answer',
    cause: 'The connecting machine has no working DNS resolver.',
    fix: 'Check the network and DNS, then retry.',
  },
  noName: {
    error: 'the name does not resolve',
    cause: 'The connecting machine cannot resolve the host name.',
    fix: 'Check the host name and DNS (`getent hosts HOST`), or set the IP address.',
  },
  refused: {
    error: 'connection refused',
    cause: 'The host is up, but nothing listens on that port.',
    fix: 'Check the port, and that sshd is running there (`systemctl status ssh`).',
  },
  timedOut: {
    error: 'connection timed out',
    cause: 'No response: the host is down, the address is wrong, or a firewall drops the packets.',
    fix: 'Check address, port and firewall: `nc -vz HOST PORT`',
  },
  noRoute: {
    error: 'no route to the host',
    cause: 'The network has no route to that address, or no host uses it.',
    fix: 'Check the network, the VPN and the address.',
  },
  prohibited: {
    error: 'forwarding to … is prohibited; administratively prohibited',
    when: /forwarding to .* is prohibited|administratively prohibited/,
    cause: 'The login to the jump host works, but it does not allow TCP forwarding.',
    fix: 'Allow it in sshd_config of JUMP: AllowTcpForwarding yes, and PermitOpen HOST:PORT if PermitOpen is set.',
  },
  beyondJump: {
    error: 'cannot be reached from the jump host',
    when: /cannot be reached from /,
    cause: 'The jump host allows forwarding, but the next host does not respond to it.',
    fix: 'Check on the jump host: `nc -vz HOST PORT`',
  },
} as const satisfies Record<string, Row>;

/** The host responds, but the handshake or the login fails. */
export const HANDSHAKE = {
  silent: {
    error: 'accepts connections but sends no data',
    cause: 'The port does not belong to sshd, or the host is overloaded.',
    fix: 'Check the port, and the load of the host: `ssh -v -p PORT USER@HOST`',
  },
  notSsh: {
    error: 'is not an SSH server, or rejects the connection',
    cause: 'The server on that port does not start with an SSH banner.',
    fix: 'Check the port. After "MaxStartups" or "Not allowed at this time", wait a minute and retry.',
  },
  noKeyExchange: {
    error: 'no matching key exchange algorithm',
    cause:
      'The host allows only key exchange algorithms that this side does not support, such as post-quantum ones with ssh2.',
    fix: 'Connect with the ssh program (SSH_TRANSPORT=openssh), or allow curve25519-sha256 as well: KexAlgorithms in its sshd_config.',
  },
  noHostKey: {
    error: 'no matching host key format',
    cause:
      'The host offers only a host certificate or a FIDO key, which ssh2 does not support; or it is old and has an RSA key only with SHA-1.',
    fix: 'Connect with the ssh program (SSH_TRANSPORT=openssh), or add an ed25519, ECDSA or RSA host key: HostKey in its sshd_config. For an old server: HostKeyAlgorithms +ssh-rsa for this host in ~/.ssh/config allows SHA-1.',
  },
  noCipher: {
    error: 'no matching C->S cipher; MAC',
    when: /no matching \S+ (cipher|MAC)/,
    cause: 'The two sides have no cipher or no MAC algorithm in common.',
    fix: 'Allow aes128-gcm@openssh.com: Ciphers and MACs in its sshd_config.',
  },
  tooManyKeys: {
    error: 'Too many authentication failures',
    cause: 'The host ended the login after several keys that it does not accept (MaxAuthTries).',
    fix: 'Set the right key: *_SSH_KEY in the settings, or IdentityFile with IdentitiesOnly yes in ~/.ssh/config.',
  },
  sha1Only: {
    error: 'the host accepts RSA keys only with SHA-1 signatures',
    cause:
      'The SSH server is old (such as Dropbear before 2020.79); SHA-1 is not safe, and OpenSSH does not use it either.',
    fix: 'Use an ed25519 or ECDSA key, or update the SSH server of HOST. To allow SHA-1 for this host: PubkeyAcceptedAlgorithms +ssh-rsa in ~/.ssh/config.',
  },
  tailscale: {
    error: 'Tailscale SSH does not let in user',
    cause:
      'The host runs Tailscale SSH, which accepts no key: the SSH rules of the tailnet policy decide, and a rule with "check" waits for a login in the browser.',
    fix: 'Allow USER on that host in the SSH rules of the tailnet policy, with "action": "accept". For a rule with "check", run `ssh -p PORT USER@HOST` and open the link that it prints, then retry. Or let sshd answer there: `tailscale set --ssh=false`',
  },
  notAccepted: {
    error: 'no key accepted for user',
    cause: 'None of the offered keys is authorized for that user (or a second factor is required).',
    fix: 'Check the user, and that the public key is in ~USER/.ssh/authorized_keys there: `ssh-copy-id -p PORT USER@HOST`',
  },
  proxyCommand: {
    error: 'the ProxyCommand ended',
    cause: 'The command that ~/.ssh/config sets as the connection to this host exited.',
    fix: 'Fix what it reports, or the command itself; `ssh -v -p PORT USER@HOST` runs the same one.',
  },
  reset: {
    error: 'connection reset',
    cause: 'Something on the network path closes SSH connections, such as a firewall or a ban.',
    fix: 'Check for bans on that host (fail2ban), wait a few minutes, then retry.',
  },
  aborted: {
    error: 'connection lost during the handshake; during login',
    when: /connection lost during (the handshake|login)/,
    cause: 'The host, or something on the network path, closed the connection before the login completed.',
    fix: 'Try it manually: `ssh -v -p PORT USER@HOST`',
  },
} as const satisfies Record<string, Row>;

/** After a successful login. */
export const SESSION = {
  lost: {
    error: 'connection lost: no answer to keepalives; closed; reset by the other side',
    when: /connection lost: /,
    cause: 'The network connection broke, or the host went down or restarted sshd.',
    fix: 'Check the network. A program that was fully sent keeps running there; run the same command again to see its outcome.',
  },
  refused: {
    error: 'refuses to run a command',
    cause: 'The login works, but the host does not open a session for a command.',
    fix: 'Check the login shell of USER, and ForceCommand and MaxSessions in sshd_config of HOST.',
  },
  unfinished: {
    error: 'gave up on the command',
    cause: 'The remote program did not finish in time, or printed far too much.',
    fix: 'It may still be running there; run the same command again later to see its outcome.',
  },
} as const satisfies Record<string, Row>;

/** The message itself includes the command to run. */
const KEY_FAILURES: readonly Row[] = [
  {
    error: 'host key unknown',
    cause: 'known_hosts has no key for this host; no login was attempted.',
    fix: 'Compare the fingerprint with the one on the host, then run the command in the message.',
  },
  {
    error: 'host key changed',
    cause:
      'known_hosts has a different key for this host: it was reinstalled, or another machine answers in its place.',
    fix: 'Find out which. Only then remove the old key with the command in the message.',
  },
  {
    error: 'host key revoked',
    cause: 'known_hosts marks this key as @revoked, or RevokedHostKeys lists it: it counts as compromised.',
    fix: 'Generate new host keys on that host; the message has the commands.',
  },
  {
    error: 'RevokedHostKeys cannot be read',
    cause: 'The SSH configuration names a list of revoked host keys that is missing or damaged.',
    fix: 'Make it readable, or remove RevokedHostKeys from ~/.ssh/config. Until then, no host key is accepted.',
  },
  {
    error: 'host key too short',
    cause: 'The RSA key of the host has fewer bits than RequiredRSASize in the SSH configuration.',
    fix: 'Generate an ed25519 host key on that host: `ssh-keygen -A`',
  },
  {
    error: 'the SSH configuration sets KnownHostsCommand, which ssh2 cannot run',
    when: /sets KnownHostsCommand .*which ssh2 cannot run/,
    cause: 'SSH_TRANSPORT is ssh2, and only the ssh program can ask that command for host keys.',
    fix: 'Unset SSH_TRANSPORT, or set it to openssh.',
  },
  {
    error: 'no known_hosts file; known_hosts cannot be read',
    when: /no known_hosts file|known_hosts cannot be read/,
    cause: 'No host is trusted without that file.',
    fix: 'Log in once manually, compare the fingerprint and answer yes; or set SSH_KNOWN_HOSTS to the file.',
  },
  {
    error: 'no key to log in with',
    cause: 'There is no key file, the agent has no key, and the host accepts no login without one.',
    fix: 'Generate one (`ssh-keygen -t ed25519`), or start the agent and add a key (`ssh-add KEY`).',
  },
  {
    error: 'the key … is encrypted',
    when: /is encrypted, and no agent holds it/,
    cause: 'gatepost never prompts for a passphrase.',
    fix: 'Add the key to the agent once: `ssh-add KEY`',
  },
  {
    error: 'the key … cannot be used; has wrong mode; is a public key',
    when: /the key .* (cannot be used|has wrong mode)|is a public key/,
    cause:
      'The file is missing, is not a private key of a supported type, or is readable by others. FIDO keys and certificates need the ssh program (SSH_TRANSPORT=openssh).',
    fix: 'Set an ed25519, ECDSA or RSA private key of mode 0600 in the settings.',
  },
  {
    error: 'the SSH agent at … is gone',
    when: /SSH agent at .* (is gone|does not answer)|agent .*(timed out|refused)/,
    cause: 'SSH_AUTH_SOCK points to an agent that is no longer running.',
    fix: 'Start it again: `eval "$(ssh-agent)"; ssh-add KEY`',
  },
];

/** All rows, the more specific before the more general. */
export const SSH: readonly Row[] = [
  ...KEY_FAILURES,
  ...Object.values(HANDSHAKE),
  ...Object.values(UNREACHABLE),
  ...Object.values(SESSION),
];

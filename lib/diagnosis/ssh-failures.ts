/** What keeps a hop from letting us in, or through, or from staying. */
import type { Row } from './row.ts';

/** Ways to a hop: HOST, PORT and USER are its own, JUMP is the jump host before it. */
export const WAYS = {
  noDns: {
    says: 'the name does not resolve: the DNS server does not answer',
    means: 'The machine that dials has no working resolver.',
    next: 'Check the network and DNS, then run it again.',
  },
  noName: {
    says: 'the name does not resolve',
    means: 'The machine that dials does not know the name.',
    next: 'Check the spelling and DNS (`getent hosts HOST`), or set the address.',
  },
  refused: {
    says: 'connection refused',
    means: 'The host is there, and nothing listens on that port.',
    next: 'Check the port, and that sshd runs there (`systemctl status ssh`).',
  },
  timedOut: {
    says: 'connection timed out',
    means: 'Nothing came back: the host is off, the address is wrong, or a firewall drops the packets.',
    next: 'Check address, port and firewall: `nc -vz HOST PORT`',
  },
  noRoute: {
    says: 'no route to the host',
    means: 'The network knows no way there, or nobody has that address.',
    next: 'Check the network, the VPN and the address.',
  },
  prohibited: {
    says: 'forwarding to … is prohibited; administratively prohibited',
    when: /forwarding to .* is prohibited|administratively prohibited/,
    means: 'The jump host lets us in and not through.',
    next: 'Allow it in sshd_config of JUMP: AllowTcpForwarding yes, and PermitOpen HOST:PORT where it is set.',
  },
  unreachable: {
    says: 'cannot be reached from the jump host',
    when: /cannot be reached from /,
    means: 'The jump host lets us through, and the next host does not answer it.',
    next: 'Check on the jump host: `nc -vz HOST PORT`',
  },
} as const satisfies Record<string, Row>;

/** What a host that answers says, from the first word to the last. */
export const HANDSHAKE = {
  mute: {
    says: 'accepts connections but says nothing',
    means: 'The port is not sshd’s, or the host is too busy to greet.',
    next: 'Check the port, and the load of the host: `ssh -v -p PORT USER@HOST`',
  },
  notSsh: {
    says: 'is not an SSH server, or turns us away',
    means: 'What answers on that port greets in other words than SSH.',
    next: 'Check the port. "MaxStartups" or "Not allowed at this time" mean: wait a minute, then try again.',
  },
  noKeyExchange: {
    says: 'no matching key exchange algorithm',
    means: 'The host allows only key exchanges that ssh2 does not know, such as the post-quantum ones.',
    next: 'Allow curve25519-sha256 beside them: KexAlgorithms in its sshd_config.',
  },
  noHostKey: {
    says: 'no matching host key format',
    means: 'The host shows only a host certificate or a FIDO key, which ssh2 does not know.',
    next: 'Give it an ed25519, ECDSA or RSA host key: HostKey in its sshd_config.',
  },
  noCipher: {
    says: 'no matching C->S cipher; MAC',
    when: /no matching \S+ (cipher|MAC)/,
    means: 'No cipher, or no message code, is known on both sides.',
    next: 'Allow aes128-gcm@openssh.com: Ciphers and MACs in its sshd_config.',
  },
  tooMany: {
    says: 'Too many authentication failures',
    means: 'The host ended the login after several keys that it does not accept (MaxAuthTries).',
    next: 'Set the one right key: *_SSH_KEY in the settings, or IdentityFile in ~/.ssh/config.',
  },
  notAccepted: {
    says: 'no key accepted for user',
    means:
      'The login is for that user, and none of the keys that were offered counts there (or a second factor is wanted).',
    next: 'Check the user, and that the public key stands in ~USER/.ssh/authorized_keys there: `ssh-copy-id -p PORT USER@HOST`',
  },
  reset: {
    says: 'connection reset',
    means: 'Something between closes SSH connections: a firewall, a ban.',
    next: 'Look at the bans on that host (fail2ban), wait some minutes, then run it again.',
  },
  brokeOff: {
    says: 'connection lost during the handshake; during login',
    when: /connection lost during (the handshake|login)/,
    means: 'The host, or something between, ended the connection before we were in.',
    next: 'Try it by hand: `ssh -v -p PORT USER@HOST`',
  },
} as const satisfies Record<string, Row>;

/** What happens to one who is in. */
export const SESSION = {
  lost: {
    says: 'connection lost: no answer to keepalives; closed; reset by the other side',
    when: /connection lost: /,
    means: 'The line broke, or the host went down or restarted sshd.',
    next: 'Check the network. What had arrived whole runs to its end there without us; run it again to see where it stands.',
  },
  refused: {
    says: 'refuses to run a command',
    means: 'The login works, and the host opens no session for a command.',
    next: 'Check the login shell of USER, and ForceCommand and MaxSessions in sshd_config of HOST.',
  },
  endless: {
    says: 'gave up on the command',
    means: 'The program there has not ended within its time, or printed far too much.',
    next: 'It may still be running there; run it again later to see where it stands.',
  },
} as const satisfies Record<string, Row>;

/** The message itself gives the line to type. */
export const KEY_FAILURES: readonly Row[] = [
  {
    says: 'host key unknown',
    means: 'known_hosts does not hold this host’s key, so nobody logged in.',
    next: 'Compare the fingerprint with the host’s own, then type the line that the message gives.',
  },
  {
    says: 'host key changed',
    means:
      'known_hosts holds another key of this host: it was installed anew, or another machine answers in its place.',
    next: 'Find out which. Only then remove the old key by the line that the message gives.',
  },
  {
    says: 'host key revoked',
    means: 'known_hosts marks this very key as stolen.',
    next: 'Give the host new keys; the message says how.',
  },
  {
    says: 'no known_hosts file; known_hosts cannot be read',
    when: /no known_hosts file|known_hosts cannot be read/,
    means: 'No host is trusted without that file.',
    next: 'Log in once by hand, compare the fingerprint and say yes; or name the file in SSH_KNOWN_HOSTS.',
  },
  {
    says: 'no key to log in with',
    means: 'There is neither a key file nor a key in the agent.',
    next: 'Make one (`ssh-keygen -t ed25519`), or start the agent and give it one (`ssh-add KEY`).',
  },
  {
    says: 'the key … is encrypted',
    when: /is encrypted, and no agent holds it/,
    means: 'Its passphrase is asked for nowhere here.',
    next: 'Give the key to the agent once: `ssh-add KEY`',
  },
  {
    says: 'the key … cannot be used; has wrong mode; is a public key',
    when: /the key .* (cannot be used|has wrong mode)|is a public key/,
    means:
      'The file is missing, no private key of a known type, or open to others. FIDO keys and certificates are not supported.',
    next: 'Name an ed25519, ECDSA or RSA private key of mode 0600 in the settings.',
  },
  {
    says: 'the SSH agent at … is gone',
    when: /SSH agent at .* (is gone|does not answer)|agent .*(timed out|refused)/,
    means: 'SSH_AUTH_SOCK names an agent that has ended.',
    next: 'Start it anew: `eval "$(ssh-agent)"; ssh-add KEY`',
  },
];

/** All of them, the more special before the more general. */
export const SSH: readonly Row[] = [
  ...KEY_FAILURES,
  ...Object.values(HANDSHAKE),
  ...Object.values(WAYS),
  ...Object.values(SESSION),
];

/** What keeps a host's key, or ours, from being taken. */
import type { Row } from './row.ts';

/** The message itself gives the line to type. */
export const KEYS: readonly Row[] = [
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

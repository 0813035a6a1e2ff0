/** Where OpenSSH looks for keys: its default files, and the agent (ssh_config(5)). */
import type { HostConfig } from './ssh-config.ts';

/** OpenSSH's default key files that ssh2 supports; used if OpenSSH is not installed. */
export const defaultKeys: readonly string[] = ['~/.ssh/id_rsa', '~/.ssh/id_ecdsa', '~/.ssh/id_ed25519'];

const SOCKET = 'SSH_AUTH_SOCK';

type Lookup = (text: string) => string | undefined;

/**
 * The socket of the agent: IdentityAgent is `none`, `SSH_AUTH_SOCK`, `$VARIABLE` or a path; by default, SSH_AUTH_SOCK.
 * @param expand replaces `~`, tokens and `${VARIABLE}` in a path
 */
export function agentOf(
  config: HostConfig | undefined,
  expand: (path: string) => string,
  variable: Lookup,
): string | undefined {
  const [value] = config?.directives.get('identityagent') ?? [SOCKET];
  if (value === undefined || value === 'none') return undefined;
  if (value === SOCKET) return variable(SOCKET) || undefined;
  const name = /^\$(\w+)$/.exec(value)?.[1];
  return (name === undefined ? expand(value) : variable(name)) || undefined;
}

/** The Windows agent listens on a named pipe; `ssh -G` halves the backslashes. */
export const whyUnusable = (path: string, platform: string = process.platform): string | undefined =>
  /^\\{1,2}\.\\pipe\\/.test(path) && platform !== 'win32'
    ? 'it is a named pipe of Windows, which this system does not have; name a socket of this system in IdentityAgent or SSH_AUTH_SOCK'
    : undefined;

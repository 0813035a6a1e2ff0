/** Paths in the syntax of ssh_config: `~` and `%` tokens. */
import { hostname, type UserInfo, userInfo } from 'node:os';
import { UsageError } from './errors.ts';

let known: UserInfo<string> | undefined;

/** The passwd entry of the operator; in a container, there may be none. */
function account(): UserInfo<string> {
  try {
    known ??= userInfo();
    return known;
  } catch (cause) {
    throw new UsageError(
      [
        `No user exists for uid ${process.getuid?.()}: there is no entry in /etc/passwd, so no home directory`,
      ],
      'No connection was made. OpenSSH requires a home directory, too. Run it as a user with an entry, or add an entry for this one; `--bundle` and `--local` need none.',
      { cause },
    );
  }
}

/**
 * The home directory that OpenSSH uses: the one in /etc/passwd, not $HOME.
 * @throws UsageError if the operator has no entry there
 */
export const home = (): string => account().homedir;

/**
 * Expands `~` in a path; leaves it unchanged for an operator without a home directory, which is reported when needed.
 */
export function inHome(path: string): string {
  try {
    return path.replace(/^~(?=\/|$)/, home);
  } catch {
    return path;
  }
}

interface Destination {
  readonly host: string;
  readonly user: string;
  readonly port: number;
  /** As typed by the operator. */
  readonly name: string;
  readonly alias?: string | undefined;
}

/** ssh_config(5), TOKENS: `%h` and `%r` are the remote host and user, `%n` the name as typed. */
export function expandTokens(text: string, to: Destination): string {
  const tokens: Record<string, () => string> = {
    '%': () => '%',
    d: home,
    h: () => to.host,
    i: () => String(process.getuid?.() ?? ''),
    k: () => to.alias ?? to.name,
    l: hostname,
    L: () => hostname().split('.')[0] ?? '',
    n: () => to.name,
    p: () => String(to.port),
    r: () => to.user,
    u: () => account().username,
  };
  return text.replace(/%(.)/g, (whole, token: string) => tokens[token]?.() ?? whole);
}

/**
 * A path with `~`, tokens and `${VARIABLE}` expanded.
 * @param variable the value of an environment variable
 * @throws UsageError if a variable is not set, as in OpenSSH
 */
export function expandPath(
  path: string,
  to: Destination,
  variable: (name: string) => string | undefined = () => undefined,
): string {
  const tokens = expandTokens(path.replace(/^~(?=\/|$)/, home), to);
  return tokens.replace(/\$\{([^}]+)\}/g, (_, name: string) => variable(name) ?? noVariable(path, name));
}

function noVariable(path: string, name: string): never {
  throw new UsageError(
    [`The SSH configuration names ${path}, but the environment variable ${name} is not set`],
    `No connection was made. Set ${name}, or change the path in ~/.ssh/config.`,
  );
}

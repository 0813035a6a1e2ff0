/** Paths as ssh_config writes them: `~`, and the `%` tokens of files and agents. */
import { type UserInfo, userInfo } from 'node:os';
import { UsageError } from './errors.ts';

let known: UserInfo<string> | undefined;

/** The operator's line in passwd; a container may run us as a user that has none. */
function account(): UserInfo<string> {
  try {
    known ??= userInfo();
    return known;
  } catch (cause) {
    throw new UsageError(
      [`No user exists for uid ${process.getuid?.()}: it has no line in /etc/passwd, so no home directory`],
      'Nothing was contacted. OpenSSH stops there, too. Run it as a user that has one, or add a line for this one; `--bundle` and `--local` need none.',
      { cause },
    );
  }
}

/**
 * The home directory that OpenSSH uses: the one in passwd, whatever $HOME says.
 * @throws UsageError when the operator has no line there
 */
export const home = (): string => account().homedir;

/** A path with its `~` filled in; as it stands for an operator without a home, who is told when it is needed. */
export function inHome(path: string): string {
  try {
    return path.replace(/^~(?=\/|$)/, home);
  } catch {
    return path;
  }
}

/** ssh_config(5), TOKENS: `%h` and `%r` are the host and user of the other side, `%n` the name as typed. */
export function expandPath(
  path: string,
  to: { readonly host: string; readonly user: string; readonly port: number; readonly name: string },
): string {
  const tokens: Record<string, () => string> = {
    '%': () => '%',
    d: home,
    h: () => to.host,
    i: () => String(process.getuid?.() ?? ''),
    n: () => to.name,
    p: () => String(to.port),
    r: () => to.user,
    u: () => account().username,
  };
  return path
    .replace(/^~(?=\/|$)/, home)
    .replace(/%(.)/g, (whole, token: string) => tokens[token]?.() ?? whole);
}

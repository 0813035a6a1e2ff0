/** Paths as ssh_config writes them: `~`, and the `%` tokens of files and agents. */
import { userInfo } from 'node:os';

const { homedir, username } = userInfo();

/** The home directory that OpenSSH uses: the one in passwd, whatever $HOME says. */
export const HOME = homedir;

/** ssh_config(5), TOKENS: `%h` and `%r` are the host and user of the other side, `%n` the name as typed. */
export function expandPath(
  path: string,
  to: { readonly host: string; readonly user: string; readonly port: number; readonly name: string },
): string {
  const tokens: Record<string, string> = {
    '%': '%',
    d: HOME,
    h: to.host,
    i: String(process.getuid?.() ?? ''),
    n: to.name,
    p: String(to.port),
    r: to.user,
    u: username,
  };
  return path.replace(/^~(?=\/|$)/, HOME).replace(/%(.)/g, (whole, token: string) => tokens[token] ?? whole);
}

/** A host's OpenSSH configuration, read with `ssh -G`. */
import { UsageError } from '../util/errors.ts';
import { $ } from '../util/shell.ts';

/** Values set by the operator; undefined if not set. `key` is a path, with `~` already expanded. */
export interface HostSettings {
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
  readonly key?: string;
}

/** Fields are undefined if the configuration does not set them. */
export interface HostConfig {
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
  /** IdentityFile, or OpenSSH's default files; paths with tokens. */
  readonly keys: readonly string[];
  readonly hostKeyAlias?: string;
  readonly jumps?: readonly HostSettings[];
  readonly knownHosts: readonly string[];
  /** The complete output of `ssh -G`: values by directive, in lower case. */
  readonly directives: ReadonlyMap<string, readonly string[]>;
}

/** The first value of a directive; undefined for `none`. */
export function directive(config: HostConfig | undefined, name: string): string | undefined {
  const [value] = config?.directives.get(name) ?? [];
  return value === 'none' ? undefined : value;
}

const LIMIT_MS = 10_000;
const UNSET = { user: 'gatepost.unset', port: '65535' };

/** The files that OpenSSH reads, the user's first (ssh_config(5)). */
export const SSH_CONFIGS: readonly string[] = ['~/.ssh/config', '/etc/ssh/ssh_config'];

/**
 * The `gatepost.unset` values come last, so that they apply only to options that the files do not set (the first value
 * wins).
 */
export const sshConfigText = (files: readonly string[]): string =>
  `${files.map((file) => `Include ${file}\nMatch all\n`).join('')}User ${UNSET.user}
Port ${UNSET.port}
`;

/** `ssh -G` expands `%r` in some paths itself, to the `gatepost.unset` value if the files set no user. */
export const withUser = (path: string, user: string): string => path.replaceAll(UNSET.user, user);

/** The shell's exit status if it does not find a command. */
const NOT_FOUND = 127;

/**
 * Reads one host's configuration; undefined if OpenSSH is not installed.
 * @throws UsageError with ssh's message if the configuration is invalid
 */
export async function readHostConfig(
  settings: HostSettings,
  files: readonly string[],
): Promise<HostConfig | undefined> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  // sh provides a pipe: Node would pass a socket as stdin, which cannot be opened as /dev/stdin.
  const output = await $({
    signal,
    nothrow: true,
  })`printf %s ${sshConfigText(files)} | ssh -T -G -F /dev/stdin ${argumentsFor(settings)}`;
  if (output.ok) return parseHostConfig(output.stdout);
  if (output.exitCode === NOT_FOUND) return undefined;
  const stderr = output.stderr.trim().replaceAll('/dev/stdin', 'the SSH configuration');
  const message = signal.aborted ? `no answer within ${LIMIT_MS / 1000} s` : stderr;
  throw new UsageError(
    [`The SSH configuration is invalid for ${settings.host}: ${message || output.message}`],
    `No connection was made. Fix the file that ssh names; \`ssh -G ${settings.host}\` shows the same error.`,
    { cause: output },
  );
}

/** Passes user and port if they are set: `Match user` and tokens depend on them. */
function argumentsFor({ host, user, port }: HostSettings): string[] {
  return [...(user ? ['-l', user] : []), ...(port ? ['-p', String(port)] : []), '--', host];
}

/** Parses the output of `ssh -G`; drops the `gatepost.unset` values. */
export function parseHostConfig(output: string): HostConfig {
  const directives = new Map<string, string[]>();
  for (const line of output.split('\n').filter(Boolean)) {
    const [name = '', value = ''] = line.split(/ (.*)/s);
    directives.set(name.toLowerCase(), [...(directives.get(name.toLowerCase()) ?? []), value]);
  }
  const all = (name: string) => directives.get(name) ?? [];
  const [user] = all('user');
  const [port] = all('port');
  const [alias] = all('hostkeyalias');
  const [jumps] = all('proxyjump').filter((value) => value !== 'none');
  const knownHosts = [...all('userknownhostsfile'), ...all('globalknownhostsfile')];
  return {
    host: all('hostname')[0] ?? '',
    ...(user && user !== UNSET.user && { user }),
    ...(port && port !== UNSET.port && { port: Number(port) }),
    keys: all('identityfile').filter((key) => key !== 'none'),
    ...(alias && { hostKeyAlias: alias }),
    ...(jumps && { jumps: jumps.split(',').map(parseJump) }),
    knownHosts: knownHosts.flatMap((value) => value.split(' ')).filter((path) => path !== 'none'),
    directives,
  };
}

/** `[user@]host[:port]`, with an IPv6 address in brackets, or the same as an ssh:// URI. */
export function parseJump(text: string): HostSettings {
  const form = /^(?:ssh:\/\/)?(?:(.*)@)?(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?\/?$/;
  const [, user, address, name, port] = form.exec(text.trim()) ?? [];
  return { host: address ?? name ?? text, ...(user && { user }), ...(port && { port: Number(port) }) };
}

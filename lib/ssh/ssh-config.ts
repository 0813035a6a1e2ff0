/** What OpenSSH's own configuration says about a host, asked through `ssh -G`. */
import { UsageError } from '../util/errors.ts';
import { $ } from '../util/shell.ts';

/** What the operator set; undefined is "not set". `key` is a path, with `~` already expanded. */
export interface HostSettings {
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
  readonly key?: string;
}

/** Undefined fields are ones that the configuration does not set. */
export interface HostConfig {
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
  readonly keys?: readonly string[];
  readonly agent?: string;
  readonly hostKeyAlias?: string;
  readonly jumps?: readonly HostSettings[];
  readonly knownHosts: readonly string[];
}

const LIMIT_MS = 10_000;
const UNSET = { user: 'gatepost.unset', port: '65535', key: '/gatepost.unset' };

/** What OpenSSH itself reads, the user's first (ssh_config(5)). */
export const SSH_CONFIGS: readonly string[] = ['~/.ssh/config', '/etc/ssh/ssh_config'];

/** Our marks come last, where ssh_config's "first value wins" makes them defaults: what is set can be told from what is not. */
export const sshConfigText = (files: readonly string[]): string =>
  `${files.map((file) => `Include ${file}\nMatch all\n`).join('')}User ${UNSET.user}
Port ${UNSET.port}
IdentityFile ${UNSET.key}
`;

/** As a shell says it. */
const NOT_FOUND = 127;

/**
 * Asks ssh about one host; undefined where there is no OpenSSH.
 * @throws UsageError with ssh's own words when the configuration is broken
 */
export async function readHostConfig(
  settings: HostSettings,
  files: readonly string[],
): Promise<HostConfig | undefined> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  // A pipe of the shell's: Node's own is a socket, which cannot be opened as /dev/stdin.
  const output = await $({
    signal,
    nothrow: true,
  })`printf %s ${sshConfigText(files)} | ssh -T -G -F /dev/stdin ${argumentsFor(settings)}`;
  if (output.ok) return parseHostConfig(output.stdout);
  if (output.exitCode === NOT_FOUND) return undefined;
  const words = signal.aborted ? `no answer within ${LIMIT_MS / 1000} s` : wordsOf(output.stderr);
  throw new UsageError(
    [`The SSH configuration does not hold for ${settings.host}: ${words || output.message}`],
    `Nothing was contacted. Mend the file that ssh names; \`ssh -G ${settings.host}\` shows the same error.`,
    { cause: output },
  );
}

const wordsOf = (stderr: string): string => stderr.trim().replaceAll('/dev/stdin', 'the SSH configuration');

/** Explicit user and port go along: `Match user` and tokens depend on them. */
function argumentsFor({ host, user, port }: HostSettings): string[] {
  return [...(user ? ['-l', user] : []), ...(port ? ['-p', String(port)] : []), '--', host];
}

/** The output of `ssh -G`, without what only our marks set. */
export function parseHostConfig(output: string): HostConfig {
  const lines = output.split('\n').map((line) => line.split(/ (.*)/s));
  const all = (name: string) => lines.filter(([key]) => key === name).map(([, value = '']) => value);
  const [user] = all('user');
  const [port] = all('port');
  const [alias] = all('hostkeyalias');
  const [agent] = all('identityagent');
  const [jumps] = all('proxyjump').filter((value) => value !== 'none');
  const keys = all('identityfile').filter((key) => key !== UNSET.key && key !== 'none');
  const knownHosts = [...all('userknownhostsfile'), ...all('globalknownhostsfile')];
  return {
    host: all('hostname')[0] ?? '',
    ...(user && user !== UNSET.user && { user }),
    ...(port && port !== UNSET.port && { port: Number(port) }),
    ...(keys.length > 0 && { keys }),
    ...(agent && { agent }),
    ...(alias && { hostKeyAlias: alias }),
    ...(jumps && { jumps: jumps.split(',').map(parseJump) }),
    knownHosts: knownHosts.flatMap((value) => value.split(' ')).filter((path) => path !== 'none'),
  };
}

/** `[user@]host[:port]`, with an IPv6 address in brackets, or the same as an ssh:// URI. */
export function parseJump(text: string): HostSettings {
  const form = /^(?:ssh:\/\/)?(?:(.*)@)?(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?\/?$/;
  const [, user, address, name, port] = form.exec(text.trim()) ?? [];
  return { host: address ?? name ?? text, ...(user && { user }), ...(port && { port: Number(port) }) };
}

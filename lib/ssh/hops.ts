/** The hops to a proxy and their login parameters: from the settings, then the SSH configuration, then the defaults. */
import { expandPath, expandTokens, home } from '../util/home.ts';
import { type HostKeyRules, hostKeyRules } from './host-key-rules.ts';
import { agentOf, defaultKeys } from './identity-files.ts';
import {
  directive,
  type HostConfig,
  type HostSettings,
  readHostConfig,
  SSH_CONFIGS,
  withUser,
} from './ssh-config.ts';
import { beyondSsh2, hasKerberosTicket } from './ssh2-limits.ts';

export type { HostSettings } from './ssh-config.ts';

/** Used if neither the settings nor the SSH configuration have a value. */
interface SshDefaults {
  readonly user: string;
  readonly port: number;
  /** The value of an environment variable, such as SSH_AUTH_SOCK. */
  readonly variable: (name: string) => string | undefined;
}

export interface Hop extends HostKeyRules {
  /** The name in messages: `jump host 4nk.myftp.biz`, `proxy 192.168.1.100`. */
  readonly label: string;
  readonly host: string;
  /** The name as the operator typed it, to match `Host` in the SSH configuration; defaults to the host. */
  readonly name?: string;
  readonly port: number;
  readonly user: string;
  /** Features that its SSH configuration requires and ssh2 lacks; undefined if OpenSSH is not installed. */
  readonly beyondSsh2?: readonly string[];
  /** A command whose stdin and stdout are the connection; only for the first hop. */
  readonly proxyCommand?: string;
  /** Paths of the private keys to try; they need not exist unless the operator set one. */
  readonly keys: readonly string[];
  readonly keyIsExplicit: boolean;
  /** IdentitiesOnly: of the agent's keys, offer only those that are also in `keys`. */
  readonly identitiesOnly?: boolean;
  /** PubkeyAcceptedAlgorithms, if the SSH configuration was read. */
  readonly keyAlgorithms?: readonly string[];
  /** The agent's socket. */
  readonly agent?: string;
  readonly knownHosts: readonly string[];
  /** The name in known_hosts: HostKeyAlias, or the host. */
  readonly hostKeyName: string;
}

const SYSTEM_KNOWN_HOSTS = ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2'];
const defaultKnownHosts = (): readonly string[] => [
  `${home()}/.ssh/known_hosts`,
  `${home()}/.ssh/known_hosts2`,
  ...SYSTEM_KNOWN_HOSTS,
];
const MAX_JUMPS = 8;

interface Named {
  readonly settings: HostSettings;
  readonly config: HostConfig | undefined;
}

type LookUp = (settings: HostSettings) => Promise<Named>;

/** Looks up a host in the SSH configuration. */
type AskConfig = (settings: HostSettings) => Promise<HostConfig | undefined>;

/** Reads OpenSSH's configuration files. */
export const askSshConfig: AskConfig = (settings) => readHostConfig(settings, SSH_CONFIGS);

/**
 * The hops to a proxy; the last one is the proxy itself.
 * @param jump undefined if not set
 * @param jumpIsExplicit if false, a ProxyJump in the SSH configuration takes precedence over `jump`
 * @param knownHosts the only known_hosts file to read, if the operator set one
 * @param ask looks up a host in the SSH configuration
 * @throws UsageError with ssh's message if the SSH configuration is invalid
 */
export async function resolveHops(
  target: HostSettings,
  jump: HostSettings | undefined,
  jumpIsExplicit: boolean,
  defaults: SshDefaults,
  knownHosts?: string,
  ask: AskConfig = askSshConfig,
): Promise<readonly Hop[]> {
  const lookUp: LookUp = async (settings) => ({ settings, config: await ask(settings) });
  const [last, first] = await Promise.all([lookUp(target), jump && lookUp(jump)]);
  const user = last.settings.user ?? last.config?.user ?? defaults.user;
  const jumps = await jumpsBefore(lookUp, jumpIsExplicit ? undefined : last, first);
  return [...jumps, last].map((named, index, { length }) => ({
    ...hop(index < length - 1 ? 'jump host' : 'proxy', named, { ...defaults, user }, knownHosts),
    ...(index === 0 && proxyCommandOf(named, { ...defaults, user })),
  }));
}

/** The jump hosts before a target: those in its configuration (none with a ProxyCommand), else the given one. */
async function jumpsBefore(
  lookUp: LookUp,
  target: Named | undefined,
  first: Named | undefined,
): Promise<readonly Named[]> {
  if (target?.config?.jumps)
    return chain(lookUp, target.config.jumps, first?.settings ?? keyOf(target.settings));
  return directive(target?.config, 'proxycommand') === undefined ? chainBefore(lookUp, first) : [];
}

const keyOf = ({ key }: HostSettings): Pick<HostSettings, 'key'> => (key === undefined ? {} : { key });

/** A jump host can have its own ProxyJump, as with `ssh -J`. */
async function chainBefore(lookUp: LookUp, first: Named | undefined): Promise<readonly Named[]> {
  if (!first) return [];
  return first.config?.jumps
    ? [...(await chain(lookUp, first.config.jumps, first.settings)), first]
    : [first];
}

async function chain(
  lookUp: LookUp,
  jumps: readonly HostSettings[],
  settings: Partial<HostSettings> = {},
  depth = 0,
): Promise<Named[]> {
  const own = { ...(settings.user && { user: settings.user }), ...(settings.key && { key: settings.key }) };
  const found = await Promise.all(jumps.map((jump) => lookUp({ ...own, ...jump })));
  const before = found[0]?.config?.jumps;
  return before && depth < MAX_JUMPS
    ? [...(await chain(lookUp, before, settings, depth + 1)), ...found]
    : found;
}

function hop(role: string, { settings, config }: Named, defaults: SshDefaults, knownHosts?: string): Hop {
  const to = destination({ settings, config }, defaults);
  const { host, user, port } = to;
  const expand = (path: string) => expandPath(withUser(path, user), to, defaults.variable);
  const agent = agentOf(config, expand, defaults.variable);
  const accepted = directive(config, 'pubkeyacceptedalgorithms');
  const hasTicket = () => hasKerberosTicket(defaults.variable('KRB5CCNAME'));
  return {
    label: `${role} ${settings.host}`,
    host,
    name: settings.host,
    port,
    user,
    ...(config && { beyondSsh2: beyondSsh2((name) => config.directives.get(name) ?? [], hasTicket) }),
    keys: settings.key ? [settings.key] : (config?.keys ?? defaultKeys).map(expand),
    keyIsExplicit: settings.key !== undefined,
    ...(directive(config, 'identitiesonly') === 'yes' && { identitiesOnly: true }),
    ...(accepted && { keyAlgorithms: accepted.split(',') }),
    ...(agent && { agent }),
    knownHosts: knownHosts ? [knownHosts] : (config?.knownHosts.map(expand) ?? defaultKnownHosts()),
    hostKeyName: config?.hostKeyAlias ?? host,
    ...hostKeyRules(config, expand),
  };
}

const destination = ({ settings, config }: Named, defaults: SshDefaults) => ({
  host: config?.host ?? settings.host,
  user: settings.user ?? config?.user ?? defaults.user,
  port: settings.port ?? config?.port ?? defaults.port,
  name: settings.host,
  alias: config?.hostKeyAlias,
});

function proxyCommandOf(named: Named, defaults: SshDefaults): Pick<Hop, 'proxyCommand'> {
  const command = directive(named.config, 'proxycommand');
  return command === undefined ? {} : { proxyCommand: expandTokens(command, destination(named, defaults)) };
}

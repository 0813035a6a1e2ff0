/** Environment and env file -> typed settings, every problem at once. The only reader of the process environment. */
import { closest } from 'fastest-levenshtein';
import { type EnvFile, readEnvFile } from './env-file.ts';
import { UsageError } from './errors.ts';
import { email, type Form, host, hosts, inHome, path, port, url, user } from './forms.ts';
import { Secret } from './secret.ts';
import type { Setting, Site } from './sites.ts';

/** How to reach a site's proxies; undefined is "not set": the SSH configuration may then say. */
export interface Access {
  readonly hosts: readonly string[];
  readonly user?: string;
  readonly port?: number;
  readonly key?: string;
  readonly defaults: {
    readonly user: string;
    readonly port: number;
    readonly key: string;
    readonly agent: string | undefined;
  };
  /** undefined: a direct connection. */
  readonly jump?: {
    readonly host: string;
    readonly user?: string;
    readonly port?: number;
    readonly isExplicit: boolean;
  };
  readonly knownHosts?: string;
}

export interface Settings {
  readonly access: Access;
  readonly acme: { readonly directoryUrl: string; readonly email?: string };
  /** The site's own settings that are set or have a default, as text; secrets stay wrapped. */
  readonly values: Readonly<Record<string, string | Secret>>;
  readonly warnings: readonly string[];
}

/** https://no-color.org */
export const noColor = Boolean(process.env.NO_COLOR);

const JUMP_HOST = '4nk.myftp.biz';
const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory';

/** The settings that hold for every site. */
export const COMMON: Readonly<Record<string, Setting>> = {
  DEPLOY_SSH_PROXY_HOST: {
    form: orEmpty(host),
    default: JUMP_HOST,
    meaning: 'jump host; empty: a direct connection',
  },
  DEPLOY_SSH_PROXY_USER: { form: user, meaning: 'user on the jump host; default: the proxy user' },
  DEPLOY_SSH_PROXY_PORT: { form: port, default: '22', meaning: 'SSH port of the jump host' },
  SSH_KNOWN_HOSTS: { form: path, meaning: "host keys; default: ~/.ssh/known_hosts and the system's" },
  ACME_DIRECTORY_URL: { form: url, default: LETS_ENCRYPT, meaning: 'the CA that certbot asks' },
  ACME_EMAIL: { form: orEmpty(email), meaning: 'address for the CA account; none registers without' },
};

/** Every setting of a site: its own, and how its proxies are reached. */
export function settingsOf(site: Site): Readonly<Record<string, Setting>> {
  const { prefix, proxy } = site;
  return {
    [`${prefix}_PROXY_HOST`]: {
      form: hosts,
      ...(proxy.host && { default: proxy.host }),
      meaning: 'the proxy; several, separated by commas',
    },
    [`${prefix}_PROXY_USER`]: { form: user, default: proxy.user, meaning: 'user on the proxy' },
    [`${prefix}_PROXY_PORT`]: { form: port, default: '22', meaning: 'SSH port of the proxy' },
    [`${prefix}_SSH_KEY`]: { form: path, default: '~/.ssh/id_ed25519', meaning: 'private key for SSH' },
    ...site.settings,
  };
}

function orEmpty<T>(form: Form<T>): Form<T | ''> {
  return { ...form, read: (text) => (text === '' ? '' : form.read(text)) };
}

/**
 * Reads the settings of `site`.
 * @param sites all sites: their names in the environment are known names
 * @throws UsageError with every problem at once
 */
export async function readSettings(
  site: Site,
  sites: Iterable<Site>,
  options: { readonly envFile: string; readonly host?: string | undefined },
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Settings> {
  const file = await readEnvFile(options.envFile);
  const given: Record<string, string | undefined> = { ...file.values, ...environment };
  const hostName = `${site.prefix}_PROXY_HOST`;
  if (options.host !== undefined) given[hostName] = options.host;
  const known = { ...COMMON, ...settingsOf(site) };
  const problems = [...file.problems, ...unknownNames(given, sites)];
  const read = readAll(known, given, problems);
  if (!(hostName in read)) problems.push(`${hostName}: must be set for ${site.name}: ${hosts.wants}`);
  if (problems.length > 0) throw new UsageError(problems);
  return {
    access: access(site, read, given),
    acme: {
      directoryUrl: String(read.ACME_DIRECTORY_URL),
      ...(read.ACME_EMAIL ? { email: String(read.ACME_EMAIL) } : {}),
    },
    values: Object.fromEntries(
      Object.keys(site.settings).flatMap((name) => (name in read ? [[name, asText(read[name])]] : [])),
    ),
    warnings: warnings(options.envFile, file, known),
  };
}

const asText = (value: unknown): string | Secret => (value instanceof Secret ? value : String(value));

/** The value of every setting that is set or has a default; what is wrong goes to `problems`. */
function readAll(
  known: Readonly<Record<string, Setting>>,
  given: Readonly<Record<string, string | undefined>>,
  problems: string[],
): Record<string, unknown> {
  const read: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(known)) {
    const text = given[name] ?? setting.default;
    if (text === undefined) continue;
    const value = setting.form.read(text);
    if (value === undefined) problems.push(problem(name, setting.form, text));
    else read[name] = value;
  }
  return read;
}

function problem(name: string, form: Form<unknown>, text: string): string {
  const wants = form.problem?.(text) ?? form.wants;
  const shown = form.secret ? '' : ` is ${JSON.stringify(text.slice(0, 80))};`;
  return `${name}:${shown} it must be ${wants}`;
}

function access(
  site: Site,
  read: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, string | undefined>>,
): Access {
  const set = <T>(name: string): T | undefined => (given[name] === undefined ? undefined : (read[name] as T));
  const own = <T>(name: string): T | undefined => set<T>(`${site.prefix}_${name}`);
  return {
    hosts: read[`${site.prefix}_PROXY_HOST`] as readonly string[],
    ...optional({
      user: own<string>('PROXY_USER'),
      port: own<number>('PROXY_PORT'),
      key: own<string>('SSH_KEY'),
    }),
    defaults: {
      user: site.proxy.user,
      port: 22,
      key: inHome('.ssh', 'id_ed25519'),
      agent: given.SSH_AUTH_SOCK,
    },
    ...(read.DEPLOY_SSH_PROXY_HOST !== '' && {
      jump: {
        host: String(read.DEPLOY_SSH_PROXY_HOST),
        isExplicit: given.DEPLOY_SSH_PROXY_HOST !== undefined,
        ...optional({
          user: set<string>('DEPLOY_SSH_PROXY_USER'),
          port: set<number>('DEPLOY_SSH_PROXY_PORT'),
        }),
      },
    }),
    ...optional({ knownHosts: set<string>('SSH_KNOWN_HOSTS') }),
  };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Leaves out what is undefined. */
function optional<T extends Record<string, unknown>>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}

/** Names with a site's prefix that no site knows: a slip of the pen is told, with the name that was meant. */
function unknownNames(given: Readonly<Record<string, string | undefined>>, sites: Iterable<Site>): string[] {
  const all = [...sites];
  const known = all.flatMap((site) => Object.keys(settingsOf(site)));
  const ours = (name: string) => all.some((site) => name.startsWith(`${site.prefix}_`));
  return Object.keys(given)
    .filter((name) => ours(name) && !known.includes(name))
    .map((name) => `${name}: no such setting; ${closest(name, known)} is meant, perhaps`);
}

function warnings(name: string, file: EnvFile, known: Readonly<Record<string, Setting>>): string[] {
  const holdsSecret = Object.keys(file.values).some((key) => known[key]?.form.secret);
  return file.isOpen && holdsSecret
    ? [`${name} holds a token and others may read it: chmod 600 ${name}`]
    : [];
}

/** All settings: those for every site, and those of each site. */
import { LETS_ENCRYPT } from '../model/certbot.ts';
import type { Form, Setting, Site } from '../model/site.ts';
import { nearest } from '../util/nearest.ts';
import { DEFAULT_SITE } from './site-registry.ts';
import { email, host, hosts, oneOf, path, port, siteName, url, user } from './validators.ts';

/** SSH defaults, as in OpenSSH. */
export const SSH = { port: 22 } as const;

/** The values of SSH_TRANSPORT. */
const TRANSPORTS = ['auto', 'ssh2', 'openssh'] as const;
export type TransportSetting = (typeof TRANSPORTS)[number];

/** The settings for every site. */
export const COMMON: Readonly<Record<string, Setting>> = {
  DEPLOY_SSH_PROXY_HOST: {
    form: orEmpty(host),
    unset: 'none: a direct connection, or the ProxyJump of `~/.ssh/config`',
    meaning: 'jump host; set it to an empty string to connect directly',
  },
  DEPLOY_SSH_PROXY_USER: { form: user, unset: 'the proxy user', meaning: 'user on the jump host' },
  DEPLOY_SSH_PROXY_PORT: { form: port, default: `${SSH.port}`, meaning: 'SSH port of the jump host' },
  SSH_KNOWN_HOSTS: {
    form: path,
    unset: '`~/.ssh/known_hosts` and `/etc/ssh/ssh_known_hosts`',
    meaning: 'known_hosts file',
  },
  SSH_TRANSPORT: {
    form: oneOf(TRANSPORTS),
    default: 'auto',
    meaning:
      'what connects: `ssh2`, `openssh` (the ssh program), or `auto`: ssh2, and the ssh program for what ssh2 cannot do ([SSH](ssh.md))',
  },
  GATEPOST_SITE: { form: siteName, default: DEFAULT_SITE, meaning: 'the site, where `--site` is not given' },
  GATEPOST_SITES: { form: path, meaning: 'a directory with sites of your own ([Sites](sites.md))' },
  GATEPOST_HOOK: {
    form: path,
    unset: 'none',
    meaning: 'a program that is run after each change ([Operations](operations.md#hook))',
  },
  ACME_DIRECTORY_URL: { form: url, default: LETS_ENCRYPT, meaning: 'ACME directory of the CA' },
  ACME_EMAIL: {
    form: orEmpty(email),
    unset: 'none: certbot registers without one',
    meaning: 'email address of the ACME account',
  },
};

/** Every setting of a site: its own, and the SSH settings of its proxies. */
export function settingsOf(site: Site): Readonly<Record<string, Setting>> {
  const { prefix, proxy = {} } = site;
  return {
    [`${prefix}_PROXY_HOST`]: {
      form: hosts,
      ...(proxy.host && { default: proxy.host }),
      required: true,
      meaning: 'address or LAN name of the proxy; separate several with commas',
    },
    [`${prefix}_PROXY_USER`]: {
      form: user,
      ...(proxy.user && { default: proxy.user }),
      required: true,
      meaning: 'user on the proxy',
    },
    [`${prefix}_PROXY_PORT`]: { form: port, default: `${SSH.port}`, meaning: 'SSH port of the proxy' },
    [`${prefix}_SSH_KEY`]: {
      form: path,
      unset: 'none: the keys that `ssh` would use',
      meaning: 'private SSH key, the only one that is offered; an agent that holds it can sign',
    },
    ...site.settings,
  };
}

function orEmpty<T>(form: Form<T>): Form<T | ''> {
  return { ...form, read: (text) => (text === '' ? '' : form.read(text)) };
}

/** Prefixes of settings for all sites. */
const COMMON_PREFIXES = ['DEPLOY_SSH_', 'GATEPOST_'];
/** The same, but other programs have such names as well: SSH_AUTH_SOCK. */
const SHARED_PREFIXES = ['SSH_', 'ACME_'];

interface Judged {
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Unknown names with a site's prefix, in any letter case: an error, with the most similar setting. In the process
 * environment, names for other sites may belong to another product and only cause a warning, as do names whose ending
 * is not like that of any setting: another product may use the same prefix, as in LLM_PROVIDER.
 */
export function judgeNames(
  file: Readonly<Record<string, string>>,
  environment: NodeJS.ProcessEnv,
  picked: Site,
  sites: Iterable<Site>,
): Judged {
  const problems: string[] = [];
  const warnings: string[] = [];
  const all = [...sites];
  for (const name of new Set([...Object.keys(file), ...Object.keys(environment)])) {
    const site = all.find((each) => isOf(each, name));
    const begins = (prefix: string) => name.toUpperCase().startsWith(prefix);
    const isCommon = COMMON_PREFIXES.some(begins) || (Object.hasOwn(file, name) && isTypo(name));
    const known = [...Object.keys(site ? settingsOf(site) : {}), ...Object.keys(COMMON)];
    if ((!site && !isCommon) || known.includes(name)) continue;
    const meant = nearest(name.toUpperCase(), known);
    if (Object.hasOwn(file, name) || (site === picked && isLikeOurs(name, meant, known)))
      problems.push(unknownText(name, meant, known));
    else if (site || meant) warnings.push(foreignText(name, meant));
  }
  return { problems, warnings };
}

/** Whether it is similar to a setting with the same prefix, where other programs have names with that prefix, too. */
function isTypo(name: string): boolean {
  const prefix = SHARED_PREFIXES.find((each) => name.toUpperCase().startsWith(each));
  if (prefix === undefined) return false;
  const known = Object.keys(COMMON).filter((other) => other.startsWith(prefix));
  return nearest(name.toUpperCase(), known) !== undefined;
}

/** Whether it resembles a setting: it is similar to one, or ends with the same word. */
function isLikeOurs(name: string, meant: string | undefined, known: readonly string[]): boolean {
  const end = lastWord(name);
  return meant !== undefined || end === '' || known.some((other) => lastWord(other) === end);
}

const lastWord = (name: string): string =>
  name
    .toUpperCase()
    .split(/[^A-Z0-9]/)
    .at(-1) ?? '';

const isOf = ({ prefix }: Site, name: string): boolean => name.toUpperCase().startsWith(`${prefix}_`);

const unknownText = (name: string, meant: string | undefined, known: readonly string[]): string =>
  `${name}: unknown setting; ${meant ? `did you mean ${meant}?` : `there are: ${known.join(', ')}`}`;

const foreignText = (name: string, meant: string | undefined): string =>
  `${name}: set in the environment, but not a setting of any site${meant ? `; did you mean ${meant}?` : ''}`;

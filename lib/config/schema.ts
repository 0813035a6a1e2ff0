/** All settings: those for every site, and those of each site. */
import { LETS_ENCRYPT } from '../model/certificate-request.ts';
import type { Form, Setting, Site } from '../model/site.ts';
import { email, host, hosts, oneOf, path, port, url, user } from './validators.ts';

/** The SSH defaults, as in OpenSSH. */
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

/**
 * Unknown names with the prefix of a site, in any letter case: an error, with the most similar setting. In the process
 * environment, names with the prefix of another site may belong to another product and only cause a warning.
 */
export async function judgeNames(
  file: Readonly<Record<string, string>>,
  environment: NodeJS.ProcessEnv,
  picked: Site,
  sites: Iterable<Site>,
): Promise<{ readonly problems: readonly string[]; readonly warnings: readonly string[] }> {
  const all = [...sites];
  const known = all.flatMap((site) => Object.keys(settingsOf(site)));
  const unknown = Object.keys({ ...file, ...environment }).filter(
    (name) => all.some((site) => isOf(site, name)) && !known.includes(name),
  );
  if (unknown.length === 0) return { problems: [], warnings: [] };
  const near = await import('fastest-levenshtein');
  const isForeign = (name: string) => !isOf(picked, name) && !Object.hasOwn(file, name);
  return {
    problems: unknown
      .filter((name) => !isForeign(name))
      .map((name) => `${name}: unknown setting; did you mean ${nearest(near, name, known)}?`),
    warnings: unknown.filter(isForeign).map((name) => foreignText(near, name, known)),
  };
}

const isOf = ({ prefix }: Site, name: string): boolean => name.toUpperCase().startsWith(`${prefix}_`);

/** Names with a larger edit distance are not considered typos of each other. */
const TYPO_DISTANCE = 3;

type Near = typeof import('fastest-levenshtein');

function foreignText({ closest, distance }: Near, name: string, known: readonly string[]): string {
  const similar = closest(name.toUpperCase(), known);
  const hint = distance(name.toUpperCase(), similar) <= TYPO_DISTANCE ? `; did you mean ${similar}?` : '';
  return `${name}: set in the environment, but not a setting of any site${hint}`;
}

/** Prefers names that end with the same word: for IA_ENSO_TOKEN, ..._BEARER_TOKEN. */
function nearest({ closest }: Near, name: string, known: readonly string[]): string {
  const upper = name.toUpperCase();
  const sameEnding = known.filter((other) => other.split('_').at(-1) === upper.split('_').at(-1));
  return closest(upper, sameEnding.length > 0 ? sameEnding : known);
}

/** The settings that there are: those that hold for every site, and those of each. */
import { LETS_ENCRYPT } from '../model/certificate-request.ts';
import type { Form, Setting, Site } from '../model/site.ts';
import { email, host, hosts, path, port, url, user } from './validators.ts';

const JUMP_HOST = '4nk.myftp.biz';

/** What SSH takes where nothing is said, as OpenSSH does. */
export const SSH = { port: 22, key: '~/.ssh/id_ed25519' } as const;

/** The settings that hold for every site. */
export const COMMON: Readonly<Record<string, Setting>> = {
  DEPLOY_SSH_PROXY_HOST: {
    form: orEmpty(host),
    default: JUMP_HOST,
    meaning: 'jump host; set it to an empty string to connect directly',
  },
  DEPLOY_SSH_PROXY_USER: { form: user, unset: 'the proxy user', meaning: 'user on the jump host' },
  DEPLOY_SSH_PROXY_PORT: { form: port, default: `${SSH.port}`, meaning: 'SSH port of the jump host' },
  SSH_KNOWN_HOSTS: {
    form: path,
    unset: '`~/.ssh/known_hosts` and `/etc/ssh/ssh_known_hosts`',
    meaning: 'known_hosts file',
  },
  ACME_DIRECTORY_URL: { form: url, default: LETS_ENCRYPT, meaning: 'ACME directory of the CA' },
  ACME_EMAIL: {
    form: orEmpty(email),
    unset: 'none: certbot registers without one',
    meaning: 'email address of the ACME account',
  },
};

/** Every setting of a site: its own, and how its proxies are reached. */
export function settingsOf(site: Site): Readonly<Record<string, Setting>> {
  const { prefix, proxy } = site;
  return {
    [`${prefix}_PROXY_HOST`]: {
      form: hosts,
      ...(proxy.host && { default: proxy.host }),
      unset: 'none, required',
      meaning: 'address or LAN name of the proxy; separate several with commas',
    },
    [`${prefix}_PROXY_USER`]: { form: user, default: proxy.user, meaning: 'user on the proxy' },
    [`${prefix}_PROXY_PORT`]: { form: port, default: `${SSH.port}`, meaning: 'SSH port of the proxy' },
    [`${prefix}_SSH_KEY`]: {
      form: path,
      default: SSH.key,
      meaning: 'private SSH key; if the default file does not exist, the SSH agent is used',
    },
    ...site.settings,
  };
}

function orEmpty<T>(form: Form<T>): Form<T | ''> {
  return { ...form, read: (text) => (text === '' ? '' : form.read(text)) };
}

/**
 * Names with a site's prefix, in whatever case, that no site knows: a slip of the pen is told, with the name that was
 * meant. In the environment those of other sites may be another product's, and are no more than worth a warning.
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
      .map((name) => `${name}: no such setting; ${nearest(near, name, known)} is meant, perhaps`),
    warnings: unknown.filter(isForeign).map((name) => foreignText(near, name, known)),
  };
}

const isOf = ({ prefix }: Site, name: string): boolean => name.toUpperCase().startsWith(`${prefix}_`);

/** More letters than this apart, two names are no slip of each other. */
const SLIP = 3;

type Near = typeof import('fastest-levenshtein');

function foreignText({ closest, distance }: Near, name: string, known: readonly string[]): string {
  const meant = closest(name.toUpperCase(), known);
  const hint = distance(name.toUpperCase(), meant) <= SLIP ? `; ${meant} is meant, perhaps` : '';
  return `${name}: the environment sets it, and no site has such a setting${hint}`;
}

/** Among the names that end in the same word, if there are any: IA_ENSO_TOKEN means ..._BEARER_TOKEN. */
function nearest({ closest }: Near, name: string, known: readonly string[]): string {
  const upper = name.toUpperCase();
  const alike = known.filter((other) => other.split('_').at(-1) === upper.split('_').at(-1));
  return closest(upper, alike.length > 0 ? alike : known);
}

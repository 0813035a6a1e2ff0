/** The settings that there are: those that hold for every site, and those of each. */
import { closest } from 'fastest-levenshtein';
import { email, type Form, host, hosts, path, port, url, user } from './forms.ts';
import type { Setting, Site } from './sites.ts';

const JUMP_HOST = '4nk.myftp.biz';
export const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory';

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

/** Names with a site's prefix, in whatever case, that no site knows: a slip of the pen is told, with the name that was meant. */
export function unknownNames(
  given: Readonly<Record<string, string | undefined>>,
  sites: Iterable<Site>,
): string[] {
  const all = [...sites];
  const known = all.flatMap((site) => Object.keys(settingsOf(site)));
  const ours = (name: string) => all.some((site) => name.toUpperCase().startsWith(`${site.prefix}_`));
  return Object.keys(given)
    .filter((name) => ours(name) && !known.includes(name))
    .map((name) => `${name}: no such setting; ${nearest(name, known)} is meant, perhaps`);
}

/** Among the names that end in the same word, if there are any: IA_ENSO_TOKEN means ..._BEARER_TOKEN. */
function nearest(name: string, known: readonly string[]): string {
  const upper = name.toUpperCase();
  const alike = known.filter((other) => other.split('_').at(-1) === upper.split('_').at(-1));
  return closest(upper, alike.length > 0 ? alike : known);
}

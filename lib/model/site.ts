/** The definition of a site (the data in sites/) and of its settings. */
import { isIPv4 } from 'node:net';
import { type CertificateFiles, lineageFiles } from './certbot.ts';
import type { CheckSpec } from './check.ts';

/** A file for the http context of nginx: its template in http-maps/, its name in conf.d/, its mode. */
export interface HttpMap {
  readonly source: string;
  readonly name: string;
  readonly mode: '600' | '644';
  /** Is it the map of a gate, whose names are replaced by those of the site? */
  readonly isGate?: boolean;
}

/** A bearer gate in front of an API; `gate()` in sites/shared/gate.ts makes it. */
export interface Gate {
  /** The setting with the token of the client `default`. */
  readonly token: string;
  /** The setting with a token of scope `inference`, for a check. */
  readonly inferenceToken?: string;
  /** The setting with the origins whose pages may use the gate from a browser. */
  readonly origins?: string;
  /** The folder with the client files. */
  readonly clients: `/etc/nginx/${string}`;
  /** The folder whose files say which tokens are live. */
  readonly live: `/etc/nginx/${string}`;
  /** The path of the API on this site, such as `/api`; empty for the root of the host. */
  readonly path: '' | `/${string}`;
  /** The path that lists the models, for requests that prove a token. */
  readonly models: `/${string}`;
  /** How programs are set up to use the API, as `bearers add` prints it. */
  readonly settings: readonly ClientSetting[];
  /** The available rate limits in requests per minute, each with its zone in the maps. */
  readonly limits: Readonly<Record<number, string>>;
  /** The available limits of requests at the same time. */
  readonly concurrent: readonly number[];
  /** The access log; its second field is the client name. */
  readonly log: string;
  /** Begins the names of its variables and zones. */
  readonly variables: string;
  /** The name of its log format. */
  readonly logFormat: string;
  /** Its names in nginx: each name in the text of the gate, and the one that this site has instead. */
  readonly names: Readonly<Record<string, string>>;
}

/** A program, and what to enter there: `<base>` is replaced by the URL of the gate, `<token>` stays. */
export interface ClientSetting {
  readonly program: string;
  readonly text: string;
}

/** A backend that a setting can replace, by other machines or by `none`. */
export interface Backend {
  /** Its address in the template, such as `__WIKI_BACKEND_IP__:8080`: each value of the setting replaces it, in a `server` line of its own. */
  readonly text: `__${string}__:${number}`;
  /** The makers of the checks that a site without this backend does not have (lib/checks/catalog.ts). */
  readonly checks?: readonly string[];
  /** Why its usual port is closed on a machine that answers on another one, and the fix. */
  readonly whenClosed?: Symptom;
  /** What its machines report of themselves without a token; it should be the same on all of them. */
  readonly reports?: BackendReports;
}

/** An error of this site only, as the tables of the docs show it; see `Row` in lib/diagnosis/row.ts. */
export interface Symptom {
  readonly error: string;
  readonly cause: string;
  readonly fix: string;
}

export interface BackendReports {
  /** The upstream of the vhost with these machines. */
  readonly upstream: string;
  /** The path of a JSON object, and its field with the version of the service. */
  readonly version: { readonly path: `/${string}`; readonly field: string };
  /** The path of a JSON list of models. */
  readonly models: `/${string}`;
  /** How a machine gets a model that only others have. */
  readonly fix: string;
}

/** What the machines of a site report of themselves, if they do. */
export const reportsOf = ({ backends = {} }: Pick<Site, 'backends'>): BackendReports | undefined =>
  Object.values(backends).find(({ reports }) => reports)?.reports;

/** The value of a setting that leaves a backend out. */
export const NO_BACKEND = 'none';

/** A site is data: templates in the same folder, settings, maps, gate, checks (docs/sites.md). */
export interface Site {
  readonly name: string;
  /**
   * The `server_name` and the name in the certificate. `_`: reached by address, as the default server. The templates are
   * written for this name; under another one, it is replaced in all of their text and in the names of files.
   */
  readonly serverName: string;
  /** The URL of the directory that it was loaded from, with its templates, if that is not gatepost's own. */
  readonly folder?: string;
  /** The setting that overrides `serverName`; the certificate is then the one of certbot. */
  readonly nameFrom?: string;
  /** The name that the templates are written for, where `nameFrom` has set another one. */
  readonly defaultName?: string;
  /** PREFIX_PROXY_HOST, PREFIX_PROXY_USER, PREFIX_PROXY_PORT and PREFIX_SSH_KEY configure access to its proxies. */
  readonly prefix: string;
  /** Defaults of PREFIX_PROXY_HOST and PREFIX_PROXY_USER; without one, the setting is required. */
  readonly proxy?: { readonly host?: string; readonly user?: string };
  /**
   * Values of settings that hold only under the default name: the machines behind that name. Under another name, these
   * settings are required, except for the jump host.
   */
  readonly seed?: Readonly<Record<string, string>>;
  /** Settings by name. A template includes one with the marker `__NAME__`. */
  readonly settings: Readonly<Record<string, Setting>>;
  /** Backends by the setting that can replace them. */
  readonly backends?: Readonly<Record<string, Backend>>;
  readonly maps: readonly HttpMap[];
  /** Does its vhost use $connection_upgrade? */
  readonly webSocket: boolean;
  readonly gate?: Gate;
  /** The setting with the token for checks, if there is no gate. */
  readonly checkToken?: string;
  /** The certificate in its vhost, if that is not the certbot path for `serverName`. */
  readonly certificate?: CertificateFiles;
  /** From lib/checks/catalog.ts, in the order in which they are reported. */
  readonly checks: readonly CheckSpec[];
}
const NAMELESS = '_';

/** The paths of the certificate of `site` on a proxy. */
export function certificateFilesOf({
  certificate,
  serverName,
}: Pick<Site, 'certificate' | 'serverName'>): CertificateFiles {
  return certificate ?? lineageFiles(serverName);
}

/** The origins whose pages may use the gate of `site` from a browser. */
export function originsOf(
  { gate }: Pick<Site, 'gate'>,
  values: Readonly<Record<string, unknown>>,
): readonly string[] {
  const origins = values[gate?.origins ?? ''];
  return typeof origins === 'string' ? origins.split(',') : [];
}

/** Is `site` reached by address, without a name? */
export const isNameless = ({ serverName }: Pick<Site, 'serverName'>): boolean => serverName === NAMELESS;

/** Is `site` reached by address? TLS clients then ask for no name, so it must be the default server. */
export const isByAddress = (site: Pick<Site, 'serverName'>): boolean =>
  isNameless(site) || isIPv4(site.serverName);

type Named = Pick<Site, 'serverName' | 'defaultName'>;

/** `text`, which is written for the default name of `site`, for the name that it has. */
export function withPublicName({ serverName, defaultName = serverName }: Named, text: string): string {
  if (defaultName === serverName || defaultName === NAMELESS) return text;
  // Not within a longer name.
  const whole = new RegExp(`(?<![\\w.-])${defaultName.replaceAll('.', '\\.')}(?![\\w-])`, 'g');
  return text.replace(whole, () => serverName);
}

/** The name of the site's vhost file in nginx's folders. */
export const vhostFile = (site: Site): string => `${withPublicName(site, site.name)}.conf`;

/** What messages call the site: its public name, or its own where that is none. */
export const titleOf = (site: Named & Pick<Site, 'name'>): string => withPublicName(site, site.name);

/** How one kind of setting is parsed. `read` returns undefined if the text is invalid. */
export interface Form<T> {
  readonly wants: string;
  readonly read: (text: string) => T | undefined;
  /** A more specific description of what is wrong with a value. */
  readonly problem?: (text: string) => string | undefined;
  /** A secret value is never included in a message. */
  readonly secret?: boolean;
}

/** A setting of a site: its form, and its default. */
export interface Setting<T = unknown> {
  readonly form: Form<T>;
  readonly default?: string;
  /** Must it be set where it has no default? */
  readonly required?: boolean;
  /** What applies when it is not set, where there is no `default`; for the tables of the docs. */
  readonly unset?: string;
  readonly meaning: string;
}

/** The definition of a site (the data in sites/) and of its settings. */
import { isIPv4 } from 'node:net';
import { type CertificateFiles, lineageFiles } from './certbot.ts';
import type { CheckSpec } from './check.ts';

/** A file for nginx's http context: its template in http-maps/, its name in conf.d/, its mode. */
export interface HttpMap {
  readonly source: string;
  readonly name: string;
  readonly mode: '600' | '644';
  /** Whether it is a gate's map, in which names are replaced by the site's. */
  readonly isGate?: boolean;
}

/** A bearer gate in front of an API, created by `gate()` in sites/shared/gate.ts. */
export interface Gate {
  /** The setting with the token of the client `default`. */
  readonly token: string;
  /** The setting with a token of scope `inference`, for a check. */
  readonly inferenceToken?: string;
  /** The setting with the origins whose pages may use the gate from a browser. */
  readonly origins?: string;
  /** The folder with the client files. */
  readonly clients: `/etc/nginx/${string}`;
  /** The folder whose files determine which tokens are live. */
  readonly live: `/etc/nginx/${string}`;
  /** The path of the API on this site, such as `/api`; empty for the root of the host. */
  readonly path: '' | `/${string}`;
  /** The path that lists the models, for requests that test a token. */
  readonly models: `/${string}`;
  /** How programs are configured to use the API, as printed by `bearers add`. */
  readonly settings: readonly ClientSetting[];
  /** The available rate limits in requests per minute, each with its zone in the maps. */
  readonly limits: Readonly<Record<number, string>>;
  /** The available limits of concurrent requests. */
  readonly concurrent: readonly number[];
  /** The access log; its second field is the client name. */
  readonly log: string;
  /** The prefix of its variables and zones. */
  readonly variables: string;
  /** The name of its log format. */
  readonly logFormat: string;
  /** Names in nginx: maps each name in the gate's text to this site's name. */
  readonly names: Readonly<Record<string, string>>;
}

/** A program, and its settings: `<base>` is replaced by the gate's URL, `<token>` stays. */
export interface ClientSetting {
  readonly program: string;
  readonly text: string;
}

/** A backend that a setting can replace with other machines or with `none`. */
export interface Backend {
  /**
   * Its address in the template, such as `__WIKI_BACKEND_IP__:8080`: replaced by each value of the setting, in separate
   * `server` lines.
   */
  readonly text: `__${string}__:${number}`;
  /** The checks that a site without this backend does not run (lib/checks/catalog.ts). */
  readonly checks?: readonly string[];
  /** Why its default port is closed although the machine answers on another one, and the fix. */
  readonly whenClosed?: Symptom;
  /** What its machines report about themselves without a token; it should be the same on all of them. */
  readonly reports?: BackendReports;
}

/** An error of this site only, as shown in the docs' tables; see `Row` in lib/diagnosis/row.ts. */
export interface Symptom {
  readonly error: string;
  readonly cause: string;
  readonly fix: string;
}

export interface BackendReports {
  /** The upstream in the vhost with these machines. */
  readonly upstream: string;
  /** The path of a JSON object with the service's version, and the field. */
  readonly version: { readonly path: `/${string}`; readonly field: string };
  /** The path of a JSON list of models. */
  readonly models: `/${string}`;
  /** How to add a model that only other machines have. */
  readonly fix: string;
}

/** What a site's machines report about themselves, if anything. */
export const reportsOf = ({ backends = {} }: Pick<Site, 'backends'>): BackendReports | undefined =>
  Object.values(backends).find(({ reports }) => reports)?.reports;

/** The value of a setting that omits a backend. */
export const NO_BACKEND = 'none';

/** A site is data: templates in the same folder, settings, maps, gate, checks (docs/sites.md). */
export interface Site {
  readonly name: string;
  /**
   * The `server_name` and the name in the certificate. `_`: reached by address, as the default server. The templates
   * are written for this name; with another one, it is replaced throughout their text and file names.
   */
  readonly serverName: string;
  /** The URL of its directory, which also has its templates, if that is not gatepost's own. */
  readonly folder?: string;
  /** The setting that overrides `serverName`; the certificate is then certbot's. */
  readonly nameFrom?: string;
  /** The name that the templates are written for, if `nameFrom` has set another one. */
  readonly defaultName?: string;
  /** PREFIX_PROXY_HOST, PREFIX_PROXY_USER, PREFIX_PROXY_PORT and PREFIX_SSH_KEY configure access to its proxies. */
  readonly prefix: string;
  /** Defaults of PREFIX_PROXY_HOST and PREFIX_PROXY_USER; without one, the setting is required. */
  readonly proxy?: { readonly host?: string; readonly user?: string };
  /**
   * Values of settings that apply only to the default name: the machines behind it. With another name, these settings
   * are required, except for the jump host.
   */
  readonly seed?: Readonly<Record<string, string>>;
  /** Settings by name. A template includes one with the marker `__NAME__`. */
  readonly settings: Readonly<Record<string, Setting>>;
  /** Backends by the setting that can replace them. */
  readonly backends?: Readonly<Record<string, Backend>>;
  readonly maps: readonly HttpMap[];
  /** Whether its vhost uses $connection_upgrade. */
  readonly webSocket: boolean;
  readonly gate?: Gate;
  /** The setting with the token for checks, if there is no gate. */
  readonly checkToken?: string;
  /** The certificate in its vhost, if that is not the certbot path for `serverName`. */
  readonly certificate?: CertificateFiles;
  /** From lib/checks/catalog.ts, in report order. */
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

/** Whether `site` is reached by address, without a name. */
export const isNameless = ({ serverName }: Pick<Site, 'serverName'>): boolean => serverName === NAMELESS;

/** Whether `site` is reached by address. TLS clients then send no name, so it must be the default server. */
export const isByAddress = (site: Pick<Site, 'serverName'>): boolean =>
  isNameless(site) || isIPv4(site.serverName);

type Named = Pick<Site, 'serverName' | 'defaultName'>;

/** Replaces the default name of `site` in `text` with its current name. */
export function withPublicName({ serverName, defaultName = serverName }: Named, text: string): string {
  if (defaultName === serverName || defaultName === NAMELESS) return text;
  // But not within longer names.
  const whole = new RegExp(`(?<![\\w.-])${defaultName.replaceAll('.', '\\.')}(?![\\w-])`, 'g');
  return text.replace(whole, () => serverName);
}

/** The name of the site's vhost file in nginx's folders. */
export const vhostFile = (site: Site): string => `${withPublicName(site, site.name)}.conf`;

/** The site's name in messages: its public name, or the name of its file if it has none. */
export const titleOf = (site: Named & Pick<Site, 'name'>): string => withPublicName(site, site.name);

/** How one kind of setting is parsed. `read` returns undefined if the text is invalid. */
export interface Form<T> {
  readonly wants: string;
  readonly read: (text: string) => T | undefined;
  /** A more specific description of a value's problem. */
  readonly problem?: (text: string) => string | undefined;
  /** A secret value is never included in a message. */
  readonly secret?: boolean;
}

/** A setting of a site: its validator and its default. */
export interface Setting<T = unknown> {
  readonly form: Form<T>;
  readonly default?: string;
  /** Whether it must be set although it has no default. */
  readonly required?: boolean;
  /** What applies if it is not set and there is no `default`; for the docs' tables. */
  readonly unset?: string;
  readonly meaning: string;
}

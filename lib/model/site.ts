/** What a site is (the data in sites/), and what a setting of a site is. */
import type { CheckSpec } from './check.ts';

/** A file for nginx's http context: its template in http-maps/, its name in conf.d/, its mode. */
interface HttpMap {
  readonly source: string;
  readonly name: string;
  readonly mode: '600' | '644';
}

/** A bearer gate in front of Ollama: what its clients are, and where they come in. */
export interface Gate {
  /** The setting with the token of the client `default`. */
  readonly token: string;
  /** The setting with a token of scope `inference`, for a check. */
  readonly inferenceToken?: string;
  /** The folder of the clients' files. */
  readonly clients: `/etc/nginx/${string}`;
  /** Where Ollama stands on this site, such as `/ollama`. */
  readonly path: `/${string}`;
  /** How many requests a minute a client can be limited to, and the zone that counts them in the maps. */
  readonly limits: Readonly<Record<number, string>>;
  /** The access log; its second word is the client's name. */
  readonly log: string;
}

/** The paths of a certificate with its chain, and of its key, on the proxy. */
interface CertificateFiles {
  readonly chain: string;
  readonly key: string;
}

/** A site is data: templates beside it, settings, maps, gate, checks (docs/sites.md). */
export interface Site {
  readonly name: string;
  /** Its name for people and certificates: what `server_name` says. `_`: it is reached by address, as the default server. */
  readonly serverName: string;
  /** The setting that, when it is set, is its name in the place of `serverName`; its certificate is then certbot's. */
  readonly nameFrom?: string;
  /** PREFIX_PROXY_HOST, PREFIX_PROXY_USER, PREFIX_PROXY_PORT and PREFIX_SSH_KEY say how to reach its proxies. */
  readonly prefix: string;
  readonly proxy: { readonly host?: string; readonly user: string };
  /** Settings by name. One that a template has as a marker, `__NAME__`, is filled in there. */
  readonly settings: Readonly<Record<string, Setting>>;
  readonly maps: readonly HttpMap[];
  /** Does its vhost use $connection_upgrade? */
  readonly webSocket: boolean;
  readonly gate?: Gate;
  /** The setting with the token that checks may use, where there is no gate. */
  readonly checkToken?: string;
  /** What its vhost names, where that is not certbot's place for `serverName`. */
  readonly certificate?: CertificateFiles;
  /** From lib/checks/catalog.ts, in the order in which they are reported. */
  readonly checks: readonly CheckSpec[];
}
const NAMELESS = '_';

/** Where the certificate of `site` lies on a proxy. */
export function certificateFilesOf({ certificate, serverName }: Site): CertificateFiles {
  const live = `/etc/letsencrypt/live/${serverName}`;
  return certificate ?? { chain: `${live}/fullchain.pem`, key: `${live}/privkey.pem` };
}

/** Is `site` reached by address, having no name? */
export const isNameless = ({ serverName }: Site): boolean => serverName === NAMELESS;

/** How one kind of setting is read. `read` returns undefined where the text does not have the form. */
export interface Form<T> {
  readonly wants: string;
  readonly read: (text: string) => T | undefined;
  /** Says what is wrong with a value whose form is more than one sentence can tell. */
  readonly problem?: (text: string) => string | undefined;
  /** A secret value is never repeated in a message. */
  readonly secret?: boolean;
}

/** A setting of a site: its form, and what holds when it is not set. */
export interface Setting<T = unknown> {
  readonly form: Form<T>;
  readonly default?: string;
  /** What applies when it is not set, where there is no `default`; for the tables of the docs. */
  readonly unset?: string;
  readonly meaning: string;
}

/** A request for a certificate, and the places of certbot's and gatepost's files on a proxy. */

/** certbot's directory. */
export const LETSENCRYPT = '/etc/letsencrypt';

/** The directory from which the vhosts serve the CA's challenges (sites/snippets/acme-challenge.conf). */
export const WEBROOT = '/var/www/certbot';

/** The paths of a certificate with its chain, and of its key. */
export interface CertificateFiles {
  readonly chain: string;
  readonly key: string;
}

/** The files of certbot's lineage with this name. */
export function lineageFiles(name: string): CertificateFiles {
  const live = `${LETSENCRYPT}/live/${name}`;
  return { chain: `${live}/fullchain.pem`, key: `${live}/privkey.pem` };
}

/** The prefix of gatepost's own challenge files, since other sites share the webroot. */
export const challengePrefix = (site: string): string => `gatepost-${site}~`;

/** The default CA. */
export const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory';

/** Let's Encrypt's staging CA (https://letsencrypt.org/docs/staging-environment/). */
export const LETS_ENCRYPT_STAGING = 'https://acme-staging-v02.api.letsencrypt.org/directory';

export interface CertificateRequest {
  readonly method: 'order' | 'self-signed' | 'use';
  /** The name of certbot's certificate to use. */
  readonly name?: string;
  /** Use the staging CA. */
  readonly staging: boolean;
  /** Even if the current one is valid. */
  readonly force: boolean;
  readonly server: string;
  readonly email: string;
  /** A private CA, which may reach hosts that the internet does not. */
  readonly isLocalCa: boolean;
}

/** The ACME directory URLs that certbot may use. */
export const acmeServers = (directoryUrl: string): readonly string[] =>
  directoryUrl === LETS_ENCRYPT ? [directoryUrl, LETS_ENCRYPT_STAGING] : [directoryUrl];

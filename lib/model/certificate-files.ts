/** Where certificates lie on a proxy, and where certbot and we put files for a challenge. */

/** certbot's directory. */
export const LETSENCRYPT = '/etc/letsencrypt';

/** The directory from which the vhosts serve the CA's challenges (sites/snippets/acme-challenge.conf). */
export const WEBROOT = '/var/www/certbot';

/** The paths of a certificate with its chain, and of its key. */
export interface CertificateFiles {
  readonly chain: string;
  readonly key: string;
}

/** The files of the lineage that certbot keeps under this name. */
export function lineageFiles(name: string): CertificateFiles {
  const live = `${LETSENCRYPT}/live/${name}`;
  return { chain: `${live}/fullchain.pem`, key: `${live}/privkey.pem` };
}

/** How the names of our own challenge files begin; other sites share the webroot. */
export const challengePrefix = (site: string): string => `gatepost-${site}~`;

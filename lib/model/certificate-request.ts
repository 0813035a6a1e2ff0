/** What the operator wants of a certificate, and which CAs it may come from. */

/** The CA that is asked unless another is set. */
export const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory';

/** Let's Encrypt's staging CA (https://letsencrypt.org/docs/staging-environment/). */
export const LETS_ENCRYPT_STAGING = 'https://acme-staging-v02.api.letsencrypt.org/directory';

export interface CertificateRequest {
  readonly method: 'order' | 'self-signed' | 'use';
  /** The certificate of certbot to use. */
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

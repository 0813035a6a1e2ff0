/** What the operator wants of a certificate, and which CAs it may come from. */

/** The CA that is asked unless another is set. */
export const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory';

/** Let's Encrypt's staging CA (https://letsencrypt.org/docs/staging-environment/). */
export const LETS_ENCRYPT_STAGING = 'https://acme-staging-v02.api.letsencrypt.org/directory';

export interface CertificateRequest {
  readonly method: 'order' | 'self-signed';
  /** A rehearsal with the staging CA. */
  readonly staging: boolean;
  /** Although there is a good one. */
  readonly force: boolean;
  readonly server: string;
  readonly email: string;
  /** A CA of the operator's own, which may reach what the internet does not. */
  readonly isLocalCa: boolean;
}

/** The directory URLs of the CAs that certbot may be told to ask. */
export const acmeServers = (directoryUrl: string): readonly string[] =>
  directoryUrl === LETS_ENCRYPT ? [directoryUrl, LETS_ENCRYPT_STAGING] : [directoryUrl];

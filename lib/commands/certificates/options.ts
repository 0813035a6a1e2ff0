/** What the operator wants of a certificate, from flags and settings. */
import { isIP } from 'node:net';
import {
  type CertificateRequest,
  LETS_ENCRYPT,
  LETS_ENCRYPT_STAGING,
} from '../../model/certificate-request.ts';
import type { Site } from '../../model/site.ts';
import { refuseAll } from '../../util/errors.ts';
import type { Context } from '../context.ts';

/** @throws UsageError for flags that contradict each other, the settings or the site */
export function certificateRequestOf({ flags, settings, site }: Context): CertificateRequest {
  const { directoryUrl, email = '' } = settings.acme;
  const isLocalCa = directoryUrl !== LETS_ENCRYPT;
  const staging = flags.staging;
  const method = flags['self-signed'] ? 'self-signed' : 'order';
  refuseAll([
    staging &&
      isLocalCa &&
      "--staging: is Let's Encrypt's staging CA, and ACME_DIRECTORY_URL names another one; use only one of them",
    staging && method === 'self-signed' && '--staging and --self-signed: use only one of them',
    method === 'order' &&
      !isPublicName(site) &&
      `--site ${site.name}: it has no public name that a CA could validate; set one, or use --self-signed`,
  ]);
  return {
    method,
    staging,
    force: flags['force-renewal'],
    server: staging ? LETS_ENCRYPT_STAGING : directoryUrl,
    email,
    isLocalCa,
  };
}

const isPublicName = ({ serverName }: Site): boolean => serverName.includes('.') && isIP(serverName) === 0;

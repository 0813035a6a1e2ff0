/** The requested certificate, by flags and settings. */
import { isIP, isIPv4 } from 'node:net';
import { type CertificateRequest, LETS_ENCRYPT, LETS_ENCRYPT_STAGING } from '../../model/certbot.ts';
import type { Site } from '../../model/site.ts';
import { refuseAll } from '../../util/errors.ts';
import { isPublicAddress } from '../../util/public-address.ts';
import type { Context } from '../context.ts';

/** @throws UsageError for flags that contradict each other, the settings or the site */
export function certificateRequestOf({ flags, settings, site }: Context): CertificateRequest {
  const { directoryUrl, email = '' } = settings.acme;
  const isLocalCa = directoryUrl !== LETS_ENCRYPT;
  const staging = flags.staging;
  const name = flags['use-certificate'];
  const method = flags['self-signed'] ? 'self-signed' : name === undefined ? 'order' : 'use';
  refuseAll([
    staging &&
      isLocalCa &&
      "--staging: is Let's Encrypt's staging CA, and ACME_DIRECTORY_URL names another one; use only one of them",
    staging && method === 'self-signed' && '--staging and --self-signed: use only one of them',
    name !== undefined &&
      !/^[a-z0-9][a-z0-9._-]*$/i.test(name) &&
      '--use-certificate: must be the name of a certificate of certbot, as `certbot certificates` lists them',
    name !== undefined &&
      (staging || flags['force-renewal'] || flags['self-signed']) &&
      '--use-certificate: requests no certificate; use it without --staging, --force-renewal and --self-signed',
    method !== 'self-signed' &&
      !isForCa(site, isLocalCa) &&
      `--site ${site.name}: it has no public name or address that a CA could validate; set ${site.nameFrom ?? 'one'}, or use --self-signed`,
  ]);
  return {
    method,
    ...(name !== undefined && { name }),
    staging,
    force: flags['force-renewal'],
    server: staging ? LETS_ENCRYPT_STAGING : directoryUrl,
    email,
    isLocalCa,
  };
}

/** A CA on the internet validates public addresses only. */
function isForCa({ serverName }: Site, isLocalCa: boolean): boolean {
  if (isIPv4(serverName)) return isLocalCa || isPublicAddress(serverName);
  return serverName.includes('.') && isIP(serverName) === 0;
}

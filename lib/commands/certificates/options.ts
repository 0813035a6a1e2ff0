/** What the operator wants of a certificate, from flags and settings. */
import { isIP } from 'node:net';
import { LETS_ENCRYPT } from '../../config/schema.ts';
import type { Settings } from '../../config/settings.ts';
import type { Site } from '../../model/site.ts';
import { refuseAll } from '../../util/errors.ts';
import type { Context } from '../context.ts';

/** Let's Encrypt's staging CA (https://letsencrypt.org/docs/staging-environment/). */
const STAGING = 'https://acme-staging-v02.api.letsencrypt.org/directory';

export interface Wish {
  readonly way: 'order' | 'self-signed';
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
export const caServers = ({ acme: { directoryUrl } }: Settings): readonly string[] =>
  directoryUrl === LETS_ENCRYPT ? [directoryUrl, STAGING] : [directoryUrl];

/** @throws UsageError for flags that contradict each other, the settings or the site */
export function wishOf({ flags, settings, site }: Context): Wish {
  const { directoryUrl, email = '' } = settings.acme;
  const isLocalCa = directoryUrl !== LETS_ENCRYPT;
  const staging = flags.staging;
  const way = flags['self-signed'] ? 'self-signed' : 'order';
  refuseAll([
    staging &&
      isLocalCa &&
      "--staging: is Let's Encrypt's staging CA, and ACME_DIRECTORY_URL names another one; give one of them",
    staging && way === 'self-signed' && '--staging and --self-signed: give one of them',
    way === 'order' &&
      !isPublicName(site) &&
      `--site ${site.name}: it has no public name that a CA could look at; give it one, or --self-signed`,
  ]);
  return {
    way,
    staging,
    force: flags['force-renewal'],
    server: staging ? STAGING : directoryUrl,
    email,
    isLocalCa,
  };
}

const isPublicName = ({ serverName }: Site): boolean => serverName.includes('.') && isIP(serverName) === 0;

/** The remote programs of bootstrap-tls. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { Settings } from '../config/settings.ts';
import type { CertificateRequest } from '../model/certbot.ts';
import type { Program } from '../model/run.ts';
import type { Site } from '../model/site.ts';
import { renderHttpOnly } from '../nginx/render.ts';
import { ROOT } from '../util/project.ts';
import { contentFunction, program, siteProgram } from './program.ts';

/** The longest lifetime that systems accept for a manually trusted certificate. */
const SELF_SIGNED_DAYS = 825;

export type Order = 'new' | 'rehearsal' | 'none';

/** A file for the challenge directory, for one attempt; there, its name is prefixed with that of the site. */
export interface ChallengeFile {
  readonly name: string;
  readonly text: string;
}

/** A file for the webroot, with an unguessable name and text. */
export const newChallenge = (): ChallengeFile => ({
  name: randomBytes(12).toString('base64url'),
  text: randomBytes(24).toString('base64url'),
});

/** The renewal hook, as the content 0 of a program. */
export async function hookText(): Promise<string[]> {
  const text = await readFile(new URL('lib/program/sh/hook.sh', ROOT), 'utf8');
  return [contentFunction(0, text)];
}

/** Inspects the TLS setup of the host. */
export const inspectProgram = async (site: Site): Promise<Program> =>
  program('status', site, { ONLY: 'tls' }, await hookText());

/** Installs the HTTP-only vhost instead of the full one, or beside one under an earlier name, which stays. */
export async function httpOnlyProgram(site: Site, settings: Settings, isBeside = false): Promise<Program> {
  const files = await renderHttpOnly(site, settings, isBeside);
  return siteProgram('http_only', site, files, isBeside ? ['keep_released'] : []);
}

/** Places `file` in the webroot; without one, removes the earlier one. */
export const challengeProgram = (site: Site, file?: ChallengeFile): Promise<Program> =>
  program(file ? 'challenge' : 'end_challenge', site, {
    CHALLENGE_NAME: file?.name ?? '',
    CHALLENGE_TEXT: file?.text ?? '',
  });

/** Orders with certbot, installs the renewal hook, reloads nginx. */
export async function issueProgram(site: Site, order: Order, request: CertificateRequest): Promise<Program> {
  const { server, email } = request;
  const values = { ORDER: order, ACME_SERVER: server, ACME_EMAIL: email, DOMAIN: site.serverName };
  return program('issue', site, values, await hookText());
}

/** Uses a certificate that certbot has under another name. */
export const useProgram = async (site: Site, certificate: string): Promise<Program> =>
  program('use_certificate', site, { CERTIFICATE: certificate }, await hookText());

/** The name in a self-signed certificate: that of the site, or of `host` if the site has none. */
export function selfSignedName({ serverName }: Site, host: string): string {
  return /^[a-z0-9][\w.:-]*$/i.test(serverName) ? serverName : host;
}

/** Creates a self-signed certificate on `host`, with its key. */
export function selfSignedProgram(site: Site, host: string): Promise<Program> {
  const name = selfSignedName(site, host);
  return program('self_signed', site, {
    COMMON_NAME: name.length <= 64 ? name : 'gatepost',
    ALTERNATIVE_NAMES: `${isIP(name) ? 'IP' : 'DNS'}:${name}`,
    DAYS: String(SELF_SIGNED_DAYS),
  });
}

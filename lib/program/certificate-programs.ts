/** The remote programs of bootstrap-tls. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { Settings } from '../config/settings.ts';
import type { CertificateRequest } from '../model/certbot.ts';
import type { Program } from '../model/run.ts';
import { newProgram } from '../model/run.ts';
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
export async function inspectProgram(site: Site): Promise<Program> {
  const hook = await hookText();
  return newProgram((run) => program('status', run, site, { ONLY: 'tls' }, hook));
}

/** Installs the HTTP-only vhost instead of the full one, or beside one under an earlier name, which stays. */
export async function httpOnlyProgram(site: Site, settings: Settings, isBeside = false): Promise<Program> {
  const files = await renderHttpOnly(site, settings, isBeside);
  return newProgram((run) => siteProgram('http_only', run, site, files, isBeside ? ['keep_released'] : []));
}

/** Places `file` in the webroot; without one, removes the earlier one. */
export async function challengeProgram(site: Site, file?: ChallengeFile): Promise<Program> {
  const values = { CHALLENGE_NAME: file?.name ?? '', CHALLENGE_TEXT: file?.text ?? '' };
  return newProgram((run) => program(file ? 'challenge' : 'end_challenge', run, site, values));
}

/** Orders with certbot, installs the renewal hook, reloads nginx. */
export async function issueProgram(site: Site, order: Order, request: CertificateRequest): Promise<Program> {
  const { server, email } = request;
  const values = { ORDER: order, ACME_SERVER: server, ACME_EMAIL: email, DOMAIN: site.serverName };
  const hook = await hookText();
  return newProgram((run) => program('issue', run, site, values, hook));
}

/** Uses a certificate that certbot has under another name. */
export async function useProgram(site: Site, certificate: string): Promise<Program> {
  const hook = await hookText();
  return newProgram((run) => program('use_certificate', run, site, { CERTIFICATE: certificate }, hook));
}

/** The name in a self-signed certificate: that of the site, or of `host` if the site has none. */
export function selfSignedName({ serverName }: Site, host: string): string {
  return /^[a-z0-9][\w.:-]*$/i.test(serverName) ? serverName : host;
}

/** Creates a self-signed certificate on `host`, with its key. */
export async function selfSignedProgram(site: Site, host: string): Promise<Program> {
  const name = selfSignedName(site, host);
  const values = {
    COMMON_NAME: name.length <= 64 ? name : 'gatepost',
    ALTERNATIVE_NAMES: `${isIP(name) ? 'IP' : 'DNS'}:${name}`,
    DAYS: String(SELF_SIGNED_DAYS),
  };
  return newProgram((run) => program('self_signed', run, site, values));
}

/** Which bearer a deploy brings: the operator's, or one made for a proxy that has none yet. */

import { type Settings, secretOf } from '../config/settings.ts';
import type { Site } from '../model/site.ts';
import type { Secret } from '../util/secret.ts';

const TOKEN_BYTES = 32;

export interface Bearer {
  readonly token: Secret;
  /** `first-client`: taken only where there is neither history nor client. */
  readonly role: 'client' | 'first-client';
}

/** The bearer of the client `default`; undefined for a site without a gate. */
export async function bearerFor({ gate }: Site, settings: Settings): Promise<Bearer | undefined> {
  if (!gate) return undefined;
  const given = secretOf(settings, gate.token);
  return given ? { token: given, role: 'client' } : { token: await newToken(), role: 'first-client' };
}

/** 32 random bytes from openssl, as 64 hex digits. */
export async function newToken(): Promise<Secret> {
  const { randomHex } = await import('../util/openssl.ts');
  return randomHex(TOKEN_BYTES);
}

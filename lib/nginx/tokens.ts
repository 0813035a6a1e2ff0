/** Which bearer a deploy brings: the operator's, or one made with openssl for a proxy that has none yet. The only user of openssl-wrapper. */
import { createRequire } from 'node:module';
import { type Settings, secretOf } from '../config/settings.ts';
import type { Site } from '../model/site.ts';
import { StopError } from '../util/errors.ts';
import { Secret } from '../util/secret.ts';

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
export const newToken = (): Promise<Secret> => randomHex(TOKEN_BYTES);

type Options = Readonly<Record<string, string | boolean | readonly string[]>>;

type Callback = (error: Error | null, stdout: Buffer) => void;

type OnError = (event: 'error', listener: (error: Error) => void) => unknown;

/** What is used here of the process that it starts. */
interface Child {
  readonly on: OnError;
  readonly stdin: { readonly on: OnError } | null;
}

type Exec = (action: string, options: Options, callback: Callback) => Child;

/** The package has no types; its shape is read from its one file. Loaded at its first use: most runs make no token. */
const wrapper = () => createRequire(import.meta.url)('openssl-wrapper') as { readonly exec: Exec };

const ADVICE =
  'The suite makes tokens and certificates with openssl. Install it (apt install openssl) and try again.';

function cannotRun(cause: Error): StopError {
  return new StopError(`openssl cannot be run: ${cause.message}`, ADVICE, { cause });
}

function failed(action: string, cause: Error): StopError {
  return new StopError(`openssl ${action} failed: ${cause.message.trim()}`, ADVICE, { cause });
}

/**
 * Runs `openssl ACTION`; an option set to `true` is a flag, one set to `false` a bare last argument.
 * @throws StopError when openssl is missing, fails, or complains.
 */
function openssl(action: string, options: Options): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = wrapper().exec(action, options, (error, stdout) =>
      error ? reject(failed(action, error)) : resolve(stdout),
    );
    // The wrapper listens for neither: a missing binary would end the process.
    child.on('error', (error) => reject(cannotRun(error)));
    child.stdin?.on('error', () => undefined);
  });
}

/** `bytes` random bytes as lower-case hex digits, from `openssl rand`. */
export async function randomHex(bytes: number): Promise<Secret> {
  const digits = (await openssl('rand', { hex: true, [String(bytes)]: false })).toString('ascii').trim();
  const expected = new RegExp(`^[0-9a-f]{${2 * bytes}}$`);
  if (!expected.test(digits)) throw failed('rand', new Error('it printed something else than hex digits'));
  return new Secret(digits);
}

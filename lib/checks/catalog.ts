/** The checks that a site in sites/ can list, as plain data; the checks are created when they run. */
import type { Check, CheckSpec } from '../model/check.ts';

type Makers = typeof import('./makers.ts');

const named =
  <K extends keyof Makers>(maker: K) =>
  (...options: Parameters<Makers[K]>): CheckSpec => ({ maker, options });

export const bearerGate = named('bearerGate');
export const bypassAttempts = named('bypassAttempts');
export const certificate = named('certificate');
export const challengePath = named('challengePath');
export const closed = named('closed');
export const closedPorts = named('closedPorts');
export const cloudAccount = named('cloudAccount');
export const crossOrigin = named('crossOrigin');
export const httpRedirects = named('httpRedirects');
export const inferenceScope = named('inferenceScope');
export const otherNames = named('otherNames');
export const publicName = named('publicName');
export const reaches = named('reaches');
export const streams = named('streams');
export const webInterface = named('webInterface');
export const webSocket = named('webSocket');

/** A site's checks, in order. Their code is loaded here, since many runs check nothing. */
export async function makeChecks(specs: readonly CheckSpec[]): Promise<readonly Check[]> {
  const makers = await import('./makers.ts');
  return specs.flatMap(({ maker, options }) => {
    const make = makers[maker as keyof Makers] as (
      ...options: readonly unknown[]
    ) => Check | readonly Check[];
    return make(...options);
  });
}

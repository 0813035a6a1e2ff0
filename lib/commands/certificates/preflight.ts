/** The CA's request, made from here before the order: does every address of the name serve a file from the webroot? */
import { lookup } from 'node:dns/promises';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Duplex } from 'node:stream';
import { type Answer, sendRequest } from '../../checks/http/request.ts';
import type { CheckTarget } from '../../model/check.ts';
import type { Failure } from '../../model/host-report.ts';
import { isPublicAddress } from '../../util/public-address.ts';

/** The result: a reason not to order, or only warnings. */
export interface PreflightResult {
  readonly failure?: Failure;
  readonly warnings: readonly string[];
}

/** A file in the webroot. */
interface ChallengeText {
  readonly name: string;
  readonly text: string;
}

/** The addresses of a name, or why there are none. */
type NameLookup = { readonly addresses: readonly string[] } | { readonly failure: Failure };

const LIMIT_MS = 10_000;

/** Asks the system's resolver. */
export async function resolveName(name: string): Promise<NameLookup> {
  try {
    const found = await lookup(name, { all: true, verbatim: true });
    return { addresses: [...new Set(found.map(({ address }) => address))] };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return {
      failure: {
        code: code === 'ENOTFOUND' ? 'dns-missing' : 'dns',
        text: `${name} does not resolve here (${code})`,
      },
    };
  }
}

/**
 * Fetches http://NAME/.well-known/acme-challenge/FILE from every address of the name.
 * @param isLocalCa is the CA one of the operator's own, which may reach private addresses?
 */
export async function tryChallenge(
  name: string,
  addresses: readonly string[],
  file: ChallengeText,
  isLocalCa: boolean,
): Promise<PreflightResult> {
  const hidden = addresses.filter((address) => !isPublicAddress(address));
  const found = await Promise.all(addresses.map((address) => tryAddress(name, address, file)));
  const failure = found.find((one) => one.failure)?.failure;
  const warnings = found.flatMap((one) => one.warnings);
  if (hidden.length === 0) return { ...(failure && { failure }), warnings };
  const fault = `${name} resolves here to a private address, ${hidden.join(', ')}`;
  if (failure || !isLocalCa)
    return { failure: { code: 'dns-private', text: withCause(fault, failure) }, warnings };
  return { warnings: [...warnings, `${fault}: only an internal CA can reach it`] };
}

const withCause = (text: string, failure: Failure | undefined): string =>
  failure ? `${text}; ${failure.text}` : text;

async function tryAddress(name: string, address: string, file: ChallengeText): Promise<PreflightResult> {
  if (isIPv6(address) && !hasIpv6())
    return {
      warnings: [
        `${name} has the IPv6 address ${address}, which could not be tried: this machine has no IPv6. The CA tries it first`,
      ],
    };
  const failure = await fetchFile(name, { address }, file);
  return { ...(failure && { failure }), warnings: [] };
}

function hasIpv6(): boolean {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.some(
    ({ family, internal, address }) => family === 'IPv6' && !internal && !address.startsWith('fe80'),
  );
}

/** A redirect within the name is followed once, to https without a look at the certificate, as CAs do. */
type OpenFromJump = (host: string, port: number) => Promise<Duplex>;

/**
 * A second opinion from the jump host: an operator behind the router of the proxy may not reach its public address (no NAT
 * loopback). If the name itself does not resolve to it from here, that is only a hint: the jump host may be in the same
 * network, with the same DNS.
 * @returns what the CA will find, as far as both can tell
 */
export async function withJumpHost(
  here: PreflightResult,
  name: NameLookup & { readonly name: string },
  openFromJump: OpenFromJump | undefined,
  file: ChallengeText,
): Promise<PreflightResult> {
  const { failure } = here;
  if (!failure || !openFromJump || !MAY_DIFFER.some((code) => code === failure.code)) return here;
  const isNameWrong = failure.code !== 'challenge-unreachable';
  const hosts = isNameWrong || 'failure' in name ? [name.name] : name.addresses;
  const found = await Promise.all(
    hosts.map((host) => fetchFile(name.name, { open: (port) => openFromJump(host, port) }, file)),
  );
  const bad = found.find((each) => each);
  const text = `${failure.text}; ${bad ? bad.text : 'but the jump host can fetch the challenge file'}`;
  if (bad || isNameWrong) return { ...here, failure: { ...failure, text } };
  return { warnings: [...here.warnings, `${text}, so the CA is asked`] };
}

const MAY_DIFFER = ['dns', 'dns-missing', 'dns-private', 'challenge-unreachable'] as const;

async function fetchFile(
  name: string,
  via: { readonly address: string } | Pick<CheckTarget, 'open'>,
  file: ChallengeText,
): Promise<Failure | undefined> {
  const path = `/.well-known/acme-challenge/${file.name}`;
  const address = 'address' in via ? via.address : 'jump host';
  const target = { serverName: name, ...via, timeoutMs: LIMIT_MS, signal: AbortSignal.timeout(LIMIT_MS) };
  const at = 'address' in via ? `at ${via.address}` : 'from the jump host';
  const where = `http://${name}/.well-known/acme-challenge/ ${at}`;
  try {
    const first = await sendRequest(target, { scheme: 'http', path });
    const onward = redirectWithin(first, name);
    const last = onward ? await sendRequest(target, onward) : first;
    return last.status === 200 && last.body.trim() === file.text ? undefined : wrongAnswer(where, last);
  } catch (error) {
    const code = isIPv6(address) ? 'challenge-ipv6' : 'challenge-unreachable';
    return { code, text: `${where} does not answer: ${(error as Error).message}` };
  }
}

function redirectWithin({ status, headers }: Answer, name: string) {
  if (status < 300 || status > 399 || !headers.location) return undefined;
  if (!URL.canParse(headers.location, `http://${name}/`)) return undefined;
  const to = new URL(headers.location, `http://${name}/`);
  if (to.hostname !== name || to.port !== '') return undefined;
  return { scheme: to.protocol === 'https:' ? 'https' : 'http', path: to.pathname + to.search } as const;
}

function wrongAnswer(where: string, { status, headers, body }: Answer): Failure {
  const by = headers.server ? ` (server: ${headers.server})` : '';
  if (headers.location)
    return {
      code: 'challenge-redirect',
      text: `${where} answers ${status}${by} and redirects to ${headers.location}`,
    };
  const what = status === 200 ? `something else: ${JSON.stringify(body.trim().slice(0, 80))}` : `${status}`;
  return { code: 'challenge-other', text: `${where} answers ${what}${by}, not the file in the webroot` };
}

/** The CA's request, made from here before the order: does every address of the name serve a file from the webroot? */
import { lookup } from 'node:dns/promises';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Duplex } from 'node:stream';
import { type Answer, sendRequest } from '../../checks/http/request.ts';
import type { CheckTarget } from '../../model/check.ts';
import type { Failure } from '../../model/host-report.ts';
import type { ChallengeFile } from '../../program/certificate-programs.ts';
import { isPublicAddress } from '../../util/public-address.ts';

/** The result: a reason not to order, or only warnings. */
export interface PreflightResult {
  readonly failure?: Failure | undefined;
  readonly warnings: readonly string[];
}

type OpenFromJump = (host: string, port: number) => Promise<Duplex>;

const LIMIT_MS = 10_000;

/**
 * Fetches http://NAME/.well-known/acme-challenge/FILE from every address of the name, and what fails from the jump host, too.
 * @param isLocalCa is the CA one of the operator's own, which may reach private addresses?
 */
export async function tryName(
  name: string,
  file: ChallengeFile,
  isLocalCa: boolean,
  openFromJump?: OpenFromJump,
): Promise<PreflightResult> {
  const { addresses, failure } = await resolveName(name);
  const here = failure ? { failure, warnings: [] } : await tryAddresses(name, addresses, file, isLocalCa);
  if (!here.failure || !openFromJump || !MAY_DIFFER.some((code) => code === here.failure?.code)) return here;
  return withJumpHost(name, addresses, here, (at) =>
    fetchFile(name, { open: (port) => openFromJump(at, port) }, file),
  );
}

/** The addresses of a name by the system's resolver, or why there are none. */
async function resolveName(name: string): Promise<{ addresses: readonly string[]; failure?: Failure }> {
  try {
    const found = await lookup(name, { all: true, verbatim: true });
    return { addresses: [...new Set(found.map(({ address }) => address))] };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const text = `${name} does not resolve here (${code})`;
    return { addresses: [], failure: { code: code === 'ENOTFOUND' ? 'dns-missing' : 'dns', text } };
  }
}

async function tryAddresses(
  name: string,
  addresses: readonly string[],
  file: ChallengeFile,
  isLocalCa: boolean,
): Promise<PreflightResult> {
  const found = await Promise.all(addresses.map((address) => tryAddress(name, address, file)));
  const failure = found.find((one) => one.failure)?.failure;
  const warnings = found.flatMap((one) => one.warnings);
  const hidden = addresses.filter((address) => !isPublicAddress(address));
  if (hidden.length === 0) return { failure, warnings };
  const fault = `${name} resolves here to a private address, ${hidden.join(', ')}`;
  if (!failure && isLocalCa) return { warnings: [...warnings, `${fault}: only an internal CA can reach it`] };
  const text = failure ? `${fault}; ${failure.text}` : fault;
  return { failure: { code: 'dns-private', text }, warnings };
}

async function tryAddress(name: string, address: string, file: ChallengeFile): Promise<PreflightResult> {
  if (!isIPv6(address) || hasIpv6())
    return { failure: await fetchFile(name, { address }, file), warnings: [] };
  const text = `${name} has the IPv6 address ${address}, which could not be tried: this machine has no IPv6. The CA tries it first`;
  return { warnings: [text] };
}

function hasIpv6(): boolean {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.some(
    ({ family, internal, address }) => family === 'IPv6' && !internal && !address.startsWith('fe80'),
  );
}

/**
 * A second opinion from the jump host: an operator behind the router of the proxy may not reach its public address (no NAT
 * loopback). If the name itself does not resolve to it from here, that is only a hint: the jump host may be in the same
 * network, with the same DNS.
 * @returns what the CA will find, as far as both can tell
 */
async function withJumpHost(
  name: string,
  addresses: readonly string[],
  { failure, warnings }: PreflightResult,
  fetchFromJump: (host: string) => Promise<Failure | undefined>,
): Promise<PreflightResult> {
  if (!failure) return { warnings };
  const isNameWrong = failure.code !== 'challenge-unreachable';
  const found = await Promise.all((isNameWrong ? [name] : addresses).map(fetchFromJump));
  const bad = found.find((each) => each);
  const text = `${failure.text}; ${bad ? bad.text : 'but the jump host can fetch the challenge file'}`;
  if (bad || isNameWrong) return { failure: { ...failure, text }, warnings };
  return { warnings: [...warnings, `${text}, so the CA is asked`] };
}

const MAY_DIFFER = ['dns', 'dns-missing', 'dns-private', 'challenge-unreachable'] as const;

async function fetchFile(
  name: string,
  via: { readonly address: string } | Pick<CheckTarget, 'open'>,
  file: ChallengeFile,
): Promise<Failure | undefined> {
  const path = `/.well-known/acme-challenge/${file.name}`;
  const target = { serverName: name, ...via, timeoutMs: LIMIT_MS, signal: AbortSignal.timeout(LIMIT_MS) };
  const at = 'address' in via ? `at ${via.address}` : 'from the jump host';
  const where = `http://${name}/.well-known/acme-challenge/ ${at}`;
  try {
    const first = await sendRequest(target, { scheme: 'http', path });
    const onward = redirectWithin(first, name);
    const last = onward ? await sendRequest(target, onward) : first;
    return last.status === 200 && last.body.trim() === file.text ? undefined : wrongAnswer(where, last);
  } catch (error) {
    const code = 'address' in via && isIPv6(via.address) ? 'challenge-ipv6' : 'challenge-unreachable';
    return { code, text: `${where} does not answer: ${(error as Error).message}` };
  }
}

/** A redirect within the name is followed once, to https without verifying the certificate, as CAs do. */
function redirectWithin({ status, headers }: Answer, name: string) {
  if (status < 300 || status > 399 || !headers.location) return undefined;
  if (!URL.canParse(headers.location, `http://${name}/`)) return undefined;
  const to = new URL(headers.location, `http://${name}/`);
  if (to.hostname !== name || to.port !== '') return undefined;
  return { scheme: to.protocol === 'https:' ? 'https' : 'http', path: to.pathname + to.search } as const;
}

function wrongAnswer(where: string, { status, headers, body }: Answer): Failure {
  const by = headers.server ? ` (server: ${headers.server})` : '';
  const redirects = `${where} answers ${status}${by} and redirects to ${headers.location}`;
  if (headers.location) return { code: 'challenge-redirect', text: redirects };
  const what = status === 200 ? `something else: ${JSON.stringify(body.trim().slice(0, 80))}` : `${status}`;
  return { code: 'challenge-other', text: `${where} answers ${what}${by}, not the file in the webroot` };
}

/** The name resolves to public addresses, according to the system's resolver. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { advised } from '../../diagnosis/row.ts';
import { SYMPTOMS } from '../../diagnosis/symptoms.ts';
import { type Check, type CheckTarget, type Finding, passed, skipped, warned } from '../../model/check.ts';
import { isCloudflare, isPublicAddress } from '../../util/public-address.ts';
import { curl } from '../http/curl.ts';
import { codeOf } from '../http/failures.ts';

/** The name's addresses, or why they were not resolved. */
type Resolved = { readonly addresses: readonly string[] } | { readonly skipReason: string };

/** Warns if one of the name's addresses is not public. */
export function publicName(): Check {
  return {
    name: 'public DNS',
    run: async (target) => judgeAddresses(await resolved(target), target.serverName),
    curl: (target) => curl(target, { path: '/' }, '-o /dev/null', "-w '%{remote_ip}\\n'"),
  };
}

/** The name's addresses, if the target is reached by name and the name resolves. */
export async function resolved({ serverName, address, port, open }: CheckTarget): Promise<Resolved> {
  if (open !== undefined) return { skipReason: 'Not checked with --via-ssh.' };
  if (address !== undefined || port !== undefined) return { skipReason: 'Not checked with --connect-to.' };
  if (isIP(serverName) !== 0) return { addresses: [serverName] };
  try {
    const found = await lookup(serverName, { all: true });
    return { addresses: [...new Set(found.map((each) => each.address))] };
  } catch (error) {
    return { skipReason: `${serverName} does not resolve here (${codeOf(error)}).` };
  }
}

/** Judges the name's addresses. */
export function judgeAddresses(where: Resolved, name: string): Finding {
  if ('skipReason' in where) return skipped(where.skipReason);
  const internal = where.addresses.filter((address) => !isPublicAddress(address));
  if (internal.length === 0 && where.addresses.some(isCloudflare))
    return warned(
      `${name} resolves to ${where.addresses.join(', ')}, addresses of Cloudflare. ${advised(SYMPTOMS.cloudflareName)}`,
    );
  if (internal.length === 0) return passed(`${name} resolves to ${where.addresses.join(', ')} (public).`);
  return warned(
    `${name} resolves to ${internal.join(', ')}: Cursor will report \`${SYMPTOMS.ssrfBlocked.error}\`. ${advised(SYMPTOMS.ssrfBlocked, { NAME: name })}`,
  );
}

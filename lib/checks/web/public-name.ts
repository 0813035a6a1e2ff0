/** The name leads to the public internet, as the system's resolver has it. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { advised } from '../../diagnosis/row.ts';
import { SYMPTOMS } from '../../diagnosis/symptoms.ts';
import { type Check, type CheckTarget, type Finding, passed, skipped, warned } from '../../model/check.ts';
import { isPublicAddress } from '../../util/public-address.ts';
import { curl } from '../http/curl.ts';
import { codeOf } from '../http/failures.ts';

/** Where the name leads, or why that cannot be asked. */
export type Resolved = { readonly addresses: readonly string[] } | { readonly untried: string };

/** Every address of the name is public; otherwise a warning. */
export function publicName(): Check {
  return {
    name: 'public DNS',
    run: async (target) => judgeAddresses(await resolved(target), target.serverName),
    curl: (target) => curl(target, { path: '/' }, '-o /dev/null', "-w '%{remote_ip}\\n'"),
  };
}

/** The addresses of the name, where the target is reached by it and the resolver knows it. */
export async function resolved({ serverName, address, port, open }: CheckTarget): Promise<Resolved> {
  if (open !== undefined) return { untried: 'Not tried through the tunnel of --via-ssh.' };
  if (address !== undefined || port !== undefined) return { untried: 'Not tried with --connect-to.' };
  if (isIP(serverName) !== 0) return { addresses: [serverName] };
  try {
    const found = await lookup(serverName, { all: true });
    return { addresses: [...new Set(found.map((each) => each.address))] };
  } catch (error) {
    return { untried: `${serverName} does not resolve here (${codeOf(error)}).` };
  }
}

/** Judges where the name leads. */
export function judgeAddresses(where: Resolved, name: string): Finding {
  if ('untried' in where) return skipped(where.untried);
  const inside = where.addresses.filter((address) => !isPublicAddress(address));
  if (inside.length === 0) return passed(`${name} leads to ${where.addresses.join(', ')}: public.`);
  return warned(
    `${name} leads to ${inside.join(', ')}: Cursor will say \`${SYMPTOMS.ssrfBlocked.error}\`. ${advised(SYMPTOMS.ssrfBlocked, { NAME: name })}`,
  );
}

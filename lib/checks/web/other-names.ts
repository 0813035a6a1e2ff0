/** The site's vhost does not answer for unknown names or the bare address. */
import { type Check, type CheckTarget, type Finding, passed, skipped, warned } from '../../model/check.ts';
import { sendRaw } from '../http/raw-request.ts';
import type { Answer } from '../http/request.ts';

/** A name that no vhost has (RFC 2606), and an address that no host has (RFC 5737): both are foreign to any vhost. */
const FOREIGN = ['gatepost-check.invalid', '192.0.2.1'] as const;
const MISDIRECTED = 421;

/** Warns if another name, or the bare address, gets the same response as the site's own name. */
export function otherNames(): Check {
  return {
    name: 'other names',
    run: check,
    curl: ({ serverName }) =>
      `curl -sSk -o /dev/null -w '%{http_code}\\n' --connect-to ::${serverName}: 'https://${FOREIGN[0]}/'`,
  };
}

async function check(target: CheckTarget): Promise<Finding> {
  if (target.isNameless) return skipped('The site has no name: it is reached by address.');
  const [own, ...foreign] = await Promise.all([
    ask(target, target.serverName),
    ...FOREIGN.map((name) => ask(target, name)),
  ]);
  return judgeForeign(own, foreign);
}

/** The response to `GET /`; undefined if the handshake was rejected or the connection closed. */
async function ask(target: CheckTarget, name: string): Promise<Answer | undefined> {
  const text = `GET / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`;
  const { address = target.serverName } = target;
  try {
    return await sendRaw({ ...target, address, serverName: name }, { name: 'other names', text });
  } catch (error) {
    if (name === target.serverName) throw error;
    return undefined;
  }
}

/** Compares the responses for foreign names with the one for the site's own. */
function judgeForeign(own: Answer | undefined, foreign: readonly (Answer | undefined)[]): Finding {
  const served = FOREIGN.filter((_, i) => own && isSame(own, foreign[i]));
  if (served.length > 0)
    return warned(
      `${served.map((name) => (name === FOREIGN[0] ? 'An unknown name' : 'The bare address')).join(' and ')} gets the same answer as the site: no other vhost is the default server. Deploy the site again; \`npx tsx scripts/status.ts\` shows the catch-all vhost to add.`,
    );
  const isRefused = foreign.some((answer) => answer?.status === MISDIRECTED);
  return passed(
    `Unknown names and the bare address are not served${isRefused ? ' (421 Misdirected Request)' : ''}.`,
  );
}

const isSame = (own: Answer, other: Answer | undefined): boolean =>
  other !== undefined &&
  other.status !== 0 &&
  other.status !== MISDIRECTED &&
  other.status === own.status &&
  other.headers.location === own.headers.location &&
  other.body === own.body;

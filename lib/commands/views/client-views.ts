/** The clients of the gate for people: a table, and the settings for client programs. */

import { FAILURE_CODES } from '../../diagnosis/failure-codes.ts';
import { judgeClientName } from '../../model/bearer.ts';
import type { Fault, HostReport } from '../../model/host-report.ts';
import type { Site } from '../../model/site.ts';
import type { Entry } from '../../output/report.ts';
import { atMinute, type Columns, tableOf } from '../../output/table.ts';
import { clientsIn, type ListedClient } from '../../remote/client-rows.ts';

/** The fault of a gate that rejects every request (`clients none` and `unseen` in lib/program/sh/gate.sh). */
export function clientFaults({ facts }: HostReport, { gate }: Pick<Site, 'gate'>): readonly Fault[] {
  if (gate && facts.unseen) return [{ about: 'clients', text: unseenText(facts.unseen) }];
  if (!gate || facts.clients !== 'none') return [];
  const what = `no live client in ${gate.clients}: the gate rejects every request with 401`;
  const fix = `Add a client (\`npx tsx scripts/bearers.ts add NAME\`), or set ${gate.token} and deploy.`;
  return [{ about: 'clients', text: `${what}. ${fix}` }];
}

const unseenText = (file: string): string =>
  `nginx's workers cannot see ${file}, so the gate rejects every request with 401. ${FAILURE_CODES.live.fix}`;

/** An expiry needs attention this many days before, and after. */
const DAYS_BEFORE = 3;
const DAYS_AFTER = 7;
const DAY_MS = 86_400_000;

/** Tokens that expire soon or have expired; the previous one of a rotation expires on purpose. */
export function endingFaults(host: HostReport, now: string): readonly Fault[] {
  return clientsIn(host).flatMap((client) => {
    const text = endingText(client, Date.parse(now));
    return text ? [{ about: `the client ${client.name}`, text }] : [];
  });
}

function endingText({ name, state, expires }: ListedClient, now: number): string | undefined {
  if (state === 'ended')
    return `client ${name}: its token is not live, and refused; \`npx tsx scripts/bearers.ts resume ${name}\` makes it live, \`revoke ${name}\` removes it`;
  if (state === 'unreadable')
    return `client ${name}: its file has no token line of this client; restore it from a backup, or remove it (${removalText(name)})`;
  if (state === 'suspended' || expires === undefined) return undefined;
  const days = (Date.parse(expires) - now) / DAY_MS;
  const fix = `\`npx tsx scripts/bearers.ts set ${name} --expires WHEN\``;
  if (state === 'expired')
    return days > -DAYS_AFTER
      ? `client ${name}: its token expired on ${atMinute(expires)}; ${fix}`
      : undefined;
  return days <= DAYS_BEFORE
    ? `client ${name}: its token expires on ${atMinute(expires)}; ${fix}`
    : undefined;
}

/** A file by hand may have a name that no client can have. */
const removalText = (name: string): string =>
  judgeClientName(name) === undefined
    ? `\`npx tsx scripts/bearers.ts revoke ${name}\``
    : `on the proxy: ${name}.map is the name of no client`;

/** The clients with a token that begins like another one: each makes every unknown request a little slower. */
export const exactClients = (clients: readonly ListedClient[]): readonly string[] =>
  clients.flatMap(({ name, isExact }) => (isExact ? [name] : []));

const COLUMNS: Columns<ListedClient> = {
  client: ({ name }) => name,
  scope: ({ scope }) => scope,
  state: ({ state }) => state,
  limit: limitText,
  expires: ({ expires }) => (expires ? atMinute(expires) : '-'),
  'last used': ({ lastUsed }) => (lastUsed ? atMinute(lastUsed) : '-'),
  rotated: ({ rotated }) => atMinute(rotated),
  created: ({ created }) => atMinute(created),
  fingerprint: printText,
};

/** The first columns to be dropped are those that say nothing. */
const USUAL = { limit: '-', expires: '-', state: 'live' } as const;

/** The table of clients. */
export function clientEntry(host: HostReport): Entry {
  const clients = clientsIn(host);
  if (clients.length === 0) return { kind: 'text', text: `${host.host}: no clients; ${whyNone(host)}` };
  const empty = Object.entries(USUAL).flatMap(([head, usual]) =>
    clients.every((client) => COLUMNS[head]?.(client) === usual) ? [head] : [],
  );
  return { kind: 'table', table: tableOf(COLUMNS, clients, [...empty, 'created']) };
}

const whyNone = ({ facts }: HostReport): string =>
  facts.clients === 'none' ? 'the gate rejects every request' : 'the site is not deployed there';

/** Its limits in a few words; `-` for none. */
export function limitText({ limit, concurrent }: ListedClient): string {
  const texts = [limit && `${limit}/min`, concurrent && `${concurrent} at once`].filter(Boolean);
  return texts.join(', ') || '-';
}

function printText({ fingerprints, previousExpires }: ListedClient): string {
  return fingerprints.join(', ') + (previousExpires ? ` (until ${atMinute(previousExpires)})` : '');
}

/** Settings for the programs that the site names, with `<token>` where the token goes. */
export function clientText({ serverName, gate }: Site): string {
  if (!gate) return '';
  const base = `https://${serverName}${gate.path}`;
  const settings = gate.settings.map(({ program, text }) => {
    const lines = text.replaceAll('<base>', base).replace(/^(?=.)/gm, '  ');
    return `\n${program}\n${lines}\n`;
  });
  return `For the client, with the token in the place of <token>:\n${settings.join('')}`;
}

/** The clients of the gate as people read them: a table, and what a client types into its tools. */

import type { Fault, HostReport } from '../../model/host-report.ts';
import type { Site } from '../../model/site.ts';
import type { Entry } from '../../output/report.ts';
import { atMinute } from '../../output/table.ts';
import { clientsIn, type ListedClient } from '../../remote/client-rows.ts';

/** What is wrong where a gate has no live client (`clients none` in lib/program/sh/gate.sh); nothing elsewhere. */
export function clientFaults({ facts }: HostReport, { gate }: Pick<Site, 'gate'>): readonly Fault[] {
  if (!gate || facts.clients !== 'none') return [];
  const what = `no client in ${gate.clients}: the gate rejects every request with 401`;
  const fix = `Add a client (\`npx tsx scripts/bearers.ts add NAME\`), or set ${gate.token} and deploy.`;
  return [{ about: 'clients', text: `${what}. ${fix}` }];
}

/** The clients as people read them. */
export function clientEntry(host: HostReport): Entry {
  const clients = clientsIn(host);
  if (clients.length === 0)
    return { kind: 'text', text: `${host.host}: no clients; the gate rejects every request` };
  const heads = ['client', 'scope', 'limit', 'last used', 'rotated', 'created', 'fingerprint'];
  const isLimited = clients.some(({ limit }) => limit);
  return {
    kind: 'table',
    table: { heads, rows: clients.map(row), spare: [...(isLimited ? [] : ['limit']), 'created'] },
  };
}

const row = ({
  name,
  scope,
  limit,
  lastUsed,
  rotated,
  created,
  fingerprints,
}: ListedClient): readonly string[] => [
  name,
  scope,
  limit ? `${limit}/min` : '-',
  lastUsed ? atMinute(lastUsed) : '-',
  atMinute(rotated),
  atMinute(created),
  fingerprints.join(', '),
];

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

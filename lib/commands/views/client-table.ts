/** The rows that a proxy tells of its clients -> clients, and a table of them. */
import type { Fault, HostReport } from '../../model/host-report.ts';
import type { Site } from '../../model/site.ts';
import type { Entry } from '../../output/report.ts';
import { atMinute } from '../../output/table.ts';

/** A client as `bearers.ts list` shows it: never a token. Times as `2026-11-22T17:40:35Z`. */
export interface ListedClient {
  readonly name: string;
  readonly scope: string;
  /** Requests a minute; without it there is no limit. */
  readonly limit?: number;
  readonly created: string;
  readonly rotated: string;
  /** SHA-256, first 12 digits; two while the previous token is kept. */
  readonly fingerprints: readonly string[];
  /** From the last lines of the access log. */
  readonly lastUsed?: string;
}

/** The clients on one host, in the order of their names. */
export function clientsIn({ rows }: HostReport): readonly ListedClient[] {
  return (rows.client ?? []).map(
    ([name = '', scope = '', limit = '', created = '', rotated = '', used = '', ...prints]) => {
      const lastUsed = logTime(used);
      return {
        name,
        scope,
        ...(limit && { limit: Number(limit) }),
        created,
        rotated,
        fingerprints: prints.filter((print) => print !== ''),
        ...(lastUsed && { lastUsed }),
      };
    },
  );
}

/** What is wrong where a gate has no live client (`clients none` in lib/program/sh/gate.sh); nothing elsewhere. */
export function clientFaults({ facts }: HostReport, { gate }: Pick<Site, 'gate'>): readonly Fault[] {
  if (!gate || facts.clients !== 'none') return [];
  const what = `no client in ${gate.clients}: the gate fails closed and refuses every request with 401`;
  const fix = `Add a client (\`npx tsx scripts/bearers.ts add NAME\`), or set ${gate.token} and deploy.`;
  return [{ about: 'clients', text: `${what}. ${fix}` }];
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** nginx's $time_local, `22/Nov/2026:17:40:35 +0000`, in UTC; undefined when it is not one. */
export function logTime(text: string): string | undefined {
  const [, day, month = '', year, time, zone = ''] =
    /^(\d\d)\/(\w{3})\/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d{4})$/.exec(text) ?? [];
  const number = String(MONTHS.indexOf(month) + 1).padStart(2, '0');
  const date = new Date(`${year}-${number}-${day}T${time}${zone.slice(0, 3)}:${zone.slice(3)}`);
  return Number.isNaN(date.getTime()) ? undefined : `${date.toISOString().slice(0, 19)}Z`;
}

/** The clients as people read them. */
export function clientEntry(host: HostReport): Entry {
  const clients = clientsIn(host);
  if (clients.length === 0)
    return { kind: 'text', text: `${host.host}: no clients; the gate refuses every request` };
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

/** Where the clients of several proxies behind one name differ: a client then depends on which of them answers. */
import { type HostReport, withVerdict } from '../../model/host-report.ts';
import type { ListedClient } from '../../remote/client-rows.ts';
import { groupIdentical } from '../../util/collections.ts';
import { limitText } from './client-views.ts';
import { needs } from './summary.ts';

/** A client, and what it is on each proxy. */
export interface ClientDifference {
  readonly client: string;
  /** By proxy: `missing`, or its state, scope, limits, end and fingerprints. */
  readonly on: Readonly<Record<string, string>>;
}

/** The clients on one proxy. */
export interface ClientsOn {
  readonly host: string;
  readonly clients: readonly ListedClient[];
}

/** The clients that are not the same on all of these proxies. */
export function clientDifferences(proxies: readonly ClientsOn[]): readonly ClientDifference[] {
  const texts = proxies.map(
    ({ host, clients }) => [host, new Map(clients.map((client) => [client.name, textOf(client)]))] as const,
  );
  const names = new Set(texts.flatMap(([, clients]) => [...clients.keys()]));
  return [...names].sort().flatMap((client) => {
    const on = texts.map(([host, clients]) => [host, clients.get(client) ?? 'missing'] as const);
    return new Set(on.map(([, text]) => text)).size > 1 ? [{ client, on: Object.fromEntries(on) }] : [];
  });
}

const textOf = (client: ListedClient): string =>
  [
    client.state,
    client.scope,
    ...(client.limit || client.concurrent ? [limitText(client)] : []),
    ...(client.expires ? [`expires ${client.expires}`] : []),
    client.fingerprints.join(' and '),
  ].join(', ');

/** The report of a proxy, if it differs from most others with what needs attention. */
export function withDifferences(report: HostReport, differences: readonly ClientDifference[]): HostReport {
  const odd = differences.filter((difference) => isOdd(difference, report.host));
  if (odd.length === 0) return report;
  const faults = odd.map((difference) => ({ about: 'clients', text: differenceText(difference) }));
  const attention = [...(report.attention ?? []), ...faults];
  const meaning = needs(attention);
  return withVerdict(report, { attention, ...(meaning && { meaning }) });
}

/** Is it not with most of the others? Where nobody can tell which ones are right, all are odd. */
function isOdd({ on }: ClientDifference, host: string): boolean {
  const sizeOf = (text: string | undefined) => Object.values(on).filter((other) => other === text).length;
  const most = Math.max(...Object.values(on).map(sizeOf));
  const isTied = new Set(Object.values(on).filter((text) => sizeOf(text) === most)).size > 1;
  return on[host] !== undefined && (isTied || sizeOf(on[host]) < most);
}

/** `client editor differs: live, inference, 1f2e… on A and C; missing on B` with what makes them the same. */
export function differenceText({ client, on }: ClientDifference): string {
  const groups = groupIdentical(Object.entries(on));
  const where = groups.map(({ what, hosts }) => `${what} on ${hosts.join(', ')}`).join('; ');
  const has = groups.find(({ what }) => what !== 'missing')?.hosts[0] ?? '';
  const lacks = groups.find(({ what }) => what === 'missing')?.hosts[0];
  const fix = lacks
    ? `\`npx tsx scripts/bearers.ts copy ${client} --from ${has} --to ${lacks}\` gives it the same token`
    : `\`npx tsx scripts/rotate-bearer.ts --client ${client}\` or \`npx tsx scripts/bearers.ts set ${client}\` for all proxies makes it the same`;
  return `client ${client} differs: ${where}; ${fix}`;
}

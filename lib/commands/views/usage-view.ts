/** The usage of the gate's clients as people read it. */
import type { Entry } from '../../output/report.ts';
import { atMinute } from '../../output/table.ts';
import type { ClientUsage, LoggedRequest, Quantiles, Usage } from '../../remote/usage-rows.ts';
import { plural } from '../../util/plural.ts';

const NOBODY = '(unknown token)';

const HEADS = [
  'client',
  'requests',
  'refused',
  'errors',
  'aborted',
  'sent',
  'backend',
  'first byte p50/p95',
  'total p50/p95',
  'last used',
  'first used',
];

/** A table of the clients, those without a request, the addresses that were refused most, and what the log covers. */
export function usageEntries({ log, clients, unused, refusedFrom }: Usage): readonly Entry[] {
  const unread = log.unreadFiles > 0 ? `; ${plural(log.unreadFiles, 'file')} could not be read` : '';
  if (!log.from || !log.to)
    return [{ kind: 'text', text: `The access log has no request to the gate in this time${unread}.` }];
  return [
    {
      kind: 'table',
      table: { heads: HEADS, rows: clients.map(row), spare: ['first used', 'backend', 'aborted', 'errors'] },
    },
    ...(unused.length > 0
      ? [{ kind: 'text', text: `Without a request: ${unused.join(', ')}` } as const]
      : []),
    ...refusedFrom.map(
      ({ address, requests, last }) =>
        ({
          kind: 'text',
          text: `Refused: ${address}, ${plural(requests, 'request')}, last ${atMinute(last)}`,
        }) as const,
    ),
    {
      kind: 'text',
      text: `From the access log, ${atMinute(log.from)} to ${atMinute(log.to)}: ${plural(log.requests, 'request')}${unread}. Tokens of a model are in the bodies, which nginx does not read.`,
    },
  ];
}

const row = (usage: ClientUsage): readonly string[] => [
  usage.client ?? NOBODY,
  String(usage.requests),
  String(usage.refused),
  String(usage.errors),
  String(usage.aborted),
  size(usage.bytes),
  duration(usage.backendSeconds),
  both(usage.firstByte),
  both(usage.total),
  atMinute(usage.lastUsed),
  atMinute(usage.firstUsed),
];

const both = (quantiles?: Quantiles): string =>
  quantiles ? `${duration(quantiles.p50)} / ${duration(quantiles.p95)}` : '-';

/** Three digits at most, as people compare them. */
function duration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 100) return `${seconds.toPrecision(2)} s`;
  return seconds < 10_000 ? `${Math.round(seconds)} s` : `${(seconds / 3600).toFixed(1)} h`;
}

function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes < 1000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  const value = bytes / 1000 ** power;
  return `${power === 0 ? value : value.toPrecision(3)} ${units[power]}`;
}

/** The request with an id, a line for each of its facts. */
export function requestEntries(id: string, requests: readonly LoggedRequest[]): readonly Entry[] {
  if (requests.length === 0)
    return [{ kind: 'text', text: `The access log has no request ${id}. It may be older than the log.` }];
  const heads = [
    'time',
    'client',
    'address',
    'request',
    'status',
    'sent',
    'total',
    'first byte',
    'backend',
    'user agent',
  ];
  const rows = requests.map((request) => [
    request.at,
    request.client ?? NOBODY,
    request.address,
    request.request,
    String(request.status),
    size(request.bytes),
    duration(request.seconds),
    request.firstByteSeconds === undefined ? '-' : duration(request.firstByteSeconds),
    request.backend,
    request.userAgent,
  ]);
  return [{ kind: 'table', table: { heads, rows } }];
}

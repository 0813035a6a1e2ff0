/** The usage of the gate's clients as people read it. */
import type { Entry } from '../../output/report.ts';
import { atMinute, type Columns, tableOf } from '../../output/table.ts';
import type { ClientUsage, LoggedRequest, Quantiles, Usage } from '../../remote/usage-rows.ts';
import { plural } from '../../util/plural.ts';

const UNKNOWN_TOKEN = '(unknown token)';

const COLUMNS: Columns<ClientUsage> = {
  client: ({ client = UNKNOWN_TOKEN }) => client,
  requests: ({ requests }) => String(requests),
  refused: ({ refused }) => String(refused),
  errors: ({ errors }) => String(errors),
  aborted: ({ aborted }) => String(aborted),
  sent: ({ bytes }) => size(bytes),
  backend: ({ backendSeconds }) => duration(backendSeconds),
  'first byte p50/p95': ({ firstByte }) => both(firstByte),
  'total p50/p95': ({ total }) => both(total),
  'last used': ({ lastUsed }) => atMinute(lastUsed),
  'first used': ({ firstUsed }) => atMinute(firstUsed),
};

/** A table of the clients, those without a request, the addresses that were refused most, and what the log covers. */
export function usageEntries({ log, clients, unused, refusedFrom }: Usage): readonly Entry[] {
  const unread = log.unreadFiles > 0 ? `; ${plural(log.unreadFiles, 'file')} could not be read` : '';
  const idle = unused.length > 0 ? [`Without a request: ${unused.join(', ')}`] : [];
  if (!log.from || !log.to)
    return texts([...idle, `The access log has no request to the gate in this time${unread}.`]);
  const lines = [
    ...idle,
    ...refusedFrom.map(
      ({ address, requests, last }) =>
        `Refused: ${address}, ${plural(requests, 'request')}, last ${atMinute(last)}`,
    ),
    `From the access log, ${atMinute(log.from)} to ${atMinute(log.to)}: ${plural(log.requests, 'request')}${unread}. Tokens of a model are in the bodies, which nginx does not read.`,
  ];
  const table = tableOf(COLUMNS, clients, ['first used', 'backend', 'aborted', 'errors']);
  return [{ kind: 'table', table }, ...texts(lines)];
}

const texts = (lines: readonly string[]): readonly Entry[] => lines.map((text) => ({ kind: 'text', text }));

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

const REQUEST_COLUMNS: Columns<LoggedRequest> = {
  time: ({ at }) => at,
  client: ({ client = UNKNOWN_TOKEN }) => client,
  address: ({ address }) => address,
  request: ({ request }) => request,
  status: ({ status }) => String(status),
  sent: ({ bytes }) => size(bytes),
  total: ({ seconds }) => duration(seconds),
  'first byte': ({ firstByteSeconds: first }) => (first === undefined ? '-' : duration(first)),
  backend: ({ backend }) => backend,
  'user agent': ({ userAgent }) => userAgent,
};

/** The requests with an id: one, unless the log was copied. */
export const requestEntry = (id: string, requests: readonly LoggedRequest[]): Entry =>
  requests.length > 0
    ? { kind: 'table', table: tableOf(REQUEST_COLUMNS, requests) }
    : { kind: 'text', text: `The access log has no request ${id}. It may be older than the log.` };

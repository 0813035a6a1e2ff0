/** The rows of the verb `usage` -> usage, as data. Times as `2026-11-22T17:40:35Z`, durations in seconds. */
import type { HostReport } from '../model/host-report.ts';
import { epochTime } from '../model/when.ts';

/** The median and the 95th percentile, in seconds. */
export interface Quantiles {
  readonly p50: number;
  readonly p95: number;
}

const NONE = '-';

function quantilesOf(p50 = NONE, p95 = NONE): Quantiles | undefined {
  const seconds = (milliseconds: string) => Math.round(Number(milliseconds)) / 1000;
  return p50 === NONE ? undefined : { p50: seconds(p50), p95: seconds(p95) };
}

/** Requests with an unknown token, or none, have no client. */
function clientUsageOf([client = '', ...fields]: readonly string[]) {
  const [requests = 0, refused = 0, errors = 0, aborted = 0, bytes = 0, backendSeconds = 0] =
    fields.map(Number);
  const [byte50, byte95, total50, total95, first, last] = fields.slice(6);
  const [firstByte, total] = [quantilesOf(byte50, byte95), quantilesOf(total50, total95)];
  return {
    ...(client !== NONE && { client }),
    requests,
    refused,
    errors,
    aborted,
    bytes,
    backendSeconds,
    ...(firstByte && { firstByte }),
    ...(total && { total }),
    firstUsed: epochTime(first),
    lastUsed: epochTime(last),
  };
}

export type ClientUsage = ReturnType<typeof clientUsageOf>;

const busiestFirst = (a: ClientUsage, b: ClientUsage): number =>
  b.requests - a.requests || (a.client ?? NONE).localeCompare(b.client ?? NONE);

/** The usage of a gate's clients on one host, the busiest first, and those without a request. */
export function usageOf({ rows }: HostReport) {
  const [from, to, requests, unread] = rows.log_span?.[0] ?? [];
  const clients = (rows.usage ?? []).map(clientUsageOf).sort(busiestFirst);
  const used = new Set(clients.map(({ client }) => client));
  return {
    log: {
      ...(Number(requests) > 0 && { from: epochTime(from), to: epochTime(to) }),
      requests: Number(requests ?? 0),
      unreadFiles: Number(unread ?? 0),
    },
    clients,
    unused: (rows.gate_client ?? []).map(([name = '']) => name).filter((name) => !used.has(name)),
    refusedFrom: (rows.refused_from ?? []).map(([address = '', count, last]) => ({
      address,
      requests: Number(count),
      last: epochTime(last),
    })),
  };
}

export type Usage = ReturnType<typeof usageOf>;

/** The requests with the given id: one, unless the log was copied. */
export const requestsIn = ({ rows }: HostReport) =>
  (rows.log_line ?? []).map(([at, address = '', client = '', request = '', ...rest]) => {
    const [status, bytes, seconds, first = '', backend = '', userAgent = ''] = rest;
    const firstByte = Number(first.split(/[,: ]+/).at(-1));
    return {
      at: epochTime(at),
      address,
      ...(client !== NONE && { client }),
      request,
      status: Number(status),
      bytes: Number(bytes),
      seconds: Number(seconds),
      ...(Number.isFinite(firstByte) && first !== '' && { firstByteSeconds: firstByte }),
      backend,
      userAgent,
    };
  });

export type LoggedRequest = ReturnType<typeof requestsIn>[number];

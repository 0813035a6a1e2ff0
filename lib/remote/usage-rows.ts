/** The rows of the verb `usage` -> usage, as data. */
import type { HostReport } from '../model/host-report.ts';
import { epochTime } from '../model/when.ts';

/** The median and the 95th percentile, in seconds. */
export interface Quantiles {
  readonly p50: number;
  readonly p95: number;
}

/** The usage of one client by the log. Times as `2026-11-22T17:40:35Z`, durations in seconds. */
export interface ClientUsage {
  /** Undefined for requests with an unknown token or none. */
  readonly client?: string;
  readonly requests: number;
  /** By the gate, with 401, 403 or 429. */
  readonly refused: number;
  /** 5xx. */
  readonly errors: number;
  /** The client closed the connection before the answer was complete. */
  readonly aborted: number;
  readonly bytes: number;
  readonly backendSeconds: number;
  /** Until the first byte of the backend's answer; undefined where the log does not have it. */
  readonly firstByte?: Quantiles;
  /** Until the end of the answer. */
  readonly total?: Quantiles;
  readonly firstUsed: string;
  readonly lastUsed: string;
}

export interface Usage {
  /** What the log covers; without `from`, it has no request to the gate. */
  readonly log: {
    readonly from?: string;
    readonly to?: string;
    readonly requests: number;
    readonly unreadFiles: number;
  };
  /** The busiest first. */
  readonly clients: readonly ClientUsage[];
  /** Clients of the gate without a request in this time. */
  readonly unused: readonly string[];
  /** The addresses whose requests were refused most often. */
  readonly refusedFrom: readonly {
    readonly address: string;
    readonly requests: number;
    readonly last: string;
  }[];
}

/** One request, by its id. */
export interface LoggedRequest {
  readonly at: string;
  readonly address: string;
  readonly client?: string;
  readonly request: string;
  readonly status: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly firstByteSeconds?: number;
  readonly backend: string;
  readonly userAgent: string;
}

const NONE = '-';

function quantilesOf(p50 = NONE, p95 = NONE): Quantiles | undefined {
  const seconds = (milliseconds: string) => Math.round(Number(milliseconds)) / 1000;
  return p50 === NONE ? undefined : { p50: seconds(p50), p95: seconds(p95) };
}

function clientUsageOf([client = '', ...fields]: readonly string[]): ClientUsage {
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

const busiestFirst = (a: ClientUsage, b: ClientUsage): number =>
  b.requests - a.requests || (a.client ?? NONE).localeCompare(b.client ?? NONE);

/** The usage of a gate's clients on one host. */
export function usageOf({ rows }: HostReport): Usage {
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

/** The requests with the given id: one, unless the log was copied. */
export const requestsIn = ({ rows }: HostReport): readonly LoggedRequest[] =>
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

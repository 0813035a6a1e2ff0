/** The rows that a proxy reports of its clients -> clients, as data. */
import type { HostReport } from '../model/host-report.ts';

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

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** nginx's $time_local, `22/Nov/2026:17:40:35 +0000`, in UTC; undefined when it is not one. */
export function logTime(text: string): string | undefined {
  const [, day, month = '', year, time, zone = ''] =
    /^(\d\d)\/(\w{3})\/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d{4})$/.exec(text) ?? [];
  const number = String(MONTHS.indexOf(month) + 1).padStart(2, '0');
  const date = new Date(`${year}-${number}-${day}T${time}${zone.slice(0, 3)}:${zone.slice(3)}`);
  return Number.isNaN(date.getTime()) ? undefined : `${date.toISOString().slice(0, 19)}Z`;
}

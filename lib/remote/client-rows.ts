/** The rows that a proxy reports of its clients -> clients, as data. */
import { known } from '../model/contract.ts';
import type { HostReport } from '../model/host-report.ts';
import { epochTime, isoTime } from '../model/when.ts';

/** `ended`: its token is in its file, but not live; `old`: in the format of an earlier release, which the next change converts. */
export const CLIENT_STATES = ['live', 'suspended', 'expired', 'ended', 'old', 'unreadable'] as const;
/** The clients on one host, in the order of their names. */
export const clientsIn = ({ rows }: HostReport): readonly ListedClient[] => (rows.client ?? []).map(clientOf);

/** A client as `bearers.ts list` shows it: never a token. Times as `2026-11-22T17:40:35Z`. */
export type ListedClient = ReturnType<typeof clientOf>;

function clientOf(row: readonly string[]) {
  const [name = '', scope = '', limit, concurrent, state = '', end, created = '', rotated = '', ...rest] =
    row;
  const [used = '', exact, ...prints] = rest;
  const lastUsed = logTime(used);
  const previousEnd = prints[3];
  return {
    name,
    scope,
    ...(limit && { limit: Number(limit) }),
    ...(concurrent && { concurrent: Number(concurrent) }),
    state: known(CLIENT_STATES, state) ?? ('unreadable' as const),
    ...(end && { expires: epochTime(end) }),
    created,
    rotated,
    // Each is followed by its end.
    fingerprints: prints.filter((print, i) => i % 2 === 0 && print !== ''),
    ...(previousEnd && { previousExpires: epochTime(previousEnd) }),
    // One of its tokens begins like another one, so it is looked up by a regex.
    ...(exact && { isExact: true as const }),
    ...(lastUsed && { lastUsed }),
  };
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** nginx's $time_local, `22/Nov/2026:17:40:35 +0000`, in UTC; undefined when it is not one. */
export function logTime(text: string): string | undefined {
  const [, day, month = '', year, time, zone = ''] =
    /^(\d\d)\/(\w{3})\/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d{4})$/.exec(text) ?? [];
  const number = String(MONTHS.indexOf(month) + 1).padStart(2, '0');
  const date = new Date(`${year}-${number}-${day}T${time}${zone.slice(0, 3)}:${zone.slice(3)}`);
  return Number.isNaN(date.getTime()) ? undefined : isoTime(date);
}

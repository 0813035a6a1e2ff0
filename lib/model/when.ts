/** Durations and times as operators write them. The end of a token (`--expires`) is judged by the clock of the proxy. */

export const WHEN_FORM =
  'a duration (30s, 15m, 12h, 90d), a date (2027-01-31, until its end in UTC) or a time (2027-01-31T12:00:00Z)';

/** The gate reads times of ten digits. */
const LAST = 9_999_999_999;

/** To the second: `2026-11-22T17:40:35Z` */
export const isoTime = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`;

/** Seconds since 1970, as proxies report times. */
export const epochTime = (seconds = ''): string => isoTime(new Date(Number(seconds) * 1000));

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** A duration in seconds; undefined where `text` is none. */
export function readDuration(text: string): number | undefined {
  const [, count, unit = ''] = /^([1-9]\d{0,8})([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * (UNITS[unit] ?? Number.NaN);
  return seconds < LAST / 2 ? seconds : undefined;
}

/** The form of a span, for messages. */
export const SPAN_FORM = 'a duration such as 90s, 30m, 12h or 7d';

const CENTURY = 36_525 * 86_400;

/** A duration to look back, in seconds, of at most 100 years; undefined where `text` is none. */
export function readSpan(text: string): number | undefined {
  const seconds = readDuration(text);
  return seconds !== undefined && seconds <= CENTURY ? seconds : undefined;
}

/** `+SECONDS` from when the proxy reads it, or seconds since 1970; undefined where `text` is neither or has passed at `now`. */
export function readWhen(text: string, now: Date): string | undefined {
  const duration = readDuration(text);
  if (duration !== undefined) return `+${duration}`;
  const end = readDate(text);
  return end !== undefined && end > now.getTime() / 1000 && end <= LAST ? String(end) : undefined;
}

function readDate(text: string): number | undefined {
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text);
  if (!isDay && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text)) return undefined;
  const date = new Date(isDay ? `${text}T00:00:00Z` : text);
  // There is no February 30, which Date would take for a day in March.
  if (Number.isNaN(date.getTime()) || !date.toISOString().startsWith(text.replace('Z', ''))) return undefined;
  return date.getTime() / 1000 + (isDay ? (UNITS.d ?? 0) : 0);
}

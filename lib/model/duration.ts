/** Durations as operators write them: `30s`, `15m`, `12h`, `7d`. */

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** The form of a duration, for messages. */
export const DURATION_FORM = 'a duration such as 90s, 30m, 12h or 7d';

/** Seconds in `text`; undefined if it is not a duration of at least a second and at most 100 years. */
export function secondsOf(text: string): number | undefined {
  const [, count = '', unit = ''] = /^([1-9]\d{0,8})([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * (SECONDS[unit] ?? Number.NaN);
  return seconds <= 36_525 * 86_400 ? seconds : undefined;
}

/** How long a certificate is still good, and when that is too little. */
import type { PeerCertificate } from 'node:tls';
import type { CertificateLife, CheckStatus } from './check.ts';

type Dates = Pick<PeerCertificate, 'valid_from' | 'valid_to'>;

export const DAY_MS = 86_400_000;

/** Fewer days left than these are a failure, and worth a warning. */
const LIMITS = { failDays: 7, warnDays: 21 } as const;

/** Whole days from `now` to `end`; negative once it is over. */
export const daysUntil = (end: Date, now: Date): number =>
  Math.floor((end.getTime() - now.getTime()) / DAY_MS);

/** Are so many days left enough? */
export function judgeDays(
  days: number,
  { failDays, warnDays }: Pick<CertificateLife, 'failDays' | 'warnDays'> = LIMITS,
): CheckStatus {
  if (days < failDays) return 'failed';
  return days < warnDays ? 'warned' : 'passed';
}

/** Its life from end to end; undefined where its dates are none. */
export function lifeOf(dates: Dates, now: Date): CertificateLife | undefined {
  const [from, to] = [new Date(dates.valid_from), new Date(dates.valid_to)];
  if (Number.isNaN(from.getTime()) || Number.isNaN(to.getTime())) return undefined;
  return {
    kind: 'certificate',
    notBefore: from.toISOString(),
    notAfter: to.toISOString(),
    daysLeft: daysUntil(to, now),
    ...LIMITS,
  };
}

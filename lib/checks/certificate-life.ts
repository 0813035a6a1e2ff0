/** How long a certificate is still good, and when that is too little. */
import type { PeerCertificate } from 'node:tls';
import type { CertificateLife } from './check.ts';

type Dates = Pick<PeerCertificate, 'valid_from' | 'valid_to'>;

export const FAIL_DAYS = 7;
export const WARN_DAYS = 21;
const DAY_MS = 86_400_000;

/** Whole days until it ends; negative once it has. */
export function daysLeft({ valid_to }: Pick<Dates, 'valid_to'>, now: Date): number {
  return Math.floor((Date.parse(valid_to) - now.getTime()) / DAY_MS);
}

/** Its life from end to end; undefined where its dates are none. */
export function lifeOf(dates: Dates, now: Date): CertificateLife | undefined {
  const [from, to] = [new Date(dates.valid_from), new Date(dates.valid_to)];
  if (Number.isNaN(from.getTime()) || Number.isNaN(to.getTime())) return undefined;
  return {
    kind: 'certificate',
    notBefore: from.toISOString(),
    notAfter: to.toISOString(),
    daysLeft: daysLeft(dates, now),
    warnDays: WARN_DAYS,
    failDays: FAIL_DAYS,
  };
}

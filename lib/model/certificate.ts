/** Certificates on a proxy: parsed from PEM, judged by certbot's renewal rule. */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { PeerCertificate } from 'node:tls';
import { plural } from '../util/plural.ts';
import type { CertificateLife, CheckStatus, Issued } from './check.ts';

type Dates = Pick<PeerCertificate, 'valid_from' | 'valid_to'>;

export const DAY_MS = 86_400_000;

const HOUR_MS = 3_600_000;

/** The renewal time of certbot before 4.0; later versions renew with a third of the lifetime left. */
const RENEWED_BEFORE_MS = 30 * DAY_MS;

/** Reads the first certificate of a PEM file; undefined if there is none. */
export function readCertificate(pem: string | undefined): Certificate | undefined {
  const [first] = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(pem ?? '') ?? [];
  if (first === undefined) return undefined;
  try {
    return describe(new X509Certificate(first));
  } catch {
    return undefined;
  }
}

/** The server certificate, which is the first in a chain. */
export type Certificate = ReturnType<typeof describe>;

function describe(x509: X509Certificate) {
  return {
    kind: kindOf(x509),
    fingerprint: x509.fingerprint256,
    issuer: x509.issuer.split('\n').at(-1)?.replace(/^\w+=/, '') ?? '',
    from: new Date(x509.validFrom),
    until: new Date(x509.validTo),
    names: (name: string) => (isIP(name) ? x509.checkIP(name) : x509.checkHost(name)) !== undefined,
  };
}

function kindOf(x509: X509Certificate): Issued['kind'] {
  // Not checkIssued(): that also requires the permission to sign, which a server certificate lacks.
  if (x509.issuer === x509.subject && x509.verify(x509.publicKey)) return 'self-signed';
  return isStaging(x509.issuer) ? 'staging' : 'ca';
}

/** The name of every staging CA of Let's Encrypt contains it (https://letsencrypt.org/docs/staging-environment/). */
export function isStaging(issuer: string): boolean {
  return issuer.includes('(STAGING)');
}

type Life = Pick<Certificate, 'from' | 'until'>;

/** The period before expiry in which certbot renews it: 30 days, or a third of the lifetime if that is less. */
const renewalSpan = ({ from, until }: Life): number =>
  Math.min(RENEWED_BEFORE_MS, (until.getTime() - from.getTime()) / 3);

/** The time at which certbot would renew it. */
export const renewalPoint = (life: Life): Date => new Date(life.until.getTime() - renewalSpan(life));

/**
 * Time left, in milliseconds, below which a certificate causes a warning or a failure: a quarter and a ninth of its
 * lifetime (22.5 and 10 of 90 days), and always less than certbot's renewal period.
 */
const limitsOf = (life: Life) => ({ warn: (renewalSpan(life) * 3) / 4, fail: renewalSpan(life) / 3 });

/** Judges the time left relative to the lifetime: a six-day certificate can be as healthy as a 90-day one. */
export function judgeLife(life: Life, now: Date): CheckStatus {
  const left = life.until.getTime() - now.getTime();
  const { warn, fail } = limitsOf(life);
  if (left < fail || left < 0) return 'failed';
  return left < warn ? 'warned' : 'passed';
}

/** Why `certificate` cannot be kept; empty if it can. */
export function certificateFault(
  certificate: Certificate | undefined,
  name: string,
  accepted: readonly Issued['kind'][],
  now: Date,
): string {
  if (!certificate) return 'there is no certificate yet';
  const { kind, from, until } = certificate;
  if (!accepted.includes(kind)) return `the current certificate is ${CERTIFICATE_KINDS[kind]}`;
  if (!certificate.names(name)) return `the current certificate is not for ${name}`;
  if (from > now) return 'the current certificate is not valid yet';
  return renewalPoint(certificate) > now ? '' : `the current certificate expires on ${dayOf(until)}`;
}

/** The kinds of certificates, as text. */
export const CERTIFICATE_KINDS: Readonly<Record<Issued['kind'], string>> = {
  ca: 'from a CA',
  staging: 'a staging certificate, which no client trusts',
  'self-signed': 'self-signed',
};

/** `2026-11-22` */
export const dayOf = (date: Date): string => date.toISOString().slice(0, 10);

/** The certificate reported by a host, for the checks. */
export function issuedOn({ certificate }: { readonly certificate?: string }): Issued[] {
  const read = readCertificate(certificate);
  return read ? [{ kind: read.kind, fingerprint: read.fingerprint }] : [];
}

/** Full days from `now` to `end`; negative if `end` is in the past. */
export const daysUntil = (end: Date, now: Date): number =>
  Math.floor((end.getTime() - now.getTime()) / DAY_MS);

/** `20 days`, or in the last two days `40 hours`: the time until `end`, or since then. */
export function timeText(end: Date, now: Date): string {
  const time = Math.abs(end.getTime() - now.getTime());
  return time < 2 * DAY_MS
    ? plural(Math.floor(time / HOUR_MS), 'hour')
    : plural(Math.floor(time / DAY_MS), 'day');
}

/** The validity of a certificate; undefined if its dates are invalid. */
export function lifeOf(dates: Dates, now: Date): CertificateLife | undefined {
  const [from, to] = [new Date(dates.valid_from), new Date(dates.valid_to)];
  if (Number.isNaN(from.getTime()) || Number.isNaN(to.getTime())) return undefined;
  const { warn, fail } = limitsOf({ from, until: to });
  return {
    kind: 'certificate',
    notBefore: from.toISOString(),
    notAfter: to.toISOString(),
    daysLeft: daysUntil(to, now),
    warnDays: hundredths(warn / DAY_MS),
    failDays: hundredths(fail / DAY_MS),
  };
}

const hundredths = (value: number): number => Math.round(value * 100) / 100;

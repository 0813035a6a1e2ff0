/** Judges a certificate as clients do, and reports its problems. */
import { isIP } from 'node:net';
import tls from 'node:tls';
import { dayOf, isStaging, judgeLife, renewalPoint, timeText } from '../../model/certificate.ts';
import { type CheckTarget, type Finding, failed, type Issued, passed, warned } from '../../model/check.ts';

/** The result of a handshake. */
export interface Seen {
  /** OpenSSL's or Node's error code for an invalid chain or name; empty if both are valid. */
  readonly verdict: string;
  readonly certificate: tls.PeerCertificate;
}

/**
 * The result of a handshake with TLS 1.1 or older: rejected, the version that the server accepted, or why it was not
 * tried.
 */
export type OldTls = 'refused' | { readonly accepted: string } | { readonly skipReason: string };

const RENEW =
  'Run `certbot renew` on the proxy and reload nginx; the output of certbot shows why it was not renewed automatically.';
const ISSUE = 'Run `npx tsx scripts/bootstrap-tls.ts` to request one from the CA';
const CHAIN = {
  what: 'is not from a trusted CA',
  advice: `${ISSUE}, or add a private CA to NODE_EXTRA_CA_CERTS.`,
};
const STAGING = {
  what: "is from Let's Encrypt's staging CA, which no client trusts",
  advice: 'Run `npx tsx scripts/bootstrap-tls.ts` without --staging to request a trusted one.',
};
const VERDICTS: Readonly<Record<string, { what: string; advice: string }>> = {
  CERT_HAS_EXPIRED: { what: 'or another one in its chain has expired', advice: RENEW },
  CERT_NOT_YET_VALID: {
    what: 'is not valid yet',
    advice: 'Check the clocks of this machine and of the proxy.',
  },
  DEPTH_ZERO_SELF_SIGNED_CERT: { ...CHAIN, what: 'is self-signed' },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: {
    what: 'is sent without the chain to a trusted CA',
    advice: `Set ssl_certificate to fullchain.pem, not cert.pem. Or r${ISSUE.slice(1)}, or add a private CA to NODE_EXTRA_CA_CERTS.`,
  },
};

/**
 * All problems as one finding; a warning if it only expires soon, or is not meant to be publicly trusted. The target's
 * `issued` lists the certificates on the proxies, if known; one of them must be served.
 */
export function judgeCertificate(
  seen: Seen,
  oldTls: OldTls,
  target: Pick<CheckTarget, 'serverName' | 'isNameless' | 'issued'>,
  now: Date,
): Finding {
  const { serverName: name, issued = [] } = target;
  const life = { from: new Date(seen.certificate.valid_from), until: new Date(seen.certificate.valid_to) };
  const left = timeText(life.until, now);
  const served = issued.find(({ fingerprint }) => fingerprint === seen.certificate.fingerprint256);
  const expected = served ? EXPECTED[served.kind] : byAddress(seen, target);
  const faults = [
    issued.length > 0 && !served ? staleFault(seen) : '',
    expected ? '' : chainFault(seen),
    nameFault(seen, name),
    endFault(life, now),
    oldTlsFault(oldTls),
  ].filter(Boolean);
  if (faults.length > 0) return failed(faults.join(' '));
  if (expected) return warned(`${expected} It covers ${name} and has ${left} left; ${oldTlsText(oldTls)}.`);
  const soon = judgeLife(life, now) === 'warned';
  const end = soon
    ? `expires soon: ${left} left (certbot would have renewed it on ${dayOf(renewalPoint(life))}). ${RENEW}`
    : `${left} left, ${oldTlsText(oldTls)}.`;
  const same = served ? 'is the one on the proxy, ' : '';
  return (soon ? warned : passed)(`The certificate is trusted, covers ${name}, ${same}${end}`);
}

/** Kinds that no client trusts by default but the operator requested. */
const EXPECTED: Readonly<Record<Issued['kind'], string>> = {
  ca: '',
  staging:
    'The certificate is the requested staging certificate, for tests only: no client trusts it. Run `npx tsx scripts/bootstrap-tls.ts` without --staging to request a trusted one.',
  'self-signed':
    'The certificate is the self-signed one generated on the proxy: clients must be configured to trust it. With a public name, `npx tsx scripts/bootstrap-tls.ts` replaces it.',
};

/** No public CA issues certificates for private addresses or LAN names, so a self-signed one is expected there. */
function byAddress(
  { verdict }: Seen,
  { serverName, isNameless }: Pick<CheckTarget, 'serverName' | 'isNameless'>,
): string {
  return (isNameless || isIP(serverName) !== 0) && verdict === 'DEPTH_ZERO_SELF_SIGNED_CERT'
    ? EXPECTED['self-signed']
    : '';
}

function staleFault({ certificate }: Seen): string {
  const ends = certificate.valid_to;
  return `The served certificate (valid until ${ends}) is not the one on the proxy: nginx was not reloaded since it was issued, or another server or vhost answers for this name. On the proxy, run: \`nginx -t && nginx -s reload\`.`;
}

function chainFault({ verdict, certificate }: Seen): string {
  if (verdict === '' || verdict === 'ERR_TLS_CERT_ALTNAME_INVALID') return '';
  const { what, advice } = isStaging(issuerOf(certificate)) ? STAGING : (VERDICTS[verdict] ?? CHAIN);
  return `The certificate ${what} (${verdict}). ${advice}`;
}

function nameFault({ certificate }: Seen, name: string): string {
  if (tls.checkServerIdentity(name, certificate) === undefined) return '';
  const names = certificate.subjectaltname ?? `CN:${certificate.subject?.CN ?? 'none'}`;
  return `The certificate is not for ${name} but for ${names}. Another vhost answers for this name. Check that the site is deployed and that ssl_certificate is the one of this site; if there is no certificate yet, run \`npx tsx scripts/bootstrap-tls.ts\`.`;
}

function endFault(life: { from: Date; until: Date }, now: Date): string {
  if (judgeLife(life, now) !== 'failed') return '';
  const time = timeText(life.until, now);
  const end = life.until < now ? `expired ${time} ago` : `expires in ${time}`;
  return `The certificate ${end}. ${RENEW}`;
}

function oldTlsFault(oldTls: OldTls): string {
  if (oldTls === 'refused' || 'skipReason' in oldTls) return '';
  return `${oldTls.accepted} is accepted, which is insecure (RFC 8996). Set ssl_protocols to \`TLSv1.2 TLSv1.3\` in every vhost on this address: the setting of the default server of the port applies.`;
}

const oldTlsText = (oldTls: OldTls): string =>
  oldTls !== 'refused' && 'skipReason' in oldTls
    ? `TLS 1.1 was not checked: ${oldTls.skipReason}`
    : 'TLS 1.1 and 1.0 are rejected';

const issuerOf = ({ issuer }: tls.PeerCertificate): string => [issuer?.O, issuer?.CN].flat().join('\n');

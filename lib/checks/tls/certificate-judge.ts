/** Judges a certificate as clients do, and says what is wrong with it. */
import { isIP } from 'node:net';
import tls from 'node:tls';
import { daysUntil, isStaging, judgeDays } from '../../model/certificate.ts';
import { type CheckTarget, type Finding, failed, type Issued, passed, warned } from '../../model/check.ts';

/** What a handshake showed. */
export interface Seen {
  /** Why the chain or the name was not accepted, as OpenSSL or Node calls it; empty when they were. */
  readonly verdict: string;
  readonly certificate: tls.PeerCertificate;
}

/** What became of a try with TLS 1.1 and older: what the server chose, or why it could not be tried. */
export type OldTls = 'refused' | { readonly accepted: string } | { readonly untried: string };

const RENEW =
  'Run `certbot renew` on the proxy and reload nginx; certbot says there why it did not renew by itself.';
const ISSUE = 'Run `npx tsx scripts/bootstrap-tls.ts` for one from the CA';
const CHAIN = {
  what: 'is not from a CA that is trusted here',
  advice: `${ISSUE}, or name its CA in NODE_EXTRA_CA_CERTS if it is your own.`,
};
const STAGING = {
  what: "is from Let's Encrypt's staging CA, which no client trusts",
  advice: 'Run `npx tsx scripts/bootstrap-tls.ts` without --staging for a real one.',
};
const VERDICTS: Readonly<Record<string, { what: string; advice: string }>> = {
  CERT_HAS_EXPIRED: { what: 'or one in its chain has expired', advice: RENEW },
  CERT_NOT_YET_VALID: {
    what: 'is not valid yet',
    advice: 'Look at the clocks of this machine and of the proxy.',
  },
  DEPTH_ZERO_SELF_SIGNED_CERT: { ...CHAIN, what: 'is self-signed' },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: {
    what: 'comes without the chain up to a CA that is trusted here',
    advice: `Let ssl_certificate name fullchain.pem, not cert.pem; or: r${ISSUE.slice(1)}, or name its CA in NODE_EXTRA_CA_CERTS if it is your own.`,
  },
};

/**
 * Everything that is wrong, in one text; a warning when it only ends soon, or when it was never meant to be trusted.
 * The target's `issued` is what the proxies hold, where known; one of them must be served.
 */
export function judgeCertificate(
  seen: Seen,
  oldTls: OldTls,
  target: Pick<CheckTarget, 'serverName' | 'isNameless' | 'issued'>,
  now: Date,
): Finding {
  const { serverName: name, issued = [] } = target;
  const days = daysUntil(new Date(seen.certificate.valid_to), now);
  const served = issued.find(({ fingerprint }) => fingerprint === seen.certificate.fingerprint256);
  const expected = served ? EXPECTED[served.kind] : byAddress(seen, target);
  const faults = [
    issued.length > 0 && !served ? staleFault(seen) : '',
    expected ? '' : chainFault(seen),
    nameFault(seen, name),
    endFault(days),
    oldTlsFault(oldTls),
  ].filter(Boolean);
  if (faults.length > 0) return failed(faults.join(' '));
  if (expected)
    return warned(`${expected} It names ${name} and has ${days} days left; ${oldTlsText(oldTls)}.`);
  const soon = judgeDays(days) === 'warned';
  const end = `${days} days left, ${soon ? `which is little. ${RENEW}` : `${oldTlsText(oldTls)}.`}`;
  const same = served ? 'is the one that was issued, ' : '';
  return (soon ? warned : passed)(`The certificate is trusted and names ${name}, ${same}${end}`);
}

/** Kinds that no client trusts by itself, where the operator asked for one. */
const EXPECTED: Readonly<Record<Issued['kind'], string>> = {
  ca: '',
  staging:
    'The certificate is the staging one that was issued: good for a rehearsal, and no client trusts it. Run bootstrap-tls again without --staging for a real one.',
  'self-signed':
    'The certificate is the self-signed one that the proxy made: clients must be told to trust it. With a public name, bootstrap-tls without --self-signed replaces it.',
};

/** An address gets no certificate from a CA of everybody's, nor does a name of a LAN: there, a self-signed one is what was meant. */
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
  return `Another certificate is served (valid until ${ends}) than the one that lies on the proxy: nginx was not reloaded since, or another server or vhost answers for this name. On the proxy: \`nginx -t && nginx -s reload\`.`;
}

function chainFault({ verdict, certificate }: Seen): string {
  if (verdict === '' || verdict === 'ERR_TLS_CERT_ALTNAME_INVALID') return '';
  const { what, advice } = isStaging(issuerOf(certificate)) ? STAGING : (VERDICTS[verdict] ?? CHAIN);
  return `The certificate ${what} (${verdict}). ${advice}`;
}

function nameFault({ certificate }: Seen, name: string): string {
  if (tls.checkServerIdentity(name, certificate) === undefined) return '';
  const names = certificate.subjectaltname ?? `CN:${certificate.subject?.CN ?? 'none'}`;
  return `The certificate does not name ${name}, but ${names}. Another vhost answers for this name: look whether the site is deployed and ssl_certificate is its own; without a certificate, run \`npx tsx scripts/bootstrap-tls.ts\`.`;
}

function endFault(days: number): string {
  if (judgeDays(days) !== 'failed') return '';
  const end = days < 0 ? `expired ${-days} days ago` : `ends in ${days} days`;
  return `The certificate ${end}. ${RENEW}`;
}

function oldTlsFault(oldTls: OldTls): string {
  if (oldTls === 'refused' || 'untried' in oldTls) return '';
  return `${oldTls.accepted} is accepted, which is broken (RFC 8996). Let ssl_protocols say \`TLSv1.2 TLSv1.3\` in every vhost on this address: the default server of the port decides.`;
}

const oldTlsText = (oldTls: OldTls): string =>
  oldTls !== 'refused' && 'untried' in oldTls
    ? `TLS 1.1 was not tried: ${oldTls.untried}`
    : 'TLS 1.1 and 1.0 are refused';

const issuerOf = ({ issuer }: tls.PeerCertificate): string => [issuer?.O, issuer?.CN].flat().join('\n');

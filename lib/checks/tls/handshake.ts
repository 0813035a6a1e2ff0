/** The certificate is one that clients accept, for long enough, and old TLS is off. */
import type tls from 'node:tls';
import { lifeOf } from '../../model/certificate.ts';
import type { Check, CheckTarget, Finding } from '../../model/check.ts';
import { connectTls } from '../http/connect.ts';
import { curl } from '../http/curl.ts';
import { codeOf, NoAnswerError } from '../http/failures.ts';
import { judgeCertificate, type OldTls, type Seen } from './certificate-judge.ts';

/** Chain, name, days left (fails under 7, warns under 21), and TLS 1.1 and 1.0 refused. */
export function certificate(): Check {
  return {
    name: 'certificate',
    run: check,
    curl: (target) => curl(target, { path: '/' }, '-v', '-o /dev/null'),
  };
}

async function check(target: CheckTarget): Promise<Finding> {
  const [seen, oldTls] = await Promise.all([look(target), tryOldTls(target)]);
  const now = new Date();
  const measured = lifeOf(seen.certificate, now);
  const finding = judgeCertificate(seen, oldTls, target, now);
  return { ...finding, ...(measured && { measured }) };
}

async function look(target: CheckTarget): Promise<Seen> {
  try {
    return await shaken(target, {}, (socket) => ({
      verdict: socket.authorized ? '' : verdictOf(socket),
      certificate: socket.getPeerCertificate(),
    }));
  } catch (error) {
    throw new NoAnswerError(`TLS with ${target.serverName}`, target, error);
  }
}

/** Node gives OpenSSL's code as a string where its types say Error. */
function verdictOf(socket: tls.TLSSocket): string {
  const error: unknown = socket.authorizationError;
  return typeof error === 'string' ? error : codeOf(error);
}

/** Whether the server still speaks TLS 1.1 or 1.0; SECLEVEL 0 because OpenSSL 3 would not offer them otherwise. */
async function tryOldTls(target: CheckTarget): Promise<OldTls> {
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
  try {
    return { accepted: await shaken(target, old, nameOf) };
  } catch (error) {
    return oldTlsVerdict(codeOf(error));
  }
}

/** `TLS 1.0`, as people write it. */
const nameOf = (socket: tls.TLSSocket): string => (socket.getProtocol() === 'TLSv1' ? 'TLS 1.0' : 'TLS 1.1');

/**
 * Only an alert of the server is a refusal; anything else says nothing about it. An inappropriate fallback is seen by our
 * side: the server chose TLS 1.0, and its hello betrays that it knows better (RFC 8446, section 4.1.3).
 */
export function oldTlsVerdict(code: string): OldTls {
  if (code === 'ERR_SSL_INAPPROPRIATE_FALLBACK') return { accepted: 'TLS 1.0' };
  if (/ALERT|WRONG_VERSION|ECONNRESET|UNSUPPORTED_PROTOCOL/.test(code)) return 'refused';
  return { untried: /NO_PROTOCOLS|NO_CIPHERS/.test(code) ? 'the OpenSSL here cannot offer it' : code };
}

async function shaken<T>(
  target: CheckTarget,
  options: tls.ConnectionOptions,
  use: (socket: tls.TLSSocket) => T,
) {
  const socket = await connectTls(target, target.port ?? 443, { rejectUnauthorized: false, ...options });
  try {
    return use(socket);
  } finally {
    socket.destroy();
  }
}

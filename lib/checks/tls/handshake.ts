/** The certificate is valid for clients and does not expire soon, and old TLS versions are disabled. */
import type tls from 'node:tls';
import { lifeOf } from '../../model/certificate.ts';
import type { Check, CheckTarget, Finding } from '../../model/check.ts';
import { connectTls } from '../http/connect.ts';
import { curl } from '../http/curl.ts';
import { codeOf, NoAnswerError } from '../http/failures.ts';
import { judgeCertificate, type OldTls, type Seen } from './certificate-judge.ts';

/**
 * Checks chain, name and remaining time (fails below a ninth of the lifetime, warns below a quarter), and that TLS 1.1
 * and 1.0 are rejected.
 */
export function certificate(): Check {
  return {
    name: 'certificate',
    run: check,
    curl: (target) => curl(target, { path: '/' }, '-v', '-o /dev/null'),
  };
}

async function check(target: CheckTarget): Promise<Finding> {
  const [seen, oldTls] = await Promise.all([inspect(target), tryOldTls(target)]);
  const now = new Date();
  const measured = lifeOf(seen.certificate, now);
  const finding = judgeCertificate(seen, oldTls, target, now);
  return { ...finding, ...(measured && { measured }) };
}

async function inspect(target: CheckTarget): Promise<Seen> {
  try {
    return await withHandshake(target, {}, (socket) => ({
      verdict: socket.authorized ? '' : verdictOf(socket),
      certificate: socket.getPeerCertificate(),
    }));
  } catch (error) {
    throw new NoAnswerError(`TLS with ${target.serverName}`, target, error);
  }
}

/** Node returns OpenSSL's code as a string, although its types declare an Error. */
function verdictOf(socket: tls.TLSSocket): string {
  const error: unknown = socket.authorizationError;
  return typeof error === 'string' ? error : codeOf(error);
}

/** Whether the server accepts TLS 1.1 or 1.0. SECLEVEL 0, because OpenSSL 3 otherwise does not offer them. */
async function tryOldTls(target: CheckTarget): Promise<OldTls> {
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
  try {
    return { accepted: await withHandshake(target, old, nameOf) };
  } catch (error) {
    return oldTlsVerdict(codeOf(error));
  }
}

/** For example `TLS 1.0`. */
const nameOf = (socket: tls.TLSSocket): string => (socket.getProtocol() === 'TLSv1' ? 'TLS 1.0' : 'TLS 1.1');

/**
 * Only a TLS alert from the server counts as a rejection. An inappropriate fallback is detected by the client: the
 * server chose TLS 1.0, but its hello shows that it supports a later version (RFC 8446, section 4.1.3).
 */
export function oldTlsVerdict(code: string): OldTls {
  if (code === 'ERR_SSL_INAPPROPRIATE_FALLBACK') return { accepted: 'TLS 1.0' };
  if (/ALERT|WRONG_VERSION|ECONNRESET|UNSUPPORTED_PROTOCOL/.test(code)) return 'refused';
  return { skipReason: /NO_PROTOCOLS|NO_CIPHERS/.test(code) ? 'the local OpenSSL cannot offer it' : code };
}

async function withHandshake<T>(
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

/** Requests without a response, and unexpected responses: their causes and fixes. */
import { advised } from '../../diagnosis/row.ts';
import { SYMPTOMS, symptomOf } from '../../diagnosis/symptoms.ts';
import type { CheckTarget } from '../../model/check.ts';

/** A request without a response; the message is a sentence without advice. */
export class NoAnswerError extends Error {
  override name = 'NoAnswerError';
  /** The error code of the system, OpenSSL or Node, such as `ECONNREFUSED`. */
  readonly code: string;

  constructor(what: string, target: CheckTarget, cause: unknown) {
    const timedOut = target.signal?.aborted === true;
    const why = timedOut ? `no answer within ${(target.timeoutMs ?? 0) / 1000} s` : reasonOf(cause);
    super(`${what}: ${why}`, { cause });
    this.code = timedOut ? 'ETIMEDOUT' : codeOf(cause);
  }
}

/** An error's code, even if Node nests it: one error per address tried, or a cause. */
export function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  if (!(error instanceof Error)) return '';
  return 'code' in error && typeof error.code === 'string' ? error.code : codeOf(error.cause);
}

/** Whether this is a certificate error of OpenSSL or Node. */
export const isCertificateError = (code: string): boolean =>
  /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_TLS_CERT)/.test(code);

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}

/** By system error code. */
const BY_CODE: Readonly<Record<string, string>> = {
  ENOTFOUND: advised(SYMPTOMS.noName),
  EAI_AGAIN: 'The DNS server does not respond. Check the network of this machine, then retry.',
  ECONNREFUSED: advised(SYMPTOMS.refused),
  ETIMEDOUT: advised(SYMPTOMS.noAnswer),
  EHOSTUNREACH: `There is no route to that address. ${SYMPTOMS.refused.fix}`,
  ENETUNREACH: `There is no route to that network. ${SYMPTOMS.refused.fix}`,
  ECONNRESET: `The connection was reset. ${SYMPTOMS.refused.fix} The error log of nginx may show why.`,
};

const TRUST =
  'A token is sent only over a connection with a valid certificate: fix what the certificate check reports first.';

const NO_TLS =
  'The server there does not respond with valid TLS. Check that it is nginx, that its vhost has `listen … ssl`, and that certificate and key match.';

/** A failure as one text: what happened, its cause, the fix. */
export function errorAdvice(error: unknown, target: CheckTarget): string {
  const code = codeOf(error);
  const what = error instanceof Error && error.message !== '' ? error.message : String(error);
  return `${sentence(what)} ${adviceFor(code, target)}`;
}

/**
 * Cause and fix of an unexpected status, if it or the code in a JSON error has a row; otherwise `fallback`.
 * `names` replace the placeholders.
 */
export function statusAdvice(status: number, fallback: string, body = '', names = {}): string {
  const row = symptomOf(status, body);
  return row ? advised(row, names) : fallback;
}

function adviceFor(code: string, target: CheckTarget): string {
  if (isCertificateError(code)) return TRUST;
  if (/^(EPROTO|ERR_SSL)/.test(code)) return NO_TLS;
  return (
    BY_CODE[code] ?? `Run it again; if it still fails, test ${target.serverName} manually with \`curl -v\`.`
  );
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

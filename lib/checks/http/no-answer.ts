/** The one error of the checks, a request without an answer, and what its code tells. */
import type { CheckTarget } from '../../model/check.ts';

/** A request that brought no answer, whatever the reason; the message is a sentence without advice. */
export class NoAnswerError extends Error {
  override name = 'NoAnswerError';
  /** The system's, OpenSSL's or Node's code, such as `ECONNREFUSED`. */
  readonly code: string;

  constructor(what: string, target: CheckTarget, cause: unknown) {
    const late = target.signal?.aborted === true;
    const why = late ? `no answer within ${(target.timeoutMs ?? 0) / 1000} s` : reasonOf(cause);
    super(`${what}: ${why}`, { cause });
    this.code = late ? 'ETIMEDOUT' : codeOf(cause);
  }
}

/** The code of a failure, also where Node hides it: one error for each address it tried, or a cause. */
export function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  if (!(error instanceof Error)) return '';
  return 'code' in error && typeof error.code === 'string' ? error.code : codeOf(error.cause);
}

/** Is this code one of a certificate that does not hold, by OpenSSL or Node? */
export const isCertificateError = (code: string): boolean =>
  /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_TLS_CERT)/.test(code);

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}

/** Requests without an answer, and answers that say no: what each means and what to do. */
import { advised } from '../../diagnosis/row.ts';
import { SYMPTOMS, symptomOf } from '../../diagnosis/symptoms.ts';
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

/** By the system's code. */
const BY_CODE: Readonly<Record<string, string>> = {
  ENOTFOUND: advised(SYMPTOMS.noName),
  EAI_AGAIN: 'The DNS server does not answer. Look at the network of this machine, then run it again.',
  ECONNREFUSED: advised(SYMPTOMS.refused),
  ETIMEDOUT: advised(SYMPTOMS.noAnswer),
  EHOSTUNREACH: `There is no way to that address. ${SYMPTOMS.refused.fix}`,
  ENETUNREACH: `There is no way to that network. ${SYMPTOMS.refused.fix}`,
  ECONNRESET: `The connection was cut. ${SYMPTOMS.refused.fix} The error log of nginx may say why.`,
};

const TRUST =
  'A bearer is sent only over a connection whose certificate holds: mend what the certificate check says first.';

const NO_TLS =
  'What answers there does not speak TLS as it should: look whether it is nginx, whether its vhost says `listen … ssl`, and whether certificate and key belong together.';

/** One text for a failure: what happened, what it means, what to do next. */
export function errorAdvice(error: unknown, target: CheckTarget): string {
  const code = codeOf(error);
  const what = error instanceof Error && error.message !== '' ? error.message : String(error);
  return `${sentence(what)} ${adviceFor(code, target)}`;
}

/**
 * What an unexpected status means, where it or the code in a JSON error tells; otherwise `fallback`.
 * `names` stand for the words in capitals.
 */
export function statusAdvice(status: number, fallback: string, body = '', names = {}): string {
  const row = symptomOf(status, body);
  return row ? advised(row, names) : fallback;
}

function adviceFor(code: string, target: CheckTarget): string {
  if (isCertificateError(code)) return TRUST;
  if (/^(EPROTO|ERR_SSL)/.test(code)) return NO_TLS;
  return BY_CODE[code] ?? `Run it again; if it stays, ask ${target.serverName} by hand with \`curl -v\`.`;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

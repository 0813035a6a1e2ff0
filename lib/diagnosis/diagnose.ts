/** A failure -> its cause and fix, from the tables in this folder. */
import type { ExplainedFailure } from '../model/contract.ts';
import type { Failure, HostReport } from '../model/host-report.ts';
import { lookUp } from '../util/collections.ts';
import { ACME } from './acme-failures.ts';
import { type CodeExplanation, FAILURE_CODES, TLS_FAILURE_CODES } from './failure-codes.ts';
import { NGINX } from './nginx-failures.ts';
import { type Explanation, rowFor } from './row.ts';
import { SSH } from './ssh-failures.ts';
import { SUDO } from './sudo-failures.ts';

/** By the code of a failure; a code without a row is a type error. */
export const BY_CODE: Readonly<Record<ExplainedFailure, CodeExplanation>> = {
  ...FAILURE_CODES,
  ...TLS_FAILURE_CODES,
};
const BY_TEXT = [...SUDO, ...NGINX];
const WITH_CODE = [...SUDO, ...ACME].filter(({ code }) => code !== undefined);

const UNKNOWN: Explanation = {
  cause: 'This failure is not in the tables of gatepost.',
  fix: 'See the error above; on the proxy, run `nginx -t` and check the nginx error log.',
};

/** The cause of `failure` and its fix. */
export function diagnose({ code, text, advice }: Failure): Explanation {
  const byCode = lookUp<CodeExplanation>(BY_CODE, code);
  if (advice !== undefined) return explanation((byCode ?? rowFor(SSH, text))?.cause, advice);
  const row = rowFor(BY_TEXT, text) ?? WITH_CODE.find((each) => each.code === code);
  if (byCode?.isFinal) return explanation([byCode.cause, row?.cause].join(' ').trim(), byCode.fix);
  const { cause, fix } = row ?? byCode ?? UNKNOWN;
  return explanation(cause, fix);
}

const explanation = (cause: string | undefined, fix: string): Explanation => ({
  fix,
  ...(cause && { cause }),
});

/** A failed order with a more specific code (`acme-dns`), taken from certbot's output. */
export function withOrderCode(failure: Failure): Failure {
  const code = failure.code === 'order' ? rowFor(WITH_CODE, failure.text)?.code : undefined;
  return code ? { ...failure, code } : failure;
}

/** The report with cause and fix added to its failure, if it has one. */
export function withDiagnosis(report: HostReport): HostReport {
  const { failure } = report;
  return failure ? { ...report, failure: { ...failure, ...diagnose(failure) } } : report;
}

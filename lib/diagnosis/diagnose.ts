/** A failure's words -> what it means and what to do next, by the tables of this folder. */
import type { ExplainedFailure } from '../model/contract.ts';
import type { Failure, HostReport } from '../model/host-report.ts';
import { lookUp } from '../util/collections.ts';
import { ACME } from './acme-failures.ts';
import { POINTS, type Point, TLS_POINTS } from './failure-codes.ts';
import { NGINX } from './nginx-failures.ts';
import { type Explanation, rowFor } from './row.ts';
import { SSH } from './ssh-failures.ts';
import { LOGIN } from './sudo-failures.ts';

/** By the code of a failure; a code without a row is a type error. */
export const BY_CODE: Readonly<Record<ExplainedFailure, Point>> = { ...POINTS, ...TLS_POINTS };
const BY_WORDS = [...LOGIN, ...NGINX];
const BY_TYPE = [...LOGIN, ...ACME].filter(({ code }) => code !== undefined);

const UNKNOWN: Explanation = {
  means: 'This failure is not in our table.',
  next: 'Its own words are above; on the proxy, `nginx -t` and the error log tell more.',
};

/** What `failure` means and what to do. */
export function diagnose({ code, text, advice }: Failure): Explanation {
  const point = lookUp<Point>(BY_CODE, code);
  if (advice !== undefined) return explanation((point ?? rowFor(SSH, text))?.means, advice);
  const row = rowFor(BY_WORDS, text) ?? BY_TYPE.find((each) => each.code === code);
  if (point?.isFirm) return explanation([point.means, row?.means].join(' ').trim(), point.next);
  const { means, next } = row ?? point ?? UNKNOWN;
  return explanation(means, next);
}

const explanation = (means: string | undefined, next: string): Explanation => ({
  next,
  ...(means && { means }),
});

/** A failed order with its type (`acme-dns`), from certbot's words. */
export function withOrderCode(failure: Failure): Failure {
  const code = failure.code === 'order' ? rowFor(BY_TYPE, failure.text)?.code : undefined;
  return code ? { ...failure, code } : failure;
}

/** The account with its failure explained, where it has one. */
export function withDiagnosis(report: HostReport): HostReport {
  const { failure } = report;
  return failure ? { ...report, failure: { ...failure, ...diagnose(failure) } } : report;
}

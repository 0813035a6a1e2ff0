/** What was found, in a word, a sentence and a count. */
import type { CheckResult, CheckStatus } from '../../model/check.ts';
import { MARKS } from '../report.ts';
import type { PageHost } from './content.ts';
import { type Html, html } from './html.ts';

/** From what an operator must see first to what may be passed over. */
export const WORST_FIRST = [
  'failed',
  'warned',
  'passed',
  'skipped',
] as const satisfies readonly CheckStatus[];

export interface Verdict {
  readonly status: CheckStatus;
  readonly text: string;
}

/** The verdict on some hosts together, or on one. */
export function verdictOf(hosts: readonly PageHost[]): Verdict {
  const unreached = hosts.filter(({ failure }) => failure).map(({ name }) => name);
  const checks = hosts.flatMap((host) => host.checks);
  if (unreached.length === 0) return verdictOn(checks);
  const { status, text } = verdictOn(checks);
  const lost = hosts.length > 1 ? `Not reached: ${unreached.join(', ')}` : 'Not reached';
  return { status: 'failed', text: status === 'failed' ? `${lost}; ${text}` : lost };
}

function verdictOn(checks: readonly CheckResult[]): Verdict {
  const [failed, warned, passed] = WORST_FIRST.map((each) => checks.filter(({ status }) => status === each));
  const count = (some: readonly CheckResult[] = []) =>
    `${some.length} ${some.length === 1 ? 'check' : 'checks'}`;
  if (failed?.length) return { status: 'failed', text: `${count(failed)} failed` };
  if (warned?.length) return { status: 'warned', text: `No check failed, ${count(warned)} warned` };
  if (passed?.length === checks.length) return { status: 'passed', text: 'All checks passed' };
  if (passed?.length) return { status: 'passed', text: 'No check failed, some were skipped' };
  return { status: 'skipped', text: 'Nothing could be checked' };
}

/** A verdict as a line. */
export function line({ status, text }: Verdict): Html {
  return html`<span class="${status}"><span aria-hidden="true">${MARKS[status][1]}</span> ${text}</span>`;
}

/** A status as a mark and a word, so that colour is never all that tells it. */
export function badge(status: CheckStatus): Html {
  return html`<span class="badge ${status}"><span aria-hidden="true">${MARKS[status][1]}</span> ${status}</span>`;
}

/** The verdict on hosts and checks, as a status and a sentence. */
import type { CheckResult, CheckStatus } from '../../model/check.ts';
import { plural } from '../../util/plural.ts';
import { MARKS } from '../report.ts';
import type { PageHost } from './content.ts';
import { type Html, html } from './html.ts';

/** In the order of importance for the operator. */
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
  const prefix = hosts.length > 1 ? `Unreachable: ${unreached.join(', ')}` : 'Unreachable';
  return { status: 'failed', text: status === 'failed' ? `${prefix}; ${text}` : prefix };
}

function verdictOn(checks: readonly CheckResult[]): Verdict {
  const [failed, warned, passed] = WORST_FIRST.map((each) => checks.filter(({ status }) => status === each));
  const count = (some: readonly CheckResult[] = []) => plural(some.length, 'check');
  if (failed?.length) return { status: 'failed', text: `${count(failed)} failed` };
  if (warned?.length)
    return { status: 'warned', text: `No check failed, ${plural(warned.length, 'warning')}` };
  if (passed?.length === checks.length) return { status: 'passed', text: 'All checks passed' };
  if (passed?.length) return { status: 'passed', text: 'No check failed, some were skipped' };
  return { status: 'skipped', text: 'Nothing could be checked' };
}

/** A verdict as a line. */
export function line({ status, text }: Verdict): Html {
  return html`<span class="${status}"><span aria-hidden="true">${MARKS[status][1]}</span> ${text}</span>`;
}

/** A status as a mark and a word, so that it does not depend on color alone. */
export function badge(status: CheckStatus): Html {
  return html`<span class="badge ${status}"><span aria-hidden="true">${MARKS[status][1]}</span> ${status}</span>`;
}

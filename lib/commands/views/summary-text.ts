/** What became of hosts, in words. */

import type { CheckResult, CheckStatus } from '../../checks/catalog.ts';
import type { Fault, HostReport } from '../../model/host-report.ts';
import { alike, shortList } from '../../util/collections.ts';

/** What became of one host, its name as wide as the others'. */
export function row(report: HostReport, widest = 0): string {
  const { host, release, checks = [] } = report;
  const what = `${`${host}:`.padEnd(widest + 1)} ${became(report)}${release ? ` (release ${release})` : ''}`;
  return [what, ...besides(report), ...told(checks)].join('; ');
}

/** What became of a host, in a few words. */
export function became({ outcome, meaning, todo }: HostReport): string {
  if (todo) return 'putting back failed, do the steps above by hand';
  return meaning ?? MEANING[outcome];
}

/** What needs attention, by what it is about; undefined where nothing does. */
export function needs(attention: readonly Fault[] = []): string | undefined {
  const about = [...new Set(attention.map((fault) => fault.about))];
  return about.length > 0 ? `needs attention: ${about.join(', ')}` : undefined;
}

/** What needs attention beside what became of the host; nothing where its meaning includes that. */
export function besides({ meaning, attention }: HostReport): readonly string[] {
  const text = meaning === undefined ? needs(attention) : undefined;
  return text === undefined ? [] : [text];
}

/** `20 proxies: 18 live, 2 refused (10.0.0.7, 9)`: those that are not well by name. */
export function howMany(hosts: readonly HostReport[], isWell: (host: HostReport) => boolean): string {
  const groups = alike(
    hosts.map((host) => [host.host, { word: inAWord(host), well: isWell(host) }] as const),
  );
  const counts = groups.map(({ what: { word, well }, hosts: names }) =>
    well ? `${names.length} ${word}` : `${names.length} ${word} (${shortList(names)})`,
  );
  return `${hosts.length} proxies: ${counts.join(', ')}`;
}

function inAWord(host: HostReport): string {
  const word = became(host).split(/[,:;]/)[0] ?? '';
  if (host.checks?.some(({ ok }) => !ok)) return `${word} with a failed check`;
  return besides(host).length > 0 ? `${word} but needs attention` : word;
}

/** How the checks went, and which failed. */
export function told(checks: readonly CheckResult[]): string[] {
  const failed = checks.filter(({ ok }) => !ok).map(({ name }) => name);
  return [...counted(checks), ...(failed.length > 0 ? [`failed: ${failed.join(', ')}`] : [])];
}

const MEANING: Readonly<Record<HostReport['outcome'], string>> = {
  applied: 'live',
  unchanged: 'unchanged',
  planned: 'planned, nothing was changed',
  'rolled-back': 'rolled back, what was served before still is',
  refused: 'refused, nothing was changed',
  failed: 'failed, nothing was changed',
  unknown: 'outcome unknown',
};

/** How many passed, warned, failed and were skipped; nothing without checks. */
export function counted(checks: readonly CheckResult[]): string[] {
  const count = (wanted: CheckStatus) => checks.filter(({ status }) => status === wanted).length;
  const parts = (['passed', 'warned', 'failed', 'skipped'] as const)
    .filter((status) => count(status) > 0)
    .map((status) => `${count(status)} ${status}`);
  return parts.length > 0 ? [`checks: ${parts.join(', ')}`] : [];
}

/** Report entries of a rollout: the hops to the hosts, what happened on each, which files it touched, and how they differ. */
import { type HostReport, isDone, isWell } from '../../model/host-report.ts';
import { titleOf } from '../../model/site.ts';
import type { Report } from '../../output/report.ts';
import type { Fleet } from '../../remote/target.ts';
import type { Hop } from '../../ssh/hops.ts';
import { groupIdentical, shortHostList } from '../../util/collections.ts';
import type { Context } from '../context.ts';
import { became, besides } from './summary.ts';

/** Reports the hosts and the route to them, before the work begins. */
export function reportRoute({ site, report }: Context, { targets, notice }: Fleet): void {
  const hops = new Set(targets.flatMap((target) => target.hops.map(describe)));
  for (const text of hops) report.print({ kind: 'detail', text });
  const hosts = targets.map(({ host }) => host);
  const where = hosts.length > MANY ? `${hosts.length} proxies` : hosts.join(', ');
  const [first] = targets;
  const isHere = first?.hops.length === 0;
  const path = first?.hops.length === 1 ? 'directly' : `through ${first?.hops.at(-2)?.host}`;
  const text = `${titleOf(site)} on ${isHere ? 'this machine' : `${where}, ${path}`}`;
  report.print({ kind: 'title', text });
  if (notice) report.print({ kind: 'note', text: notice });
  report.print({ kind: 'hosts', hosts });
}

// More names do not fit into one line.
const MANY = 3;

const describe = ({ label, host, user, port, keys }: Hop): string =>
  `${label}: ${user}@${host} port ${port}, ${keys.length > 0 ? keys.join(', ') : 'agent'}`;

/** Reports the result of a host in one piece, because others are in progress. */
export function reportEnd({ report, settings }: Context, host: HostReport): void {
  report.print({ kind: 'over', host: host.host });
  const warn = (text: string) => report.print({ kind: 'warning', host: host.host, text });
  for (const { path, how } of host.drift) warn(`${path} was ${how} by hand since the last release`);
  const { failure, todo } = host;
  if (failure) report.print({ kind: 'failure', host: host.host, failure, became: became(host), todo });
  else if (settings.access.hosts.length > 1) reportLine(report, host);
}

function reportLine(report: Report, host: HostReport): void {
  const milliseconds = Object.values(host.milliseconds).reduce((sum, each) => sum + each, 0);
  const hasFailedCheck = isDone(host) && host.checks?.some(({ ok }) => !ok);
  const what = hasFailedCheck ? `${became(host)}, but a check failed` : became(host);
  const text = [what, ...besides(host)].join('; ');
  report.print({ kind: 'host', host: host.host, ok: isWell(host), milliseconds, text });
}

/** Reports the files that were changed, or would be; of several hosts once for those that are identical. */
export function reportFiles(report: Report, hosts: readonly HostReport[]): void {
  const isReported = ({ outcome }: HostReport) => outcome === 'applied' || outcome === 'planned';
  const all = hosts.filter(isReported).map((host) => [host.host, changes(host)] as const);
  for (const { what, hosts: names } of groupIdentical(all)) {
    if (hosts.length > 1 && what.length > 0)
      report.print({ kind: 'file', text: `on ${shortHostList(names)}` });
    for (const text of what) report.print({ kind: 'file', text });
  }
}

function changes({ outcome, files }: HostReport): readonly string[] {
  const [changes, removes] =
    outcome === 'planned' ? ['would change', 'would remove'] : ['changed', 'removed'];
  return files
    .filter(({ changed }) => changed)
    .map(({ path, isRemoved }) => `${isRemoved ? removes : changes} ${path}`);
}

interface Change {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/**
 * After a dry run, reports the diff of every file that would change, once where it is the same on several hosts; returns the
 * reports with their diffs. Tokens are fingerprints already when they come from the host.
 */
export async function withDiffs(
  { flags, report }: Pick<Context, 'flags' | 'report'>,
  hosts: readonly HostReport[],
): Promise<readonly HostReport[]> {
  if (!flags['dry-run']) return hosts;
  // Loaded here: no other run needs it.
  const patch = await import('diff');
  const until = performance.now() + DIFFS_MS;
  const changes = hosts.flatMap(({ host, texts }) =>
    [...texts].map(([path, text]) => [host, { path, ...text }] as const),
  );
  const diffs = groupIdentical(changes).map(({ what, hosts }) => {
    const hunks = diff(patch, what, until - performance.now());
    const on = (host: string) => `--- ${what.path}\ton ${host}\n+++ ${what.path}\twanted\n${hunks}`;
    return { path: what.path, hosts, on };
  });
  for (const { hosts, on } of diffs) {
    const [first = '', ...others] = hosts;
    report.print({ kind: 'diff', text: on(first) });
    if (others.length > 0) report.print({ kind: 'note', text: `the same on ${shortHostList(others)}` });
  }
  return hosts.map((report) => {
    const own = diffs.filter(({ hosts }) => hosts.includes(report.host));
    return { ...report, diff: own.map(({ path, on }) => ({ path, diff: on(report.host) })) };
  });
}

/** For all diffs together: they block everything else, even Ctrl-C. */
const DIFFS_MS = 500;

function diff(
  { createTwoFilesPatch, OMIT_HEADERS }: typeof import('diff'),
  { path, before, after }: Change,
  timeout: number,
): string {
  const text = createTwoFilesPatch(path, path, before, after, undefined, undefined, {
    headerOptions: OMIT_HEADERS,
    timeout: Math.max(1, timeout),
  });
  const count = (side: string): number => side.split('\n').length - 1;
  return text?.trimEnd() ?? `Too different to compare: ${count(before)} lines, ${count(after)} wanted.`;
}

/** What is told of a change: the hops to the hosts, what became of each, which files it touched, and how they differ. */
import { type HostReport, isDone, isWell } from '../../model/host-report.ts';
import type { Report } from '../../output/report.ts';
import type { Hop } from '../../ssh/hops.ts';
import { groupIdentical, shortHostList } from '../../util/collections.ts';
import type { Context } from '../context.ts';
import { became, besides } from './summary.ts';

interface Route {
  readonly hops: readonly Hop[];
}

/** Tells where the work goes, before it begins. */
export function tellRoutes({ site, settings, report }: Context, all: readonly Route[]): void {
  const { hosts } = settings.access;
  const hops = new Set(all.flatMap((route) => route.hops.map(describe)));
  for (const text of hops) report.tell({ kind: 'detail', text });
  const where = hosts.length > MANY ? `${hosts.length} proxies` : hosts.join(', ');
  const by = all[0]?.hops.length === 1 ? 'directly' : `through ${all[0]?.hops.at(-2)?.host}`;
  report.tell({ kind: 'title', text: `${site.name} on ${where}, ${by}` });
  report.tell({ kind: 'hosts', hosts });
}

// So many names fit into one line.
const MANY = 3;

const describe = ({ label, host, user, port, keys }: Hop): string =>
  `${label}: ${user}@${host} port ${port}, ${keys.length > 0 ? keys.join(', ') : 'agent'}`;

/** Tells what became of a host, all at once: others are at work meanwhile. */
export function tellEnd({ report, settings }: Context, done: HostReport): void {
  const { host, failure, drift, todo } = done;
  report.tell({ kind: 'over', host });
  for (const { path, how } of drift)
    report.tell({
      kind: 'warning',
      host,
      text: `${path} was ${how} by hand since the last release`,
    });
  if (failure) report.tell({ kind: 'failure', host, failure, became: became(done), todo });
  else if (settings.access.hosts.length > 1) tellLine(report, done);
}

function tellLine(report: Report, done: HostReport): void {
  const milliseconds = Object.values(done.milliseconds).reduce((sum, each) => sum + each, 0);
  const hasFailedCheck = isDone(done) && done.checks?.some(({ ok }) => !ok);
  const what = hasFailedCheck ? `${became(done)}, but a check failed` : became(done);
  const text = [what, ...besides(done)].join('; ');
  report.tell({ kind: 'host', host: done.host, ok: isWell(done), milliseconds, text });
}

/** Tells the files that were changed, or would be; of several hosts once for those that are alike. */
export function tellFiles(report: Report, hosts: readonly HostReport[]): void {
  const isTold = ({ outcome }: HostReport) => outcome === 'applied' || outcome === 'planned';
  const all = hosts.filter(isTold).map((host) => [host.host, changes(host)] as const);
  for (const { what, hosts: names } of groupIdentical(all)) {
    if (hosts.length > 1 && what.length > 0)
      report.tell({ kind: 'file', text: `on ${shortHostList(names)}` });
    for (const text of what) report.tell({ kind: 'file', text });
  }
}

function changes({ outcome, files }: HostReport): readonly string[] {
  const verb = outcome === 'planned' ? 'would change' : 'changed';
  return files.filter(({ changed }) => changed).map(({ path }) => `${verb} ${path}`);
}

interface Change {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/**
 * Tells the diff of every file that would change, once where it is the same on several hosts.
 * Tokens are fingerprints already when they come from the host.
 */
export async function tellDiffs(hosts: readonly HostReport[], report: Report): Promise<void> {
  // Loaded here: no other run has a use for it.
  const patch = await import('diff');
  const all = hosts.flatMap(({ host, texts }) =>
    [...texts].map(([path, text]) => [host, { path, ...text }] as const),
  );
  for (const {
    what,
    hosts: [first = '', ...others],
  } of groupIdentical(all)) {
    report.tell({ kind: 'diff', text: diff(patch, what, first) });
    if (others.length > 0) report.tell({ kind: 'note', text: `the same on ${shortHostList(others)}` });
  }
}

type Patch = typeof import('diff');

const diff = (
  { createTwoFilesPatch, FILE_HEADERS_ONLY }: Patch,
  { path, before, after }: Change,
  host: string,
): string =>
  createTwoFilesPatch(path, path, before, after, `on ${host}`, 'wanted', {
    headerOptions: FILE_HEADERS_ONLY,
  }).trimEnd();

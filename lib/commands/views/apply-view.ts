/** What is told of a change: the way to the hosts, what became of each, which files it touched. */

import type { HostReport } from '../../model/host-report.ts';
import type { Report } from '../../output/report.ts';
import type { Hop } from '../../ssh/hops.ts';
import { alike, shortList } from '../../util/collections.ts';
import type { Context } from '../context.ts';
import { isDone, isWell } from './summary.ts';
import { became, besides } from './summary-text.ts';

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
    report.tell({ kind: 'warning', host, text: `${path} was ${how} by hand since the last release` });
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
  for (const { what, hosts: names } of alike(all)) {
    if (hosts.length > 1 && what.length > 0) report.tell({ kind: 'file', text: `on ${shortList(names)}` });
    for (const text of what) report.tell({ kind: 'file', text });
  }
}

function changes({ outcome, files }: HostReport): readonly string[] {
  const verb = outcome === 'planned' ? 'would change' : 'changed';
  return files.filter(({ changed }) => changed).map(({ path }) => `${verb} ${path}`);
}

/** The status of the proxies: read once from each, judged, compared, reported. */
import { type HostReport, isDone, withVerdict } from '../model/host-report.ts';
import { timeNow } from '../model/run.ts';
import { statusProgram } from '../program/history-programs.ts';
import { isDeployed } from '../remote/status.ts';
import type { Context, Result } from './context.ts';
import { rollout } from './rollout.ts';
import * as views from './views/client-differences.ts';
import { type HostStatus, hostStatus, statusEntries } from './views/status-view.ts';
import { asRead, needs, summarize } from './views/summary.ts';

/** A proxy, and what it has; undefined if it could not be read. */
interface ProxyStatus {
  readonly report: HostReport;
  readonly found?: HostStatus;
}

/** Reads what every proxy has; its report says whether it is healthy. */
export async function readStatus(context: Context): Promise<readonly ProxyStatus[]> {
  const program = await statusProgram(context.site, 'everything');
  const found = new Map<string, HostStatus>();
  const reports = await rollout(context, async (proxy) => {
    const report = await proxy.read(program);
    if (!isDone(report)) return asRead(report);
    const status = hostStatus(report, context.site, timeNow());
    found.set(proxy.host, status);
    return judged(report, status);
  });
  return reports.map((report) => {
    const status = found.get(report.host);
    return { report, ...(status && isDone(report) && { found: status }) };
  });
}

function judged(report: HostReport, { status, points }: HostStatus): HostReport {
  const attention = points.filter(({ status: is }) => is === 'failed' || is === 'warned');
  const meaning = needs(attention) ?? (isDeployed(status) ? 'healthy' : 'not deployed');
  return withVerdict(report, { attention: attention.map(({ about, text }) => ({ about, text })), meaning });
}

/** Reports what each host that was read has, and where the clients of several differ; then the summary. */
export function summarizeStatus(context: Context, proxies: readonly ProxyStatus[]): Result {
  const { print } = context.report;
  const differences = views.clientDifferences(proxies.flatMap(clientsOn));
  for (const { report, found } of proxies)
    if (found) for (const entry of statusEntries(report, found)) print(entry);
  if (differences.length > 0) print({ kind: 'title', text: 'Clients that differ between the proxies' });
  for (const difference of differences)
    print({ kind: 'point', status: 'warned', text: views.differenceText(difference) });
  const hosts = proxies.map(({ report }) => views.withDifferences(report, differences));
  return summarize(context, {
    hosts,
    details: proxies.map(({ found }, i) => statusJson(hosts[i], found)),
    json: { ...(hosts.length > 1 && { clientDifferences: differences }) },
  });
}

/** What an earlier release wrote has no fingerprint to compare. */
function clientsOn({ report: { host }, found }: ProxyStatus): readonly views.ClientsOn[] {
  const { clients = [] } = found?.status ?? {};
  const isComparable = found && isDeployed(found.status) && clients.every(({ state }) => state !== 'old');
  return isComparable ? [{ host, clients }] : [];
}

/** A host's verdict (`healthy`, `needs attention`, `not deployed`, `not checked`) and its status. */
function statusJson(report: HostReport | undefined, found: HostStatus | undefined): object {
  if (!found) return { verdict: 'not checked' };
  return { verdict: report?.meaning?.split(':')[0], ...found.status };
}

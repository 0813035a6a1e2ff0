/** `bearers.ts usage`: the use of each client by the access log, for people, as JSON and for Prometheus. */
import { type HostReport, isDone } from '../model/host-report.ts';
import { readSpan } from '../model/when.ts';
import { usageProgram } from '../program/history-programs.ts';
import { type ClientUsage, type Quantiles, requestsIn, type Usage, usageOf } from '../remote/usage-rows.ts';
import type { Context, Result } from './context.ts';
import { readAll } from './rollout.ts';
import { summarize } from './views/summary.ts';
import { requestEntry, usageEntries } from './views/usage-view.ts';

/** Evaluates the access logs: the usage of each client, or one request, in the format that the flags select. */
export async function evaluateUsage(context: Context): Promise<Result> {
  const { site, flags, report } = context;
  const seconds = flags.since === undefined ? undefined : readSpan(flags.since);
  const hosts = await readAll(context, await usageProgram(site, seconds, flags.request));
  const usages = hosts.map((host) => (isDone(host) ? usageOf(host) : undefined));
  const details = hosts.map((host, i) => {
    const usage = usages[i];
    if (!usage) return {};
    if (hosts.length > 1) report.print({ kind: 'title', text: host.host });
    if (flags.request !== undefined) {
      const requests = requestsIn(host);
      report.print(requestEntry(flags.request, requests));
      return { requests };
    }
    for (const entry of usageEntries(usage)) report.print(entry);
    return { usage };
  });
  const result = summarize(context, { hosts, details });
  return flags.prometheus ? { ...result, data: prometheusText(site.name, hosts, usages) } : result;
}

/** A metric of one client: its help text, and its value; undefined where the log does not have it. */
type Metric = readonly [help: string, value: (usage: ClientUsage) => number | Quantiles | undefined];

const METRICS: Readonly<Record<string, Metric>> = {
  requests: ['Requests in the access log.', ({ requests }) => requests],
  refused: ['Requests refused by the gate (401, 403, 429).', ({ refused }) => refused],
  errors: ['Requests answered with 5xx.', ({ errors }) => errors],
  aborted: ['Requests that the client aborted.', ({ aborted }) => aborted],
  bytes: ['Bytes sent to the client.', ({ bytes }) => bytes],
  backend_seconds: ['Time that the backend took.', ({ backendSeconds }) => backendSeconds],
  first_byte_seconds: ['Time to the first byte of the backend.', ({ firstByte }) => firstByte],
  duration_seconds: ['Time to the end of the answer.', ({ total }) => total],
  last_use_timestamp_seconds: ['Time of the last request.', ({ lastUsed }) => Date.parse(lastUsed) / 1000],
};

/** The usage in the text format of Prometheus: gauges over the span of the log. */
function prometheusText(
  site: string,
  hosts: readonly HostReport[],
  usages: readonly (Usage | undefined)[],
): string {
  const lines = Object.entries(METRICS).flatMap(([name, [help, value]]) => {
    const metric = `gatepost_client_${name}`;
    const samples = hosts.flatMap(({ host }, i) =>
      (usages[i]?.clients ?? []).flatMap((each) =>
        samplesOf(metric, { site, host, client: each.client ?? '' }, value(each)),
      ),
    );
    return samples.length > 0 ? [`# HELP ${metric} ${help}`, `# TYPE ${metric} gauge`, ...samples] : [];
  });
  return `${lines.join('\n')}\n`;
}

type Labels = Readonly<Record<string, string>>;

function samplesOf(metric: string, labels: Labels, value: number | Quantiles | undefined): readonly string[] {
  if (value === undefined) return [];
  const sample = (own: Labels, of: number) => `${metric}{${labelText({ ...labels, ...own })}} ${of}`;
  if (typeof value === 'number') return [sample({}, value)];
  return [sample({ quantile: '0.5' }, value.p50), sample({ quantile: '0.95' }, value.p95)];
}

const labelText = (labels: Labels): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replace(/[\\"]/g, '\\$&')}"`)
    .join(',');

/** `bearers.ts usage`: the use of each client by the access log, for people, as JSON and for Prometheus. */
import { type HostReport, isDone } from '../model/host-report.ts';
import { readSpan } from '../model/when.ts';
import { usageProgram } from '../program/history-programs.ts';
import { type ClientUsage, type Quantiles, requestsIn, usageOf } from '../remote/usage-rows.ts';
import type { Context, Result } from './context.ts';
import { readAll } from './rollout.ts';
import { summarize } from './views/summary.ts';
import { requestEntries, usageEntries } from './views/usage-view.ts';

/** Evaluates the access logs: the usage of each client, or one request, in the format that the flags select. */
export async function evaluateUsage(context: Context): Promise<Result> {
  const { since, request } = context.flags;
  const seconds = since === undefined ? undefined : readSpan(since);
  const hosts = await readAll(context, await usageProgram(context.site, seconds, request));
  reportUsage(context, hosts);
  const data = prometheusText(context, hosts);
  return { ...summarize(context, { hosts, details: usageJson(context, hosts) }), ...(data && { data }) };
}

function reportUsage({ report, flags: { request } }: Context, hosts: readonly HostReport[]): void {
  for (const host of hosts.filter(isDone)) {
    if (hosts.length > 1) report.print({ kind: 'title', text: host.host });
    const entries =
      request === undefined ? usageEntries(usageOf(host)) : requestEntries(request, requestsIn(host));
    for (const entry of entries) report.print(entry);
  }
}

/** For --json: the usage of each host, or the requests with the id. */
function usageJson({ flags: { request } }: Context, hosts: readonly HostReport[]): readonly object[] {
  return hosts.map((host) => {
    if (!isDone(host)) return {};
    return request === undefined ? { usage: usageOf(host) } : { requests: requestsIn(host) };
  });
}

/** A metric of one client; undefined where the log does not have it. */
interface Metric {
  readonly name: string;
  readonly help: string;
  readonly value: (usage: ClientUsage) => number | Quantiles | undefined;
}

const METRICS: readonly Metric[] = [
  { name: 'requests', help: 'Requests in the access log.', value: ({ requests }) => requests },
  { name: 'refused', help: 'Requests refused by the gate (401, 403, 429).', value: ({ refused }) => refused },
  { name: 'errors', help: 'Requests answered with 5xx.', value: ({ errors }) => errors },
  { name: 'aborted', help: 'Requests that the client aborted.', value: ({ aborted }) => aborted },
  { name: 'bytes', help: 'Bytes sent to the client.', value: ({ bytes }) => bytes },
  {
    name: 'backend_seconds',
    help: 'Time that the backend took.',
    value: ({ backendSeconds }) => backendSeconds,
  },
  {
    name: 'first_byte_seconds',
    help: 'Time to the first byte of the backend.',
    value: ({ firstByte }) => firstByte,
  },
  { name: 'duration_seconds', help: 'Time to the end of the answer.', value: ({ total }) => total },
  {
    name: 'last_use_timestamp_seconds',
    help: 'Time of the last request.',
    value: ({ lastUsed }) => Date.parse(lastUsed) / 1000,
  },
];

/** With --prometheus: the usage in the text format of Prometheus, gauges over the span of the log; else undefined. */
function prometheusText({ site, flags }: Context, hosts: readonly HostReport[]): string | undefined {
  if (!flags.prometheus) return undefined;
  const done = hosts.filter(isDone).map((host) => ({ host: host.host, usage: usageOf(host) }));
  const lines = METRICS.flatMap(({ name, help, value }) => {
    const metric = `gatepost_client_${name}`;
    const samples = done.flatMap(({ host, usage }) =>
      usage.clients.flatMap((each) =>
        samplesOf(metric, { site: site.name, host, client: each.client ?? '' }, value(each)),
      ),
    );
    return samples.length > 0 ? [`# HELP ${metric} ${help}`, `# TYPE ${metric} gauge`, ...samples] : [];
  });
  return `${lines.join('\n')}\n`;
}

function samplesOf(
  metric: string,
  labels: Readonly<Record<string, string>>,
  value: number | Quantiles | undefined,
): readonly string[] {
  if (value === undefined) return [];
  if (typeof value === 'number') return [`${metric}{${labelText(labels)}} ${value}`];
  return [
    `${metric}{${labelText({ ...labels, quantile: '0.5' })}} ${value.p50}`,
    `${metric}{${labelText({ ...labels, quantile: '0.95' })}} ${value.p95}`,
  ];
}

const labelText = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replace(/[\\"]/g, '\\$&')}"`)
    .join(',');

/** Copies the clients of one proxy to another, with their tokens: from one connection to the other, and nowhere else. */
import { bearerOpens } from '../checks/gate/bearer-live.ts';
import { judgeClientName, judgeTokenForm, SCOPES } from '../model/bearer.ts';
import type { Check } from '../model/check.ts';
import { known } from '../model/contract.ts';
import { type Failure, failedReport, type HostReport, isDone } from '../model/host-report.ts';
import type { Gate } from '../model/site.ts';
import { type CopiedToken, copyProgram, exportProgram } from '../program/client-program.ts';
import { statusProgram } from '../program/history-programs.ts';
import { plural } from '../util/plural.ts';
import { Secret } from '../util/secret.ts';
import type { Context, Result } from './context.ts';
import { type RolloutProxy, rollout } from './rollout.ts';
import { proxyTarget, runSiteChecks, withChecks } from './site-checks.ts';
import { summarize } from './views/summary.ts';

/** Copies the client `name`, or all, from `--from` to `--to`; one change there, proven by requests. */
export async function copyClients(context: Context, name: string): Promise<Result> {
  const [from = '', to = ''] = context.settings.access.hosts;
  const { source, tokens } = await readTokens(onlyOn(context, from), name);
  if (!isDone(source)) return summarize(context, { hosts: [source], json: { from, clients: [] } });
  const program = await copyProgram(context, tokens, from, context.flags['dry-run']);
  const target = onlyOn(context, to);
  const hosts = await rollout(target, async (proxy) =>
    proven(target, proxy, { report: await proxy.apply(program), tokens }),
  );
  return summarize(context, { hosts, json: { from, clients: namesOf(tokens) } });
}

/** The same run, with one proxy only. */
const onlyOn = (context: Context, host: string): Context => ({
  ...context,
  settings: { ...context.settings, access: { ...context.settings.access, hosts: [host] } },
});

const namesOf = (tokens: readonly CopiedToken[]): readonly string[] => [
  ...new Set(tokens.map(({ client }) => client)),
];

/** The tokens of the client `name`, or of all, and the report of the proxy without them; from here on they are hidden. */
async function readTokens(context: Context, name: string) {
  const program = await exportProgram(context.site);
  let tokens: readonly CopiedToken[] = [];
  const [source] = await rollout(context, async (proxy) => {
    const { rows, ...read } = await proxy.read(program);
    for (const row of rows.token ?? []) context.report.hide(new Secret(row[8] ?? ''));
    tokens = wantedTokens(context, rows.token ?? [], name);
    const report: HostReport = { ...read, rows: {} };
    return tokens.length > 0 || !isDone(report) ? report : failedReport(report, nothing(name), 'refused');
  });
  return { source: source as HostReport, tokens };
}

const nothing = (name: string): Failure => ({
  code: 'no-client',
  text: `there is no client ${name ? `${name} ` : ''}to copy`,
});

type Rows = readonly (readonly string[])[];

/** Those of the client `name`, or of all; warns of what this site cannot have. */
function wantedTokens({ site, report }: Context, rows: Rows, name: string): readonly CopiedToken[] {
  const wanted = rows.filter(([client]) => name === '' || client === name);
  const tokens = site.gate ? tokensOf(wanted, site.gate) : [];
  const left = wanted.length - tokens.length;
  const text = `${plural(left, 'token')} not copied: with a limit or in a form that this site does not have`;
  if (left > 0) report.print({ kind: 'warning', text });
  return tokens;
}

const TIME = /^[0-9TZ:-]{0,30}$/;
const END = /^(?:-|\d{1,10})$/;

/** What a proxy says is not trusted: a row of another form is left out. */
function tokensOf(rows: Rows, gate: Gate): readonly CopiedToken[] {
  return rows.flatMap((row) => {
    const [client = '', created = '', rotated = '', word = '', limit = '', ...rest] = row;
    const [concurrent = '', end = '', state = '', token = ''] = rest;
    const scope = known(SCOPES, word);
    const isOurs =
      judgeClientName(client) === undefined &&
      judgeTokenForm(token) === undefined &&
      (limit === '-' || limit in gate.limits) &&
      (concurrent === '-' || gate.concurrent.includes(Number(concurrent))) &&
      (state === '-' || state === 'suspended') &&
      TIME.test(created) &&
      TIME.test(rotated) &&
      END.test(end);
    if (!scope || !isOurs) return [];
    return [{ client, created, rotated, scope, limit, concurrent, end, state, token: new Secret(token) }];
  });
}

/** So many clients are tried; the others are in the same change. */
const TRIED = 10;

/** The report, with requests to this proxy by the copied tokens that are live. */
async function proven(
  context: Context,
  proxy: RolloutProxy,
  { report, tokens }: { readonly report: HostReport; readonly tokens: readonly CopiedToken[] },
): Promise<HostReport> {
  const { flags, site } = context;
  if (!site.gate || flags['no-verify'] || flags['dry-run'] || !isDone(report)) return report;
  const checks = proofs(tokens, site.gate.models);
  if (checks.length === 0) return report;
  return withChecks(context, report, async () => {
    const listens = await proxy.read(await statusProgram(site, 'listens'), { isSilent: true });
    return runSiteChecks(checks, proxyTarget(context, proxy, { report: listens }));
  });
}

function proofs(tokens: readonly CopiedToken[], path: string): readonly Check[] {
  const now = Date.now() / 1000;
  const live = tokens.filter(({ state, end }) => state === '-' && (end === '-' || Number(end) > now));
  return live
    .slice(0, TRIED)
    .map(({ client, token }) => bearerOpens(`bearer of ${client} opens`, path, token));
}

/** A change of one client of the gate: its plan, its new token, the proof from here, what the client needs. */
import { bearerOpens, bearerRefused } from '../checks/gate/bearer-live.ts';
import { secretOf } from '../config/settings.ts';
import { DEFAULT_CLIENT, type Scope, tokenFingerprint } from '../model/bearer.ts';
import type { Check, CheckResult } from '../model/check.ts';
import { type HostReport, isDone, mayBeLive, withVerdict } from '../model/host-report.ts';
import type { Program } from '../model/run.ts';
import type { Gate } from '../model/site.ts';
import { readWhen } from '../model/when.ts';
import { newToken } from '../nginx/tokens.ts';
import { type ClientChange, clientProgram, type Wanted } from '../program/client-program.ts';
import type { Secret } from '../util/secret.ts';
import type { Context, Result } from './context.ts';
import { checkTarget, runReported } from './site-checks.ts';
import { clientText } from './views/client-views.ts';
import { summarize } from './views/summary.ts';

export interface ClientPlan {
  readonly change: ClientChange;
  readonly program: Program;
  /** Was the token generated? Then it is shown once. */
  readonly isNew: boolean;
  /** The token until now, if this machine knows it. */
  readonly old?: Secret;
}

/** The plan of a change; from here on its tokens are hidden, and an interruption shows a new one. */
export async function planChange(
  context: Context,
  { change, isNew, old }: Omit<ClientPlan, 'program'>,
): Promise<ClientPlan> {
  const { flags, report, underWay } = context;
  const token = 'token' in change ? change.token : undefined;
  for (const secret of [token, old]) if (secret) report.hide(secret);
  if (token && isNew && !flags['dry-run']) underWay.tokens.set(change.client, token);
  const program = await clientProgram(context, change, flags['dry-run']);
  return { change, program, isNew, ...(old && { old }) };
}

function wantedOf({ flags: { scope, limit, concurrent, expires } }: Context): Wanted {
  const end = expires === 'never' ? expires : expires && readWhen(expires, new Date());
  return {
    ...(scope && { scope: scope as Scope }),
    ...(limit && { limit }),
    ...(concurrent && { concurrent }),
    ...(end && { end }),
  };
}

/**
 * The plan of a command of bearers.ts: `revoke` takes a client's tokens out of the gate, `suspend` only for now; `add` does not
 * use the token in the settings.
 */
export async function planClientChange(
  context: Context,
  word: 'add' | 'set' | 'suspend' | 'resume' | 'revoke',
  client: string,
): Promise<ClientPlan> {
  const wanted = wantedOf(context);
  if (word === 'add') {
    const { scope = 'inference' } = wanted;
    const change = { verb: 'add_client', client, token: await newToken(), ...wanted, scope } as const;
    return planChange(context, { change, isNew: true });
  }
  const change: ClientChange =
    word === 'set' ? { verb: 'set_client', client, ...wanted } : { verb: `${word}_client`, client };
  const known = client === DEFAULT_CLIENT ? secretOf(context.settings, context.site.gate?.token) : undefined;
  return planChange(context, { change, isNew: false, ...(known && { old: known }) });
}

/**
 * The report of a change that ended a client's tokens (the fact `ended`). That is final, even if the rest failed; the next
 * change removes the client's file.
 */
export function judgeEnding(report: HostReport): HostReport {
  const { facts, outcome, todo } = report;
  if (!facts.ended || todo || isDone(report) || outcome === 'unknown') return report;
  const text =
    'its tokens are refused from now on, by every worker of nginx; its file could not be changed, for the reason above, and is with the next change';
  return withVerdict({ ...report, outcome: 'applied' }, { attention: [{ about: 'the client', text }] });
}

/** Shows a generated token, if it may be live. */
export function showClientToken(
  { flags, report }: Context,
  { change, isNew }: ClientPlan,
  hosts: readonly HostReport[],
): Secret | undefined {
  if (!isNew || !('token' in change) || !hosts.some(mayBeLive)) return undefined;
  if (!flags.json) report.showToken(change.client, change.token);
  return change.token;
}

const isLive = ({ flags }: Context, hosts: readonly HostReport[]): boolean =>
  hosts.some(isDone) && !flags['dry-run'];

/** Proves the change by requests from here. */
export async function proveChange(
  context: Context,
  plan: ClientPlan,
  hosts: readonly HostReport[],
): Promise<readonly CheckResult[]> {
  const { site, flags, report } = context;
  if (!site.gate || flags['no-verify'] || !isLive(context, hosts)) return [];
  const checks = proofs(site.gate, hosts, plan);
  if (checks.length > 0)
    report.print({ kind: 'title', text: `Requests to https://${site.serverName} from here` });
  return runReported(context, checks, checkTarget(context, {}));
}

function proofs(gate: Gate, hosts: readonly HostReport[], { change, old }: ClientPlan): readonly Check[] {
  const path = gate.models;
  switch (change.verb) {
    case 'add_client':
      return [bearerOpens('new bearer opens', path, change.token)];
    case 'rotate':
      return [
        bearerOpens('new bearer opens', path, change.token),
        ...(old && !change.keepPrevious ? [bearerRefused('old bearer is refused', path, old)] : []),
        ...(old && change.keepPrevious && wasLive(hosts, old)
          ? [bearerOpens('previous bearer opens', path, old)]
          : []),
      ];
    case 'revoke_client':
    case 'suspend_client':
      return old ? [bearerRefused('its bearer is refused', path, old)] : [];
    case 'resume_client':
      return old ? [bearerOpens('its bearer opens', path, old)] : [];
    case 'set_client':
    case 'revoke_previous':
      return [];
  }
}

/** The env file may hold any token; the proxies report the fingerprint of the one that was live. */
const wasLive = (hosts: readonly HostReport[], old: Secret): boolean =>
  hosts.every(({ facts }) => facts.previous === tokenFingerprint(old));

/** Behind one name, every proxy should know the client: how the others get it later, with the same token. */
function reportMissing({ report, flags }: Context, client: string, hosts: readonly HostReport[]): void {
  const has = hosts.find(({ outcome }) => outcome === 'applied')?.host;
  if (has === undefined || flags['dry-run']) return;
  for (const { host } of hosts.filter((report) => !isDone(report))) {
    const text = `client ${client} is missing on ${host}; once it is reachable, \`npx tsx scripts/bearers.ts copy ${client} --from ${has} --to ${host}\` adds it with the same token`;
    report.print({ kind: 'warning', text });
  }
}

const STREAMS_STAY = 'Streams that this client has open are not interrupted; it cannot start new ones.';

/** Reports how the client is set up, then the summary. */
export function summarizeChange(
  context: Context,
  { change }: ClientPlan,
  results: {
    readonly hosts: readonly HostReport[];
    readonly checks: readonly CheckResult[];
    readonly token: Secret | undefined;
  },
): Result {
  const { hosts } = results;
  if (change.verb === 'add_client') reportMissing(context, change.client, hosts);
  const use = isLive(context, hosts) && 'token' in change ? clientText(context.site) : '';
  if (use) context.report.print({ kind: 'text', text: `\n${use}` });
  if (change.verb === 'revoke_client' && hosts.some(({ outcome }) => outcome === 'applied'))
    context.report.print({ kind: 'note', text: STREAMS_STAY });
  return summarize(context, { ...results, json: { client: change.client, ...(use && { use }) } });
}

/** After a change of a client: its token shown, the change proven from here, what the client needs told. */
import { bearerOpens, bearerRefused } from '../checks/gate/bearer-live.ts';
import { runChecks } from '../checks/run-checks.ts';
import { secretOf } from '../config/settings.ts';
import { DEFAULT_CLIENT, tokenFingerprint } from '../model/bearer.ts';
import type { Check, CheckResult } from '../model/check.ts';
import { type HostReport, isDone, mayBeLive } from '../model/host-report.ts';
import { newRun } from '../model/run.ts';
import type { Gate } from '../model/site.ts';
import { type ClientChange, clientProgram } from '../program/client-program.ts';
import type { Secret } from '../util/secret.ts';
import { change as changeOn } from './apply.ts';
import type { Context, Result } from './context.ts';
import type { Rotation } from './rotate.ts';
import { withProgress } from './site-checks.ts';
import { tellDiffs } from './views/apply-view.ts';
import { clientText } from './views/client-views.ts';
import { conclude } from './views/summary.ts';

/** Makes the change on every proxy. */
export async function changeClient(context: Context, change: ClientChange): Promise<readonly HostReport[]> {
  const run = newRun();
  const isDry = context.flags['dry-run'];
  return changeOn(context, run, await clientProgram(run, context.site, change, isDry), !isDry);
}

/** Shows the token, proves the change, gives the result. */
export async function concludeClient(
  context: Context,
  hosts: readonly HostReport[],
  rotation: Rotation,
): Promise<Result> {
  const { site, flags, report } = context;
  const { change, isNew } = rotation;
  if (flags['dry-run']) await tellDiffs(hosts, report);

  const shown = isNew && 'token' in change && hosts.some(mayBeLive) ? change.token : undefined;
  if (shown && !flags.json) report.showToken(change.client, shown);
  const isLive = hosts.some(isDone) && !flags['dry-run'];
  const checks = isLive && !flags['no-verify'] ? await prove(context, hosts, rotation) : [];
  const use = isLive && 'token' in change ? clientText(site) : '';
  if (use) report.tell({ kind: 'text', text: `\n${use}` });
  const result = conclude(context, hosts, checks, shown);
  return { ...result, json: { client: change.client, ...result.json, ...(use && { use }) } };
}

async function prove(
  context: Context,
  hosts: readonly HostReport[],
  rotation: Rotation,
): Promise<readonly CheckResult[]> {
  const { site, report } = context;
  if (!site.gate) return [];
  const checks = await proofs(site.gate, context, hosts, rotation);
  if (checks.length > 0)
    report.tell({ kind: 'title', text: `Requests to https://${site.serverName} from here` });
  const target = { serverName: site.serverName };
  return runChecks(withProgress(checks, report), target, (result) => report.tell({ kind: 'check', result }));
}

async function proofs(
  gate: Gate,
  { settings }: Context,
  hosts: readonly HostReport[],
  { change, old }: Rotation,
): Promise<readonly Check[]> {
  const path = `${gate.path}/v1/models`;
  const known = secretOf(settings, gate.token);
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
      return change.client === DEFAULT_CLIENT && known
        ? [bearerRefused('its bearer is refused', path, known)]
        : [];
    case 'revoke_previous':
      return [];
  }
}

/** The env file may hold any token; the proxies tell the fingerprint of the one that was live. */
const wasLive = (hosts: readonly HostReport[], old: Secret): boolean =>
  hosts.every(({ facts }) => facts.previous === tokenFingerprint(old));

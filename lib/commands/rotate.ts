/** A rotation: which client gets which token, and with --write-env the env file, which then matches the proxies. */
import { type Written, writeSetting } from '../config/env-edit.ts';
import { readEnvFile } from '../config/env-file.ts';
import { UNTIL_REVOKED } from '../config/flag-table.ts';
import { secretOf } from '../config/settings.ts';
import { DEFAULT_CLIENT, judgeClientName, judgeTokenForm } from '../model/bearer.ts';
import { type HostReport, mayBeLive } from '../model/host-report.ts';
import { readDuration } from '../model/when.ts';
import { newToken } from '../nginx/tokens.ts';
import { refuseAll } from '../util/errors.ts';
import { Secret } from '../util/secret.ts';
import { type ClientPlan, planChange } from './client-changes.ts';
import type { Context } from './context.ts';

/**
 * The plan of a rotation. The token in the settings is only for the client `default`. With --write-env the token is written to
 * the env file, so it comes from the process environment or is generated.
 * @throws UsageError for a name that no client can have, and for a site without a gate
 */
export async function planRotation(context: Context): Promise<ClientPlan> {
  const { flags } = context;
  const client = flags.client ?? DEFAULT_CLIENT;
  judge(context, client);
  if (flags['revoke-previous'])
    return planChange(context, { change: { verb: 'revoke_previous', client }, isNew: false });
  const given = client === DEFAULT_CLIENT ? givenToken(context) : undefined;
  const token = given ?? (await newToken());
  const old = client === DEFAULT_CLIENT ? await oldToken(context, token) : undefined;
  const keepPrevious = keepPreviousOf(flags['keep-previous']) ?? false;
  const change = { verb: 'rotate', client, token, keepPrevious } as const;
  return planChange(context, { change, isNew: given === undefined, ...(old && { old }) });
}

/** For so many seconds, until it is revoked, or not at all; undefined for another text. */
const keepPreviousOf = (kept: string | undefined): boolean | number | undefined =>
  kept === undefined || kept === UNTIL_REVOKED ? kept === UNTIL_REVOKED : readDuration(kept);

function judge({ flags, site }: Context, client: string): void {
  const wrong = judgeClientName(client);
  refuseAll([
    !site.gate && `--site ${site.name}: has no bearer gate`,
    keepPreviousOf(flags['keep-previous']) === undefined &&
      '--keep-previous: must be a duration (30s, 15m, 12h, 90d), or have no value',
    wrong && `--client: a client's name is ${wrong}`,
    flags['write-env'] &&
      client !== DEFAULT_CLIENT &&
      `--write-env: the env file contains only the token of the client ${DEFAULT_CLIENT}`,
  ]);
}

function givenToken({ site, settings, flags }: Context): Secret | undefined {
  const name = site.gate?.token;
  const isFromFile = name !== undefined && !settings.inEnvironment.has(name);
  return flags['write-env'] && isFromFile ? undefined : secretOf(settings, name);
}

/** The token in the env file, if it is not the new one. */
async function oldToken({ site, flags }: Context, token: Secret): Promise<Secret | undefined> {
  const { values } = await readEnvFile(flags.env);
  const text = values[site.gate?.token ?? ''];
  if (text === undefined || text === token.reveal() || judgeTokenForm(text) !== undefined) return undefined;
  return new Secret(text);
}

/** With --write-env, writes the new token into the env file, before it is live anywhere. */
export async function writeEnv(context: Context, { change }: ClientPlan): Promise<Written | undefined> {
  const { site, flags, report, underWay } = context;
  if (!flags['write-env'] || flags['dry-run'] || !site.gate || change.verb !== 'rotate') return undefined;
  const written = await writeSetting(flags.env, site.gate.token, change.token);
  underWay.envFile = written.path;
  report.print({
    kind: 'note',
    text: `${written.path} ${written.isNew ? 'now' : 'already'} contains the new token`,
  });
  return written;
}

/** After a rotation, restores the env file if the new token is not live anywhere. */
export async function settleEnv(
  context: Context,
  written: Written | undefined,
  hosts: readonly HostReport[],
): Promise<void> {
  if (!written) return;
  if (hosts.some(mayBeLive)) reportOthers(context, written, hosts);
  else if (written.isNew) await restoreEnv(context, written);
  delete context.underWay.envFile;
}

async function restoreEnv({ report }: Context, { path, undo }: Written): Promise<void> {
  const text = (await undo().catch(() => false))
    ? `${path} was restored: the new token is not live on any proxy`
    : `${path} could not be restored: it contains the new token, which is not live on any proxy; \`npx tsx scripts/deploy.ts\` makes it live`;
  report.print({ kind: 'warning', text });
}

function reportOthers({ report }: Context, { path }: Written, hosts: readonly HostReport[]): void {
  const list = (wanted: (host: HostReport) => boolean) => hosts.filter(wanted).map(({ host }) => host);
  const unknown = list(({ outcome }) => outcome === 'unknown');
  const old = list((host) => !mayBeLive(host));
  const doubt = `whether ${unknown.join(', ')} accepts it is unknown. \`npx tsx scripts/deploy.ts\` makes it live in any case`;
  const rest = `${old.join(', ')} still accepts the old one`;
  for (const text of [...(unknown.length > 0 ? [doubt] : []), ...(old.length > 0 ? [rest] : [])])
    report.print({ kind: 'warning', text: `${path} keeps the new token; ${text}` });
}

/** The backends as people read them, and what is wrong with them: one that does not answer, several that differ. */
import { advised } from '../../diagnosis/row.ts';
import type { CheckStatus } from '../../model/check.ts';
import type { HostReport } from '../../model/host-report.ts';
import { type BackendReports, reportsOf, type Site } from '../../model/site.ts';
import { type BackendStatus, backendsIn } from '../../remote/backend-rows.ts';
import { lookUp } from '../../util/collections.ts';
import { plural } from '../../util/plural.ts';

interface BackendPoint {
  readonly status: CheckStatus;
  readonly text: string;
}

/** A line for each backend, and one for each thing in which machines of one service differ. */
export function backendPoints(
  backends: readonly BackendStatus[],
  site: Pick<Site, 'backends'>,
): readonly BackendPoint[] {
  const reports = reportsOf(site);
  return [
    ...backends.map((backend) => ({
      status: statusOf(backend),
      text: `backend ${nameOf(backend)} ${backend.state}, checked from the proxy${reportText(backend, reports)}${closedHint(site, backends, backend)}`,
    })),
    ...(reports ? differences(backends, reports).map((text) => ({ status: 'warned' as const, text })) : []),
  ];
}

/** What is wrong with the backends of a host that was read. */
export const backendFaults = (host: HostReport, site: Pick<Site, 'backends'>): readonly BackendPoint[] =>
  backendPoints(backendsIn(host, site), site).filter(
    ({ status }) => status === 'failed' || status === 'warned',
  );

const nameOf = ({ address, port }: BackendStatus): string => `${address}:${port}`;

const STATES: Readonly<Record<string, CheckStatus>> = { open: 'passed', untested: 'skipped' };

function statusOf({ state, version }: BackendStatus): CheckStatus {
  return version === '' ? 'warned' : (lookUp(STATES, state) ?? 'failed');
}

function reportText({ version, models }: BackendStatus, reports: BackendReports | undefined): string {
  if (version === '') return `, but without an answer to GET ${reports?.version.path}`;
  const parts = [
    ...(version ? [`version ${version}`] : []),
    ...(models ? [plural(models.length, 'model')] : []),
  ];
  return parts.length > 0 ? `: ${parts.join(', ')}` : '';
}

/** Why a usual port is closed on a machine that answers on another one, if the site knows that. */
function closedHint(
  { backends: known = {} }: Pick<Site, 'backends'>,
  backends: readonly BackendStatus[],
  { address, port, state }: BackendStatus,
): string {
  const isReached = backends.some((other) => other.address === address && other.state === 'open');
  const hint = Object.values(known).find(({ text }) => text.endsWith(`:${port}`))?.whenClosed;
  return hint && state === 'closed' && isReached ? `\n${advised(hint)}` : '';
}

function differences(backends: readonly BackendStatus[], { fix }: BackendReports): readonly string[] {
  return [
    ...versionText(backends.filter(({ version }) => version)),
    ...modelText(
      backends.filter(({ models }) => models),
      fix,
    ),
  ];
}

const names = (backends: readonly BackendStatus[]): string => backends.map(nameOf).join(', ');

function versionText(machines: readonly BackendStatus[]): readonly string[] {
  const versions = [...new Set(machines.flatMap(({ version }) => version ?? []))];
  if (versions.length < 2) return [];
  const each = versions.map((one) => `${one} (${names(machines.filter(({ version }) => version === one))})`);
  return [`the machines have different versions: ${each.join(', ')}; bring them to the same one`];
}

const SHOWN = 5;

/** A request goes to any machine, so a model that is not everywhere is found by chance. */
function modelText(machines: readonly BackendStatus[], fix: string): readonly string[] {
  const all = [...new Set(machines.flatMap(({ models = [] }) => models.map(({ name }) => name)))].sort();
  const texts = all.flatMap((name) => modelDifference(name, machines));
  if (texts.length === 0) return [];
  const more = texts.length > SHOWN ? [`${texts.length - SHOWN} more`] : [];
  return [
    `the machines have different models: ${[...texts.slice(0, SHOWN), ...more].join('; ')}. Each request goes to one of them: ${fix}`,
  ];
}

function modelDifference(name: string, machines: readonly BackendStatus[]): readonly string[] {
  const digest = ({ models = [] }: BackendStatus) => models.find((model) => model.name === name)?.digest;
  const without = machines.filter((machine) => digest(machine) === undefined);
  if (without.length > 0) return [`${name} is not on ${names(without)}`];
  return new Set(machines.map(digest)).size > 1 ? [`${name} is not the same on ${names(machines)}`] : [];
}

/** The programs of rollback, status and removal. */
import type { Settings } from '../config/settings.ts';
import type { Run } from '../model/run.ts';
import { reportsOf, type Site, vhostFile } from '../model/site.ts';
import { renderGate, webSocketMap } from '../nginx/render.ts';
import { quote } from '../util/shell.ts';
import { hookText } from './certificate-programs.ts';
import { contentFunction, gateFunctions, program } from './program.ts';

/** Restores the vhost and the maps of the release `to`, or of the previous release. */
export async function rollbackProgram(
  run: Run,
  { site, settings }: { readonly site: Site; readonly settings: Settings },
  to: string | undefined,
  dryRun: boolean,
): Promise<string> {
  const shared = site.webSocket ? await webSocketMap() : undefined;
  const gate = await renderGate(site, settings);
  return program('rollback', run, site, { DRY: dryRun ? 'yes' : '', TO: to ?? '' }, [
    ...gateFunctions(gate, 1),
    ...(shared ? [contentFunction(0, shared.content)] : []),
    `shared_files() {\n  ${shared ? `want_missing shared ${quote(shared.name)} ${shared.mode} content_0` : ':'}\n}`,
  ]);
}

/** The subject of a status: everything, or only the gate's clients, the backends, or the addresses of the vhost. */
export type StatusOf = 'backends' | 'clients' | 'everything' | 'listens';

/** Reports the state of the host. Read-only. */
export async function statusProgram(run: Run, site: Site, only: StatusOf): Promise<string> {
  const { upstream = '', version, models } = reportsOf(site) ?? {};
  const values = {
    ONLY: only,
    ACCESS_LOG: site.gate?.log ?? '',
    REPORTING_UPSTREAM: upstream,
    REPORT_PATHS: [version?.path, models].filter(Boolean).join(' '),
  };
  return program('status', run, site, values, await hookText());
}

/** Evaluates the access log of the gate: the last `since` seconds or all of it, or the line of the request `id`. */
export function usageProgram(
  run: Run,
  site: Site,
  { since, id = '' }: { since?: number; id?: string },
): Promise<string> {
  const { log = '', path = '' } = site.gate ?? {};
  const values = {
    ACCESS_LOG: log,
    GATE_PATH: `${path}/`,
    REQUEST_ID: id,
    SINCE: since === undefined ? '' : String(since),
  };
  return program('usage', run, site, values);
}

/**
 * Removes the files and the clients of `site` from the host, and with `purge` what the release history would keep of the
 * clients; with `dryRun` it only shows which.
 */
export async function removalProgram(
  run: Run,
  site: Site,
  { dryRun, purge = false }: { readonly dryRun: boolean; readonly purge?: boolean },
): Promise<string> {
  const shared = site.webSocket ? await webSocketMap() : undefined;
  const lines = [
    `unwant_file vhost ${quote(vhostFile(site))}`,
    ...site.maps.map(({ name }) => `unwant_file map ${quote(name)}`),
    'unwant_clients',
    ...(shared ? [`unwant_file shared ${quote(shared.name)} content_0`] : []),
  ];
  return program('remove', run, site, { DRY: dryRun ? 'yes' : '', PURGE: purge ? 'yes' : '' }, [
    ...(shared ? [contentFunction(0, shared.content)] : []),
    `site_files() {\n${lines.map((line) => `  ${line}\n`).join('')}}`,
  ]);
}

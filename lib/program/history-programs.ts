/** The programs of rollback, status, usage and removal. */
import type { Program } from '../model/run.ts';
import { reportsOf, type Site, vhostFile } from '../model/site.ts';
import { webSocketMap } from '../nginx/render.ts';
import { quote } from '../util/shell.ts';
import { hookText } from './certificate-programs.ts';
import { type Configured, contentFunction, gateFunctions, program, shellFunction, yes } from './program.ts';

/** Restores the vhost and the maps of the release `to`, or of the previous release. */
export async function rollbackProgram(context: Configured, to = '', dryRun = false): Promise<Program> {
  const { site } = context;
  const shared = site.webSocket ? await webSocketMap() : undefined;
  return program('rollback', site, { DRY: yes(dryRun), TO: to }, [
    ...(await gateFunctions(context)),
    ...(shared ? [contentFunction(0, shared.content)] : []),
    shellFunction(
      'shared_files',
      shared ? [`want_missing shared ${quote(shared.name)} ${shared.mode} content_0`] : [],
    ),
  ]);
}

/** The subject of a status: everything, or only the gate's clients, the backends, or the addresses of the vhost. */
type StatusOf = 'backends' | 'clients' | 'everything' | 'listens';

/** Reports the state of the host. Read-only. */
export async function statusProgram(site: Site, only: StatusOf): Promise<Program> {
  const { upstream = '', version, models } = reportsOf(site) ?? {};
  const values = {
    ONLY: only,
    ACCESS_LOG: site.gate?.log ?? '',
    REPORTING_UPSTREAM: upstream,
    REPORT_PATHS: [version?.path, models].filter(Boolean).join(' '),
  };
  return program('status', site, values, await hookText());
}

/** Evaluates the access log of the gate: the last `since` seconds or all of it, or the line of the request `id`. */
export function usageProgram(site: Site, since?: number, id = ''): Promise<Program> {
  const { log = '', path = '' } = site.gate ?? {};
  return program('usage', site, {
    ACCESS_LOG: log,
    GATE_PATH: `${path}/`,
    REQUEST_ID: id,
    SINCE: since === undefined ? '' : String(since),
  });
}

/**
 * Removes the files and the clients of `site` from the host, and with `purge` what the release history would keep of the
 * clients; with `dryRun` it only shows which.
 */
export async function removalProgram(
  site: Site,
  { dryRun, purge = false }: { readonly dryRun: boolean; readonly purge?: boolean },
): Promise<Program> {
  const shared = site.webSocket ? await webSocketMap() : undefined;
  return program('remove', site, { DRY: yes(dryRun), PURGE: yes(purge) }, [
    ...(shared ? [contentFunction(0, shared.content)] : []),
    shellFunction('site_files', [
      `unwant_file vhost ${quote(vhostFile(site))}`,
      ...site.maps.map(({ name }) => `unwant_file map ${quote(name)}`),
      'unwant_clients',
      ...(shared ? [`unwant_file shared ${quote(shared.name)} content_0`] : []),
    ]),
  ]);
}

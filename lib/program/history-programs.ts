/** Going back and looking: the programs of rollback and status. */

import type { Run } from '../model/run.ts';
import type { Site } from '../model/site.ts';
import { webSocketMap } from '../nginx/render.ts';
import { hookText } from './certificate-programs.ts';
import { contentFunction, program, quote } from './program.ts';

/** Brings back the vhost and the maps of the release `to`; without one, of the release before the present one. */
export async function rollbackProgram(
  run: Run,
  site: Site,
  to: string | undefined,
  dryRun: boolean,
): Promise<string> {
  const shared = site.webSocket ? await webSocketMap() : undefined;
  return program('rollback', run, site, [
    `DRY=${dryRun ? 'yes' : ''}`,
    `TO=${quote(to ?? '')}`,
    ...(shared ? [contentFunction(0, shared.content)] : []),
    `shared_files() {\n  ${shared ? `want_missing shared ${quote(shared.name)} ${shared.mode} content_0` : ':'}\n}`,
  ]);
}

/** Tells what is on the host; `clients`: of the gate's clients only. Writes nothing there. */
export async function statusProgram(run: Run, site: Site, only: 'clients' | 'everything'): Promise<string> {
  const log = quote(site.gate?.log ?? '');
  return program('status', run, site, [`ONLY=${only}`, `ACCESS_LOG=${log}`, ...(await hookText())]);
}

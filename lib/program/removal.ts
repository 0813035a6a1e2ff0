/** A site -> the program that takes it off a host. */

import type { Run } from '../model/run.ts';
import type { Site } from '../model/site.ts';
import { webSocketMap } from '../nginx/render.ts';
import { contentFunction, program, quote } from './program.ts';

/** Takes the files and the clients of `site` off the host; with `dryRun` it only tells which. */
export async function removalProgram(run: Run, site: Site, dryRun: boolean): Promise<string> {
  const shared = site.webSocket ? await webSocketMap() : undefined;
  const lines = [
    `take_off vhost ${quote(`${site.name}.conf`)}`,
    ...site.maps.map(({ name }) => `take_off map ${quote(name)}`),
    'take_off_clients',
    ...(shared ? [`take_off shared ${quote(shared.name)} content_0`] : []),
  ];
  return program('remove', run, site, [
    `DRY=${dryRun ? 'yes' : ''}`,
    ...(shared ? [contentFunction(0, shared.content)] : []),
    `site_files() {\n${lines.map((line) => `  ${line}\n`).join('')}}`,
  ]);
}

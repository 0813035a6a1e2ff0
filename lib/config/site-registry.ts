/** The sites: every file in sites/, loaded by its name. */
import { readdir } from 'node:fs/promises';
import { type Site, withPublicName } from '../model/site.ts';
import { UsageError } from '../util/errors.ts';
import { ROOT } from '../util/project-root.ts';

/** The site if none is selected. */
export const DEFAULT_SITE = 'ia.enso.4nkweb.com';

/** `site` with the server name from its settings. */
export function withNameFrom(site: Site, values: Readonly<Record<string, unknown>>): Site {
  const name = values[site.nameFrom ?? ''];
  if (typeof name !== 'string') return site;
  const { certificate: _, ...rest } = site;
  const own: Site = { ...rest, serverName: name, defaultName: site.serverName };
  return site.gate ? { ...own, gate: { ...site.gate, log: withPublicName(own, site.gate.log) } } : own;
}

/** Every site in sites/, by name. */
export async function findSites(): Promise<ReadonlyMap<string, Site>> {
  const folder = new URL('sites/', ROOT);
  const modules = (await readdir(folder)).filter((file) => file.endsWith('.ts'));
  const sites = await Promise.all(
    modules.map(async (file) => ((await import(new URL(file, folder).href)) as { site: Site }).site),
  );
  return new Map(sites.map((site) => [site.name, site]));
}

/** @throws UsageError that lists the available sites */
export function pickSite(sites: ReadonlyMap<string, Site>, name: string): Site {
  const site = sites.get(name);
  if (!site)
    throw new UsageError([`--site ${name}: unknown site; available: ${[...sites.keys()].join(', ')}`]);
  return site;
}

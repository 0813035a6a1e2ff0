/** The sites: every file in sites/, loaded by name. */
import { readdir } from 'node:fs/promises';
import { NO_BACKEND, originsOf, type Site, withPublicName } from '../model/site.ts';
import { UsageError } from '../util/errors.ts';
import { nearest } from '../util/nearest.ts';
import { ROOT } from '../util/project.ts';
import { collisionsOf } from './site-collisions.ts';
import { type LoadedSite, loadSite, openOwnSites } from './site-file.ts';

/** The site if none is selected. */
export const DEFAULT_SITE = 'ia.enso.4nkweb.com';

/** The check that is needed only if the gate has origins (lib/checks/catalog.ts). */
const CROSS_ORIGIN = 'crossOrigin';

/** `site` without the checks of omitted backends, and without the CORS check if there are no origins. */
export function withoutUnusedChecks(site: Site, values: Readonly<Record<string, unknown>>): Site {
  const gone = Object.entries(site.backends ?? {}).flatMap(([name, { checks = [] }]) =>
    values[name] === NO_BACKEND ? checks : [],
  );
  if (originsOf(site, values).length === 0) gone.push(CROSS_ORIGIN);
  return gone.length > 0
    ? { ...site, checks: site.checks.filter(({ maker }) => !gone.includes(maker)) }
    : site;
}

/** `site` with the server name from its settings. */
export function withNameFrom(site: Site, values: Readonly<Record<string, unknown>>): Site {
  const name = values[site.nameFrom ?? ''];
  if (typeof name !== 'string') return site;
  const { certificate: _, ...rest } = site;
  const own: Site = { ...rest, serverName: name, defaultName: site.serverName };
  return site.gate ? { ...own, gate: { ...site.gate, log: withPublicName(own, site.gate.log) } } : own;
}

/** The usable sites, by name; `problems` has the others, by their name or file. */
export interface Sites extends ReadonlyMap<string, Site> {
  readonly problems: ReadonlyMap<string, readonly string[]>;
}

const OURS = new URL('sites/', ROOT);

/**
 * All sites in sites/, and in a directory of third-party sites. A file with a mistake disables only its own site, a
 * collision both of its sites.
 * @throws UsageError if that directory cannot be opened
 */
export async function findSites(ownSites?: string, ours = OURS): Promise<Sites> {
  const loaded = [...(await loadFolder(ours, 'sites')), ...(await loadOwn(ownSites, ours))];
  const problems = new Map(
    loaded.flatMap(({ file, problems }) => (problems.length > 0 ? [[nameOf(file), problems]] : [])),
  );
  const files = loaded.flatMap(({ file, site }) => (site ? [{ file, site }] : []));
  for (const { sites, text } of collisionsOf(files))
    for (const name of new Set(sites)) problems.set(name, [...(problems.get(name) ?? []), text]);
  const usable = files.filter(({ site }) => !problems.has(site.name));
  return Object.assign(new Map(usable.map(({ site }) => [site.name, site])), { problems });
}

async function loadFolder(folder: URL, label: string): Promise<readonly LoadedSite[]> {
  const names = (await readdir(folder)).filter((file) => file.endsWith('.ts')).sort();
  return Promise.all(names.map((name) => loadSite(new URL(name, folder), `${label}/${name}`)));
}

/** Third-party sites, which have their templates in the same directory. */
async function loadOwn(path: string | undefined, ours: URL): Promise<readonly LoadedSite[]> {
  if (path === undefined) return [];
  const folder = await openOwnSites(path);
  if (folder.href === ours.href) return [];
  return (await loadFolder(folder, path)).map(({ site, ...loaded }) =>
    site ? { ...loaded, site: { ...site, folder: folder.href } } : loaded,
  );
}

const nameOf = (file: string): string => file.replace(/^.*\/|\.ts$/g, '');

/**
 * @param from the source of the name
 * @throws UsageError with the available sites, or with the problems of this site's file
 */
export function pickSite(sites: Sites, name: string, from = '--site'): Site {
  const problems = sites.problems.get(name);
  if (problems) throw new UsageError(problems);
  const site = sites.get(name);
  if (site) return site;
  const meant = nearest(name, [...sites.keys()]);
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  const unknown = `${from} ${name}: unknown site; available: ${[...sites.keys()].join(', ')}${hint}`;
  throw new UsageError([unknown, ...new Set([...sites.problems.values()].flat())]);
}

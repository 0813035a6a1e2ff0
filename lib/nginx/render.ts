/** Site and settings -> the files for a proxy, and the variables that they define. */
import type { Settings } from '../config/settings.ts';
import { DEFAULT_CLIENT } from '../model/bearer.ts';
import {
  certificateFilesOf,
  type Gate,
  type HttpMap,
  isByAddress,
  originsOf,
  type Site,
  vhostFile,
  withPublicName,
} from '../model/site.ts';
import { UsageError } from '../util/errors.ts';
import { Secret } from '../util/secret.ts';
import { withBackends } from './backends.ts';
import { fill, inline, markersOf, rename, snippetsOf, withOrigins } from './template.ts';
import { hasTemplate, readTemplate } from './template-files.ts';

/**
 * A file for the proxy. Its path depends on the role, and for a vhost on the host's nginx.conf; `first-client` is
 * installed only on a proxy without history and clients.
 */
export interface SiteFile {
  readonly role: 'vhost' | 'map' | 'shared' | 'client' | 'first-client';
  readonly name: string;
  readonly mode: '600' | '644';
  readonly content: string;
}

const WEBSOCKET_MAP = {
  source: 'websocket-connection.map.conf.example',
  name: 'websocket-connection-map.conf',
} as const;

const GATE_SNIPPETS = 'gate';

/** The vhost and the maps of `site`. */
export async function render(site: Site, settings: Settings): Promise<SiteFile[]> {
  const [vhost, maps, shared] = await Promise.all([
    renderVhost(`${site.name}.conf`, site, settings),
    renderMaps(site.maps, site, settings),
    site.webSocket ? webSocketMap() : undefined,
  ]);
  return [...maps, ...(shared ? [shared] : []), vhost];
}

/** The map for $connection_upgrade, shared by all sites. */
export async function webSocketMap(): Promise<SiteFile> {
  const { source, name } = WEBSOCKET_MAP;
  const { text } = await readTemplate(`http-maps/${source}`, {});
  return { role: 'shared', name, mode: '644', content: text };
}

/** For sites without their own template, and while another vhost of the site exists: it defines no log format. */
const SHARED_HTTP_ONLY = 'default.http-only.conf';

/**
 * The vhost that serves the ACME challenge before there is a certificate; the full vhost replaces it later.
 * @param isBeside whether the site's full vhost still exists, under an earlier name: nginx rejects a second log format
 * of the same name
 */
export async function renderHttpOnly(site: Site, settings: Settings, isBeside = false): Promise<SiteFile[]> {
  const own = `${site.name}.http-only.conf`;
  const name = !isBeside && (await hasTemplate(`sites/${own}`, site)) ? own : SHARED_HTTP_ONLY;
  return [await renderVhost(name, site, settings, false)];
}

/**
 * The token of the client `default`, whose file is written on the proxy; `role` determines whether it is installed
 * always or only by a first deploy.
 */
export function clientFile(role: 'client' | 'first-client', token: Secret): SiteFile {
  return { role, name: DEFAULT_CLIENT, mode: '600', content: token.reveal() };
}

/** The gate's maps. */
export const renderGate = (site: Site, settings: Settings): Promise<readonly SiteFile[]> =>
  renderMaps(
    site.maps.filter(({ isGate }) => isGate),
    site,
    settings,
  );

async function renderVhost(file: string, site: Site, settings: Settings, isFull = true): Promise<SiteFile> {
  const { name, text: written } = await readTemplate(`sites/${file}`, site);
  const template = withBackends(written, site, settings.values);
  const names = snippetsOf(template);
  const texts = await Promise.all(names.map((snippet) => readSnippet(snippet, site, settings)));
  const inlined = inline(template, Object.fromEntries(names.map((snippet, i) => [snippet, texts[i] ?? ''])));
  if (isFull && site.gate && !testsToken(inlined, site.gate))
    throw new UsageError([`${name}: has no \`include snippets/gate.conf;\`, so it would require no token`]);
  // Before the settings, because a value may contain the default name.
  const text = withPublicName(site, inlined);
  const values = markerValues(text, site, settings, isFull);
  const [before, left] = [markersOf(written), markersOf(text)];
  // Other addresses may have replaced every marker of a backend.
  const kept = Object.entries(values).filter(([marker]) => left.has(marker) || !before.has(marker));
  const content = fill(name, text, Object.fromEntries(kept));
  return { role: 'vhost', name: vhostFile(site), mode: '644', content };
}

/** Whether a directive of the vhost uses the variable that is 1 for a known token. */
const testsToken = (vhost: string, { variables }: Gate): boolean =>
  vhost.replace(/^\s*#.*$/gm, '').includes(`$${variables}_authorized`);

/**
 * The full vhost must have the marker of every setting that is required or has a default. Others are used if their
 * marker occurs.
 */
function markerValues(
  text: string,
  site: Site,
  { values }: Settings,
  isFull: boolean,
): Record<string, string> {
  const markers = markersOf(text);
  const used = Object.entries(site.settings).filter(
    ([name, setting]) =>
      (isFull && (setting.default || setting.required) && name !== site.nameFrom) || markers.has(name),
  );
  const own = Object.entries(siteMarkers(site)).filter(([name]) => markers.has(name));
  return Object.fromEntries([
    ...own,
    ...used.flatMap(([name]) => {
      const value = values[name];
      return value === undefined || value instanceof Secret ? [] : [[name, value]];
    }),
  ]);
}

/** Markers available in every template, for sites whose name is a setting or that have none. */
function siteMarkers(site: Site): Record<string, string> {
  const { chain, key } = certificateFilesOf(site);
  return {
    SERVER_NAME: site.serverName,
    DEFAULT_SERVER: isByAddress(site) ? ' default_server' : '',
    CERTIFICATE: chain,
    CERTIFICATE_KEY: key,
  };
}

const renderMaps = (maps: readonly HttpMap[], site: Site, settings: Settings): Promise<SiteFile[]> =>
  Promise.all(
    maps.map(async ({ source, name, mode, isGate }) => {
      const { text } = await readTemplate(`http-maps/${source}`, site);
      const named = withPublicName(site, isGate && site.gate ? rename(text, site.gate.names) : text);
      const content = isGate ? withOrigins(named, originsOf(site, settings.values)) : named;
      return { role: 'map', name, mode, content };
    }),
  );

/** A snippet; in the gate's snippets, names are replaced by those of the site's gate. */
async function readSnippet(name: string, site: Site, settings: Settings): Promise<string> {
  const { text } = await readTemplate(`sites/snippets/${name}`, site);
  if (!name.startsWith(GATE_SNIPPETS)) return text;
  if (!site.gate)
    throw new UsageError([`sites/${site.name}.conf: includes snippets/${name}, but the site has no gate`]);
  return withOrigins(rename(text, site.gate.names), originsOf(site, settings.values));
}

const DEFINITION = /^\s*(?:map|geo|split_clients)\s[^;{}]*\$(\w+)\s*\{/gm;

/**
 * The variables that its own files define. nginx accepts a second definition, and applies the last one to all sites.
 */
export function definedVariables(files: readonly SiteFile[]): readonly string[] {
  const own = files.filter(({ role }) => role === 'map' || role === 'vhost');
  const names = own.flatMap(({ content }) => [...content.matchAll(DEFINITION)].map(([, name = '']) => name));
  return [...new Set(names)];
}

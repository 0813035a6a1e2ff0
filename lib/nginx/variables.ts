/** The variables that files of a site define. */
import type { SiteFile } from './render.ts';

const DEFINITION = /^\s*(?:map|geo|split_clients)\s[^;{}]*\$(\w+)\s*\{/gm;

/** Those that its maps define, without what sites share. nginx accepts a second definition, and the last one applies to all. */
export function definedVariables(files: readonly SiteFile[]): readonly string[] {
  const own = files.filter(({ role }) => role === 'map' || role === 'vhost');
  const names = own.flatMap(({ content }) => [...content.matchAll(DEFINITION)].map(([, name = '']) => name));
  return [...new Set(names)];
}

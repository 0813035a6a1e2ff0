/** Templates: nginx text with markers `__NAME__`, snippets and names of a gate; pure text in, text out. */
import { lookUp } from '../util/collections.ts';
import { refuseAll } from '../util/errors.ts';

const MARKER = /__([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)__/g;
const SNIPPET = /^([ \t]*)include snippets\/([\w.-]+);[ \t]*$/gm;

/** The names of the markers in `text`, each once. */
export function markersOf(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(MARKER)].map(([, name]) => name ?? ''));
}

/**
 * Replaces all markers in one pass, so that those inside values are not replaced.
 * @throws UsageError for a marker without a value, and for a value without a marker
 */
export function fill(name: string, text: string, values: Readonly<Record<string, string>>): string {
  const markers = markersOf(text);
  const problems = [
    ...[...markers]
      .filter((marker) => !Object.hasOwn(values, marker))
      .map((marker) => `${name}: the marker __${marker}__ has no value`),
    ...Object.keys(values)
      .filter((marker) => !markers.has(marker))
      .map((marker) => `${name}: the marker __${marker}__ is missing, so ${marker} would have no effect`),
  ];
  refuseAll(problems);
  return text.replace(MARKER, (_, marker: string) => values[marker] ?? '');
}

/** Replaces `include snippets/NAME;` lines with the snippet's text, with the same indentation. */
export function inline(text: string, snippets: Readonly<Record<string, string>>): string {
  return text.replace(SNIPPET, (line, indent: string, name: string) => {
    const snippet = lookUp(snippets, name);
    return snippet === undefined ? line : snippet.trimEnd().replace(/^(?=.)/gm, indent);
  });
}

/** The snippets that `text` includes. */
export function snippetsOf(text: string): readonly string[] {
  return [...text.matchAll(SNIPPET)].map(([, , name]) => name ?? '');
}

const SPECIAL = /[\\^$.*+?()[\]{}|]/g;

/** Replaces every key of `names` with its value, longer ones first, in one pass, so that values are not replaced. */
export function rename(text: string, names: Readonly<Record<string, string>>): string {
  const longestFirst = Object.keys(names).sort((a, b) => b.length - a.length);
  if (longestFirst.length === 0) return text;
  const any = new RegExp(longestFirst.map((name) => name.replace(SPECIAL, '\\$&')).join('|'), 'g');
  return text.replace(any, (name) => names[name] ?? name);
}

/** The lines of a template part that is commented out until it is needed. */
export const uncommented = (body: string): string => body.replace(/^([ \t]*)#/gm, '$1');

const MAP = /map \$http_origin \$\w+ \{\n {4}default "";\n/;

/** The part for a gate with origins: commented out until there is one. */
const ORIGINS_PART = /^[ \t]*# \[origins\n(.*?)^[ \t]*# \]\n/gms;

/**
 * Adds a line for each of `origins` to the gate's map in `text`, and uncomments the part for them. The keys are
 * regexes, because nginx compares string keys case-insensitively.
 */
export function withOrigins(text: string, origins: readonly string[]): string {
  if (origins.length === 0) return text;
  const lines = origins.map((origin) => `    "~^${literal(origin)}\\z" $http_origin;\n`);
  return text
    .replace(MAP, (map) => map + lines.join(''))
    .replace(ORIGINS_PART, (_, body: string) => uncommented(body));
}

const literal = (text: string): string => text.replace(/[^a-z0-9]/gi, '\\$&');

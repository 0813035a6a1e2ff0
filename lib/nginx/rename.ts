/** The text of a bearer gate -> the same gate under the names of another site. */

const SPECIAL = /[\\^$.*+?()[\]{}|]/g;

/** Replaces every key of `names` by its value, longer ones first, in one pass: what a value contains is not replaced. */
export function rename(text: string, names: Readonly<Record<string, string>>): string {
  const longestFirst = Object.keys(names).sort((a, b) => b.length - a.length);
  if (longestFirst.length === 0) return text;
  const any = new RegExp(longestFirst.map((name) => name.replace(SPECIAL, '\\$&')).join('|'), 'g');
  return text.replace(any, (name) => names[name] ?? name);
}

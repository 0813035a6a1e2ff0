/**
 * Fills the tables in README.md and docs/*.md from the code: `npm run docs`. A table is between `<!-- table: NAME -->`
 * and `<!-- end -->`.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { OWN_FLAGS } from '../lib/commands/certificates/bootstrap.ts';
import { CLIENT_FLAGS } from '../lib/commands/clients.ts';
import { CHANGE_FLAGS, FLAGS } from '../lib/config/flag-table.ts';
import { COMMON, settingsOf } from '../lib/config/schema.ts';
import { findSites } from '../lib/config/site-registry.ts';
import { ACME } from '../lib/diagnosis/acme-failures.ts';
import { NGINX } from '../lib/diagnosis/nginx-failures.ts';
import type { Row } from '../lib/diagnosis/row.ts';
import { SSH } from '../lib/diagnosis/ssh-failures.ts';
import { SUDO } from '../lib/diagnosis/sudo-failures.ts';
import { SYMPTOMS as SYMPTOM_ROWS } from '../lib/diagnosis/symptoms.ts';
import type { Setting, Site } from '../lib/model/site.ts';
import { EXIT, EXIT_MEANINGS } from '../lib/util/errors.ts';
import { ROOT } from '../lib/util/project.ts';
import { type Fields, HOST_FIELDS, objectsOf, SCRIPTS, TOP, typeText } from './json-documents.ts';

const SITES = [...(await findSites()).values()];

const symptomsOf = ({ backends = {} }: Site): readonly Row[] =>
  Object.values(backends).flatMap(({ whenClosed }) => whenClosed ?? []);

/** The symptom tables, by marker name. */
export const SYMPTOMS: Readonly<Record<string, readonly Row[]>> = {
  'symptoms clients': [...Object.values(SYMPTOM_ROWS), ...SITES.flatMap(symptomsOf)],
  'symptoms nginx': NGINX,
  'symptoms sudo': SUDO,
  'symptoms ssh': SSH,
  'symptoms certificates': ACME,
};

/** The names of the pages: README.md and every page of docs/, relative to the repository. */
export async function pageNames(): Promise<readonly string[]> {
  const names = await readdir(new URL('docs/', ROOT));
  return ['README.md', ...names.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];
}

/** The text of a page. */
export const readPage = (name: string): Promise<string> => readFile(new URL(name, ROOT), 'utf8');

/** Every table as Markdown, by marker name. */
export async function tables(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ...Object.entries(SYMPTOMS).map(([name, rows]) => [name, symptomTable(rows)] as const),
    ...SITES.map((site) => [`settings ${site.name}`, settingTable(settingsOf(site), site)] as const),
    ['settings common', settingTable(COMMON)],
    ['flags', await flagTable()],
    ['exit statuses', exitTable()],
    ['json document', fieldTable(TOP)],
    ['json host', fieldTable(HOST_FIELDS)],
    ['json scripts', scriptTables()],
    ['json objects', objectTables()],
  ]);
}

/** A page's text with its tables filled in. @throws for a marker without a table */
export function withTables(text: string, all: ReadonlyMap<string, string>): string {
  return text.replace(
    /(<!-- table: (.+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_, begin: string, name: string, end: string) => {
      const table = all.get(name);
      if (table === undefined) throw new Error(`no table ${name}; known: ${[...all.keys()].join(', ')}`);
      return `${begin}\n${table}\n${end}`;
    },
  );
}

const symptomTable = (rows: readonly Row[]): string =>
  markdown(
    ['error', 'cause', 'fix'],
    rows.map(({ error, cause, fix }) => [`\`${error}\``, cause, fix]),
  );

const settingTable = (settings: Readonly<Record<string, Setting>>, site?: Site): string =>
  markdown(
    ['variable', 'default', 'meaning'],
    Object.entries(settings).map(([name, setting]) => [
      `\`${name}\``,
      defaultText(setting, site?.seed?.[name], site?.serverName),
      setting.meaning,
    ]),
  );

function defaultText({ default: value, required, unset }: Setting, seed?: string, name?: string): string {
  if (value !== undefined) return `\`${value}\``;
  const none = unset ?? (required ? 'none, required' : 'none');
  return seed === undefined ? none : `${none}; \`${seed}\` for \`${name}\``;
}

const fieldTable = (fields: Fields): string =>
  markdown(
    ['field', 'type', 'when', 'meaning'],
    Object.entries(fields).map(([name, { type, when, meaning }]) => [
      `\`${name}\``,
      typeText(type),
      when ?? 'always',
      meaning,
    ]),
  );

/** The fields that each script adds, at the top level and in its hosts. */
const scriptTables = (): string =>
  Object.entries(SCRIPTS)
    .flatMap(([script, { top, host }]) => [
      ...(top ? [`### ${script}\n\n${fieldTable(top)}`] : []),
      ...(host ? [`### ${script}, each host\n\n${fieldTable(host)}`] : []),
    ])
    .join('\n\n');

function objectTables(): string {
  const all = [TOP, HOST_FIELDS, ...Object.values(SCRIPTS).flatMap(({ top = {}, host = {} }) => [top, host])];
  const objects = new Map(all.flatMap((fields) => [...objectsOf(fields)]));
  objects.delete('host');
  return [...objects].map(([name, fields]) => `### ${name}\n\n${fieldTable(fields)}`).join('\n\n');
}

const exitTable = (): string =>
  markdown(
    ['exit status', 'meaning'],
    Object.entries(EXIT).map(([name, status]) => [`${status}`, EXIT_MEANINGS[name as keyof typeof EXIT]]),
  );

async function flagTable(): Promise<string> {
  const scripts = await flagsOfScripts();
  const rows = Object.entries(FLAGS).map(([name, flag]) => {
    const users = [...scripts].filter(([, flags]) => flags.includes(name)).map(([script]) => script);
    const value = 'value' in flag ? ` ${flag.value}` : '';
    return [`\`--${name}${value}\``, users.length > 0 ? users.join(', ') : 'all', flag.help];
  });
  return markdown(['flag', 'scripts', 'meaning'], rows);
}

const FLAG_GROUPS: Readonly<Record<string, readonly string[]>> = { CHANGE_FLAGS, CLIENT_FLAGS, OWN_FLAGS };

/** The flags that each script adds to the common ones, read from its text, because importing a script runs it. */
async function flagsOfScripts(): Promise<ReadonlyMap<string, readonly string[]>> {
  const names = (await readdir(new URL('scripts/', ROOT))).filter((name) => name.endsWith('.ts')).sort();
  const found = new Map<string, readonly string[]>();
  for (const name of names) {
    const list = /^ {2}flags: \[([^\]]*)\]/m.exec(await readPage(`scripts/${name}`))?.[1];
    const flags = [...(list ?? '').matchAll(/'([a-z-]+)'|\.\.\.(?:\w+\.)?([A-Z_]+)/g)].flatMap(
      ([, flag, group = '']) => flag ?? FLAG_GROUPS[group] ?? [],
    );
    if (flags.length > 0) found.set(name.replace('.ts', ''), flags);
  }
  return found;
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`;
  return `${[line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')}\n`;
}

async function fillPages(): Promise<void> {
  const all = await tables();
  for (const name of await pageNames()) {
    const text = await readPage(name);
    const filled = withTables(text, all);
    if (filled === text) continue;
    await writeFile(new URL(name, ROOT), filled);
    console.log(`updated ${name}`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await fillPages();

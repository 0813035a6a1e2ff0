/** The rooms of lib/ and the imports between them, as in docs/architecture.md. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** From top to bottom: a room imports only from rooms on lower floors. */
const FLOORS: readonly (readonly string[])[] = [
  ['scripts'],
  ['lib/cli'],
  ['lib/commands'],
  ['lib/remote'],
  ['lib/program'],
  ['lib/nginx', 'lib/ssh', 'lib/checks', 'lib/output'],
  ['lib/config', 'lib/diagnosis'],
  ['lib/model'],
  ['lib/util'],
];

/** A site is data: it lists its checks, how its settings are validated, what sites share, and nothing else. */
const FOR_SITES = ['lib/checks', 'lib/config', 'lib/model', 'sites'];

/** The only place where each dependency is used. */
const OWNERS: Readonly<Record<string, string>> = {
  chalk: 'lib/output/styles.ts',
  diff: 'lib/commands/views/rollout-view.ts',
  dotenv: 'lib/config/env-file.ts',
  'fastest-levenshtein': 'lib/util/nearest.ts',
  'openssl-wrapper': 'lib/nginx/tokens.ts',
  ssh2: 'lib/ssh/',
  zx: 'lib/commands/confirm.ts',
  'zx/core': 'lib/util/shell.ts',
};

/** The demo uses the tests' lab. */
const EXEMPT = new Set(['scripts/demo.ts']);

interface Arrow {
  readonly from: string;
  readonly to: string;
  /** A type import, which does not exist at run time. */
  readonly isType?: boolean;
}

const SPECIFIER = /\b(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g;
const PACKAGE =
  /(?:\bfrom |\bimport\(|\bimport |createRequire\(import\.meta\.url\)\()'([a-z][a-z0-9-]*(?:\/[^']*)?)'/g;
const TYPES_ONLY = /^import type [^;]*? from '(\.[^']+)'/gm;

/** The sites that come with gatepost; third-party sites may be installed next to them. */
const SITES = ['ia.enso.4nkweb.com.ts', 'nexus.ts'].map((name) => `sites/${name}`);
const isOwnSite = (file: string): boolean => dirname(file) === 'sites' && !SITES.includes(file);

async function filesIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(join(ROOT, folder), { recursive: true });
  const files = names.filter((name) => name.endsWith('.ts')).map((name) => posix.join(folder, name));
  return files.filter((file) => !isOwnSite(file));
}

/** Every import of a file: static, type-only, dynamic, and re-exports. */
async function arrowsOf(from: string): Promise<readonly Arrow[]> {
  const text = await readFile(join(ROOT, from), 'utf8');
  const types = new Set([...text.matchAll(TYPES_ONLY)].map(([, path]) => path));
  return [...text.matchAll(SPECIFIER)].map(([, path = '']) => ({
    from,
    to: posix.join(dirname(from), path),
    isType: types.has(path),
  }));
}

const roomOf = (file: string): string =>
  file.startsWith('lib/') ? file.split('/').slice(0, 2).join('/') : (file.split('/')[0] ?? '');
const floorOf = (file: string): number => FLOORS.findIndex((rooms) => rooms.includes(roomOf(file)));
const shown = ({ from, to }: Arrow): string => `${from} -> ${to}`;

/** Each cycle in `arrows` once, as a path. */
function circlesIn(arrows: readonly Arrow[]): readonly string[] {
  const next = new Map<string, Set<string>>();
  for (const { from, to } of arrows) next.set(from, (next.get(from) ?? new Set()).add(to));
  const visited = new Set<string>();
  const circles: string[] = [];
  const visit = (node: string, path: readonly string[]) => {
    if (path.includes(node)) circles.push([...path.slice(path.indexOf(node)), node].join(' -> '));
    if (visited.has(node)) return;
    visited.add(node);
    for (const to of next.get(node) ?? []) visit(to, [...path, node]);
  };
  for (const node of next.keys()) visit(node, []);
  return circles;
}

describe('the rooms', async () => {
  const files = (await Promise.all(['lib', 'scripts', 'sites'].map(filesIn)))
    .flat()
    .filter((file) => !EXEMPT.has(file));
  const arrows = (await Promise.all(files.map(arrowsOf))).flat();

  test('every import resolves to a file', () => {
    assert.deepEqual(arrows.filter(({ to }) => !existsSync(join(ROOT, to))).map(shown), []);
    assert.ok(arrows.length > 300, 'the imports were not found');
  });

  test('no file is directly in lib/, and every room has its floor', () => {
    const homeless = files.filter((file) => !file.startsWith('sites/') && floorOf(file) < 0);
    assert.deepEqual(homeless, []);
  });

  test('no import points up or sideways', () => {
    const isDown = ({ from, to }: Arrow) =>
      from.startsWith('sites/')
        ? FOR_SITES.includes(roomOf(to))
        : roomOf(from) === roomOf(to) || floorOf(from) < floorOf(to);
    assert.deepEqual(arrows.filter((arrow) => !isDown(arrow)).map(shown), []);
  });

  test('imports have no cycle', () => {
    assert.deepEqual(circlesIn(arrows), []);
  });

  // commands/ and its views share only the type of their context.
  test('folders do not import each other in a cycle', () => {
    const loads = arrows
      .filter(({ isType }) => !isType)
      .map(({ from, to }) => ({ from: dirname(from), to: dirname(to) }))
      .filter(({ from, to }) => from !== to);
    assert.deepEqual(circlesIn(loads), []);
  });

  test('sites/ imports only the catalog of checks/', () => {
    const fromSites = arrows.filter(
      ({ from, to }) => from.startsWith('sites/') && to.startsWith('lib/checks/'),
    );
    assert.deepEqual([...new Set(fromSites.map(({ to }) => to))], ['lib/checks/catalog.ts']);
  });

  test('each dependency has one owner', async () => {
    const uses = await Promise.all(
      files.map(async (file) => {
        const text = await readFile(join(ROOT, file), 'utf8');
        return [...text.matchAll(PACKAGE)].map(([, name = '']) => ({ from: file, to: name }));
      }),
    );
    const foreign = uses.flat().filter(({ from, to }) => !from.startsWith(OWNERS[to] ?? '\0'));
    assert.deepEqual(foreign.map(shown), []);
    assert.deepEqual([...new Set(uses.flat().map(({ to }) => to))].sort(), Object.keys(OWNERS).sort());
  });
});

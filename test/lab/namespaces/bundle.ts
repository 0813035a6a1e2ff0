/**
 * The scripts as JavaScript, each in one file that V8 has compiled: a whole run of the tests starts more than a thousand
 * processes, and each of them starts in a third of the time. esbuild makes it, once for each state of the sources.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { BuildOptions } from 'esbuild';

const SELF = fileURLToPath(import.meta.url);
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
// Not by the name of gatepost: tests look for its processes by that.
const CACHE = `${ROOT}node_modules/.cache/test-bundles/`;
const FOLDERS = ['lib', 'scripts', 'sites', 'test/lab'];
/** Without the demo, which starts itself once more. */
const SCRIPTS = /^scripts\/(?!demo)[\w-]+\.ts$/;
/** What the lab starts beside them. */
const HELPERS = /^test\/lab\/(?:stand-ins\/[\w-]+|faults\/relay)\.ts$/;
const SITES = /^sites\/[^/]+$/;
/** How a site is imported; esbuild cannot follow that. */
const BY_URL = 'import(url.href)';

const sources = (): readonly string[] =>
  FOLDERS.flatMap((folder) =>
    readdirSync(ROOT + folder, { recursive: true }).map((name) => `${folder}/${name}`),
  ).filter((file) => file.endsWith('.ts'));

function stateOf(files: readonly string[]): string {
  const hash = createHash('sha256').update(ROOT);
  for (const file of files) hash.update(`\0${file}\0`).update(readFileSync(ROOT + file));
  return hash.digest('hex').slice(0, 24);
}

let folder: string | undefined;

/**
 * The bundled file of a source; undefined for what is not bundled.
 * @param loader the arguments with which Node takes TypeScript
 */
export function bundled(file: string, loader: readonly string[]): string | undefined {
  const kind = SCRIPTS.test(file) ? 'cjs' : HELPERS.test(file) ? 'mjs' : undefined;
  if (!kind) return undefined;
  folder ??= CACHE + stateOf(sources());
  if (!existsSync(folder)) spawnSync(process.execPath, [...loader, SELF, folder], { stdio: 'inherit' });
  return `${folder}/${file.slice(0, -2)}${kind}`;
}

const urlOf = (path: string): string => JSON.stringify(pathToFileURL(path).href);

/** The text of a module, which finds the files of the checkout by its own URL: that stays the one of the source. */
function inPlace(path: string): string {
  const text = readFileSync(path, 'utf8').replaceAll('import.meta.url', urlOf(path));
  // CommonJS has no await here; nothing comes after this one.
  if (path.startsWith(`${ROOT}scripts/`)) return text.replace(/^await main\(/m, 'main(');
  if (!path.endsWith('lib/config/site-file.ts')) return text;
  if (!text.includes(BY_URL)) throw new Error(`${path}: lacks ${BY_URL}`);
  const sites = sources().filter((file) => SITES.test(file));
  const imports = sites.map((site) => `${urlOf(ROOT + site)}: () => import(${JSON.stringify(ROOT + site)})`);
  return text.replace(BY_URL, `(({ ${imports.join(', ')} })[url.href]?.() ?? ${BY_URL})`);
}

/** Runs a script of the bundle, compiled: the first that ends well keeps what V8 made of it. */
const START = `'use strict';
const { readFileSync, renameSync, writeFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const vm = require('node:vm');

const kept = (file) => {
  try {
    return readFileSync(file);
  } catch {}
};

module.exports = (file) => {
  const source = '(function (exports, require, module) {' + readFileSync(file, 'utf8') + '\\n})';
  const cachedData = kept(file + '.v8');
  const importModuleDynamically = vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER;
  const script = new vm.Script(source, { filename: file, cachedData, importModuleDynamically });
  if (!cachedData)
    process.on('exit', (status) => {
      if (status !== 0 || process.argv.includes('--help')) return;
      try {
        writeFileSync(file + '.' + process.pid, script.createCachedData());
        renameSync(file + '.' + process.pid, file + '.v8');
      } catch {}
    });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(file), module);
};
`;

const common = {
  outbase: ROOT,
  bundle: true,
  platform: 'node',
  target: 'node20',
  keepNames: true,
  plugins: [
    {
      name: 'in place',
      setup({ onLoad, onResolve }) {
        onLoad({ filter: /\.ts$/ }, ({ path }) => ({ loader: 'ts', contents: inPlace(path) }));
        // ssh2 loads what is compiled for it from its own folder.
        onLoad({ filter: /\/ssh2\/.*\.js$/ }, ({ path }) => ({
          contents: readFileSync(path, 'utf8').replaceAll('__dirname', JSON.stringify(dirname(path))),
        }));
        onResolve({ filter: /\.node$/ }, ({ path, resolveDir }) => ({
          path: join(resolveDir, path),
          external: true,
        }));
      },
    },
  ],
} satisfies BuildOptions;

const entries = (kind: RegExp): string[] =>
  sources()
    .filter((file) => kind.test(file))
    .map((file) => ROOT + file);

const DAY_MS = 86_400_000;

/** Removes the bundles of earlier sources; no run of the tests takes a day. */
function removeOld(): void {
  if (!existsSync(CACHE)) return;
  for (const name of readdirSync(CACHE))
    if (Date.now() - statSync(CACHE + name).mtimeMs > DAY_MS)
      rmSync(CACHE + name, { recursive: true, force: true });
}

async function makeBundle(folder: string): Promise<void> {
  const { build } = await import('esbuild');
  removeOld();
  const outdir = `${folder}.${process.pid}`;
  const scripts = entries(SCRIPTS);
  await build({ ...common, entryPoints: scripts, outdir, format: 'cjs', external: ['cpu-features'] });
  const esm = {
    format: 'esm',
    splitting: true,
    packages: 'external',
    outExtension: { '.js': '.mjs' },
  } as const;
  await build({ ...common, ...esm, entryPoints: entries(HELPERS), outdir });
  writeFileSync(`${outdir}/start.cjs`, START);
  for (const file of scripts) {
    const name = basename(file, '.ts');
    writeFileSync(`${outdir}/scripts/${name}.cjs`, `require('../start.cjs')(__dirname + '/${name}.js');\n`);
  }
  try {
    renameSync(outdir, folder);
  } catch {
    // Another process has just made it.
    rmSync(outdir, { recursive: true });
  }
}

if (process.argv[1] === SELF) await makeBundle(process.argv[2] as string);

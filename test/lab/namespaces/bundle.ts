/**
 * Bundles each script into one JavaScript file with V8's code cache: a full test run starts over a thousand processes,
 * and this cuts their startup time to a third. esbuild builds the bundles once per state of the sources.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { BuildOptions } from 'esbuild';

const SELF = fileURLToPath(import.meta.url);
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
// Must not contain the word gatepost: tests search for its processes by that name.
const CACHE = `${ROOT}node_modules/.cache/test-bundles/`;
const FOLDERS = ['lib', 'scripts', 'sites', 'test/lab'];
/** Not the demo, which re-executes itself. */
const SCRIPTS = /^scripts\/(?!demo)[\w-]+\.ts$/;
/** Other programs that the lab starts. */
const HELPERS = /^test\/lab\/(?:stand-ins\/[\w-]+|faults\/relay)\.ts$/;
const SITES = /^sites\/[^/]+$/;
/** The import of a site file, which esbuild cannot follow. */
const BY_URL = 'import(url.href)';

const sources = (): readonly string[] =>
  FOLDERS.flatMap((folder) =>
    readdirSync(ROOT + folder, { recursive: true }).map((name) => `${folder}/${name}`),
  ).filter((file) => file.endsWith('.ts'));

function hashOf(files: readonly string[]): string {
  const hash = createHash('sha256').update(ROOT);
  for (const file of files) hash.update(`\0${file}\0`).update(readFileSync(ROOT + file));
  return hash.digest('hex').slice(0, 24);
}

let folder: string | undefined;

/**
 * The bundle of a source file, or undefined if it is not bundled.
 * @param loader Node's arguments for loading TypeScript
 */
export function bundled(file: string, loader: readonly string[]): string | undefined {
  const kind = SCRIPTS.test(file) ? 'cjs' : HELPERS.test(file) ? 'mjs' : undefined;
  if (!kind) return undefined;
  folder ??= CACHE + hashOf(sources());
  if (!existsSync(folder)) spawnSync(process.execPath, [...loader, SELF, folder], { stdio: 'inherit' });
  return `${folder}/${file.slice(0, -2)}${kind}`;
}

const urlOf = (path: string): string => JSON.stringify(pathToFileURL(path).href);

/** A module's text with `import.meta.url` fixed to the source, so that it finds the files of the checkout. */
function withSourceUrls(path: string): string {
  const text = readFileSync(path, 'utf8').replaceAll('import.meta.url', urlOf(path));
  // CommonJS has no top-level await; nothing follows this one.
  if (path.startsWith(`${ROOT}scripts/`)) return text.replace(/^await main\(/m, 'main(');
  if (!path.endsWith('lib/config/site-file.ts')) return text;
  if (!text.includes(BY_URL)) throw new Error(`${path}: lacks ${BY_URL}`);
  const sites = sources().filter((file) => SITES.test(file));
  const imports = sites.map((site) => `${urlOf(ROOT + site)}: () => import(${JSON.stringify(ROOT + site)})`);
  return text.replace(BY_URL, `(({ ${imports.join(', ')} })[url.href]?.() ?? ${BY_URL})`);
}

/** Runs a bundled script; the first successful run saves V8's code cache. */
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
        onLoad({ filter: /\.ts$/ }, ({ path }) => ({ loader: 'ts', contents: withSourceUrls(path) }));
        // ssh2 loads its native module from its own folder.
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

/** Removes bundles of earlier sources; no test run takes a day. */
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
    // Another process was faster.
    rmSync(outdir, { recursive: true });
  }
}

if (process.argv[1] === SELF) await makeBundle(process.argv[2] as string);

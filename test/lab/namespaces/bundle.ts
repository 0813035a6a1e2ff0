/**
 * The scripts, and what the lab starts beside them, as JavaScript in a few files: a whole run of the tests starts more than a
 * thousand processes, and each of them loads in half of the time. esbuild makes it, once for each state of the sources.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

const SELF = fileURLToPath(import.meta.url);
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CACHE = `${ROOT}node_modules/.cache/gatepost-bundles/`;
const FOLDERS = ['lib', 'scripts', 'sites', 'test/lab'];
/** Without the demo, which starts itself once more. */
const ENTRIES = /^(?:scripts\/(?!demo)|test\/lab\/(?:stand-ins|faults)\/)[\w-]+\.ts$/;
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
  if (!ENTRIES.test(file)) return undefined;
  folder ??= CACHE + stateOf(sources());
  if (!existsSync(folder)) spawnSync(process.execPath, [...loader, SELF, folder], { stdio: 'inherit' });
  return `${folder}/${file.slice(0, -2)}mjs`;
}

const urlOf = (path: string): string => JSON.stringify(pathToFileURL(path).href);

/** The text of a module, which finds the files of the checkout by its own URL: that stays the one of the source. */
function inPlace(path: string): string {
  const text = readFileSync(path, 'utf8').replaceAll('import.meta.url', urlOf(path));
  if (!path.endsWith('lib/config/site-file.ts')) return text;
  if (!text.includes(BY_URL)) throw new Error(`${path}: lacks ${BY_URL}`);
  const sites = sources().filter((file) => SITES.test(file));
  const imports = sites.map((site) => `${urlOf(ROOT + site)}: () => import(${JSON.stringify(ROOT + site)})`);
  return text.replace(BY_URL, `(({ ${imports.join(', ')} })[url.href]?.() ?? ${BY_URL})`);
}

async function makeBundle(outdir: string): Promise<void> {
  const { build } = await import('esbuild');
  const own = `${outdir}.${process.pid}`;
  await build({
    entryPoints: sources()
      .filter((file) => ENTRIES.test(file))
      .map((file) => ROOT + file),
    outbase: ROOT,
    outdir: own,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    keepNames: true,
    plugins: [
      {
        name: 'in place',
        setup: ({ onLoad }) =>
          onLoad({ filter: /\.ts$/ }, ({ path }) => ({ loader: 'ts', contents: inPlace(path) })),
      },
    ],
  });
  try {
    renameSync(own, outdir);
  } catch {
    // Another process has just made it.
    rmSync(own, { recursive: true });
  }
}

if (process.argv[1] === SELF) await makeBundle(process.argv[2] as string);

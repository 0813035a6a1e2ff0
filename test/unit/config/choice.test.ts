/** Which env file, site and directory of sites a run uses. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ROOT } from '../../../lib/util/project.ts';
import { TYPESCRIPT } from '../../lab/namespaces/process.ts';

const here = fileURLToPath(ROOT);
const folder = mkdtempSync(join(tmpdir(), 'gatepost-choice-'));
after(() => rmSync(folder, { recursive: true }));

/** A clone, with an env file next to it; two other folders, one with an env file. */
const clone = join(folder, 'clone');
const [elsewhere, withFile] = [join(folder, 'elsewhere'), join(folder, 'with-file')];
for (const part of ['lib', 'scripts', 'sites', 'http-maps', 'package.json'])
  cpSync(join(here, part), join(clone, part), { recursive: true });
symlinkSync(join(here, 'node_modules'), join(clone, 'node_modules'));
for (const place of [elsewhere, withFile]) mkdirSync(place);
const write = (place: string, text: string) => writeFileSync(join(place, '.env'), text, { mode: 0o600 });
write(clone, 'IA_ENSO_PROXY_PORT=1x\n');
write(withFile, 'IA_ENSO_PROXY_PORT=2x\n');

const TSX = ['--import', pathToFileURL(join(here, 'node_modules/tsx/dist/loader.mjs')).href];

/** Runs a script of the clone in a folder; with tsx, as operators do, since there may be third-party sites. */
function run(cwd: string, args: readonly string[], env: Record<string, string> = {}) {
  const loader = env.GATEPOST_SITES || cwd === withFile ? TSX : TYPESCRIPT;
  const command = [...loader, join(clone, 'scripts/deploy.ts'), '--bundle', join(folder, 'b'), ...args];
  const { PATH = '' } = process.env;
  return spawnSync(process.execPath, command, { cwd, encoding: 'utf8', env: { PATH, ...env } });
}

describe('the env file', () => {
  it('is the one in the working directory, else the one of gatepost, else none; --env selects another', () => {
    assert.match(run(withFile, []).stdout, /IA_ENSO_PROXY_PORT: is "2x"/);
    assert.match(run(elsewhere, []).stdout, /IA_ENSO_PROXY_PORT: is "1x"/);
    assert.match(run(elsewhere, ['--env', join(withFile, '.env')]).stdout, /"2x"/);
    assert.match(run(elsewhere, ['--env', 'none']).stdout, /--env none: the file does not exist/);
  });

  it('is shown by --verbose', () => {
    assert.match(run(elsewhere, ['--verbose']).stdout, new RegExp(`env file: ${join(clone, '.env')}`));
    assert.doesNotMatch(run(elsewhere, []).stdout, /env file:/);
  });
});

const OWN = join(folder, 'own');
const GATED = `import { bearerGate, certificate, type CheckSpec } from 'gatepost/checks';
import { gate, gateMap, tokenSettings } from 'gatepost/gate';
import { ipv4 } from 'gatepost/settings';
import type { Site } from 'gatepost/site';
const names = { site: 'own.example.org', name: 'own', path: '/', service: 'x', inference: 'v1/', inferencePaths: '/v1/*' } as const;
const checks: CheckSpec[] = [certificate(), bearerGate({ lists: ['/v1/models'], tokenVariable: 'OWN_TOKEN' })];
export const site: Site = {
  name: 'own.example.org', serverName: 'own.example.org', prefix: 'OWN', webSocket: false, checks,
  settings: { OWN_BACKEND_IP: { form: ipv4, required: true, meaning: 'a backend' }, ...tokenSettings('OWN_TOKEN') },
  maps: [gateMap(names), { source: 'own.map.conf', name: 'own-map.conf', mode: '644' }],
  gate: gate(names, { token: 'OWN_TOKEN', models: '/v1/models', settings: [] }),
};
`;
mkdirSync(join(OWN, 'snippets'), { recursive: true });
mkdirSync(join(OWN, 'http-maps'));
writeFileSync(join(OWN, 'own.example.org.ts'), GATED);
writeFileSync(
  join(OWN, 'own.example.org.conf'),
  '# own vhost __OWN_BACKEND_IP__\ninclude snippets/gate.conf;\ninclude snippets/hsts.conf;\ninclude snippets/mine.conf;\n',
);
writeFileSync(join(OWN, 'snippets/mine.conf'), '# a snippet of my own\n');
writeFileSync(join(OWN, 'http-maps/own.map.conf'), '# a map of my own\n');

describe('sites outside of gatepost', () => {
  const settings = { OWN_BACKEND_IP: '10.1.2.3', IA_ENSO_PROXY_PORT: '22' };
  const site = ['--site', 'own.example.org'];

  it("are found by GATEPOST_SITES, with their own templates, maps and snippets and with gatepost's", () => {
    const { status, stdout } = run(elsewhere, [...site, '--json'], { ...settings, GATEPOST_SITES: OWN });
    assert.equal(status, 0, stdout);
    const { stdout: bundle } = spawnSync('cat', [join(folder, 'b')], { encoding: 'utf8' });
    for (const text of [
      'own vhost 10.1.2.3',
      'Strict-Transport-Security',
      'snippet of my own',
      'map of my own',
    ])
      assert.ok(bundle.includes(text), text);
    assert.ok(bundle.includes('/etc/nginx/own-bearers/'));
  });

  it('have their tokens redacted', () => {
    const token = 'Sesame-Open-0123456789';
    const { stdout, stderr } = run(elsewhere, [...site, '--json'], {
      ...settings,
      GATEPOST_SITES: OWN,
      OWN_TOKEN: `${token}\t`,
    });
    assert.match(stdout, /OWN_TOKEN:/);
    assert.ok(!(stdout + stderr).includes(token));
  });

  it('may be set in the env file, relative to it, like the site', () => {
    write(withFile, 'GATEPOST_SITES=../own\nGATEPOST_SITE=own.example.org\nOWN_BACKEND_IP=10.1.2.3\n');
    const shown = run(withFile, []);
    assert.equal(shown.status, 0, shown.stdout);
    assert.match(shown.stdout, /the bundle of own\.example\.org/);
    assert.match(run(withFile, ['--help']).stdout.replace(/\s+/g, ' '), /there are: .*own\.example\.org/);
    assert.match(run(withFile, ['--site', 'nexus']).stdout, /the bundle of nexus/);
  });

  it('must exist and have unique names', () => {
    assert.match(run(elsewhere, [], { GATEPOST_SITES: '/none' }).stdout, /GATEPOST_SITES: is "\/none"/);
    assert.match(
      run(elsewhere, [], { GATEPOST_SITE: 'nexsu' }).stdout,
      /GATEPOST_SITE nexsu: unknown site; .*did you mean nexus/,
    );
    const twice = join(folder, 'twice');
    mkdirSync(twice);
    writeFileSync(join(twice, 'x.ts'), GATED.replaceAll('own.example.org', 'nexus'));
    const { status, stdout } = run(elsewhere, ['--site', 'nexus'], { GATEPOST_SITES: twice });
    assert.deepEqual(
      [status, stdout.includes(`sites/nexus.ts and ${twice}/x.ts: both have`)],
      [2, true],
      stdout,
    );
  });

  it('do not prevent --help', () => {
    const { status, stdout } = run(elsewhere, ['--help'], { GATEPOST_SITES: '/none' });
    assert.deepEqual([status, /there are: ia\.enso/.test(stdout.replace(/\s+/g, ' '))], [0, true]);
  });
});

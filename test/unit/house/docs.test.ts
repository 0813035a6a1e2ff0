/** README.md and docs/*.md: tables that match the code, links that resolve, examples that work. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { describe, it } from 'node:test';
import { pageNames, readPage, SYMPTOMS, tables, withTables } from '../../../docs/generate.ts';
import { readSettings } from '../../../lib/config/settings.ts';
import { findSites, pickSite } from '../../../lib/config/site-registry.ts';
import { stepTitle } from '../../../lib/output/steps.ts';
import { ROOT } from '../../../lib/util/project.ts';

const pages = new Map<string, string>();
for (const name of await pageNames()) pages.set(name, await readPage(name));
const readme = pages.get('README.md') ?? '';

describe('the tables of the docs', async () => {
  const all = await tables();

  for (const [name, text] of pages)
    it(`of ${name} match the code (else: npm run docs)`, () => assert.equal(text, withTables(text, all)));

  it("are each on a page, except those of other people's sites", () => {
    const shown = [...pages.values()].flatMap((text) =>
      [...text.matchAll(/<!-- table: (.+) -->/g)].map(([, name]) => name),
    );
    assert.ok(shown.length >= 10, shown.join());
    const missing = [...all.keys()].filter((name) => !name.startsWith('settings ') && !shown.includes(name));
    assert.deepEqual(missing, []);
  });

  it('contain each error once', () => {
    const errors = Object.values(SYMPTOMS).flatMap((rows) => rows.map(({ error }) => error));
    assert.equal(new Set(errors).size, errors.length);
  });

  it('are refused under an unknown name', () =>
    assert.throws(() => withTables('<!-- table: x -->\n<!-- end -->', all), /no table x/));
});

describe('the links of the docs', () => {
  /** The anchor that GitHub gives a heading. */
  const anchorOf = (heading: string): string =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
  const prose = (text: string): string => text.replaceAll(/^( *)```.*?^\1```/gms, '');
  const anchorsOf = (text: string): readonly string[] =>
    [...prose(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));

  for (const [name, text] of pages)
    it(`${name} has only links that resolve`, () => {
      const links = [...prose(text).matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => link);
      const broken = links.filter((link) => {
        if (/^https?:/.test(link)) return false;
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? name : posix.join(posix.dirname(name), path);
        if (!existsSync(new URL(target, ROOT))) return true;
        return anchor !== undefined && !anchorsOf(pages.get(target) ?? '').includes(anchor);
      });
      assert.deepEqual(broken, []);
    });

  it('reach every page from README.md', () => {
    const missing = [...pages.keys()].filter((name) => name !== 'README.md' && !readme.includes(`(${name}`));
    assert.deepEqual(missing, []);
  });

  it('name existing scripts and npm commands', async () => {
    const { scripts } = JSON.parse(await readFile(new URL('package.json', ROOT), 'utf8')) as {
      scripts: object;
    };
    for (const [name, text] of pages) {
      for (const [, script = ''] of text.matchAll(/scripts\/([\w-]+)\.ts/g))
        assert.ok(existsSync(new URL(`scripts/${script}.ts`, ROOT)), `${name}: ${script}`);
      for (const [, script = ''] of text.matchAll(/npm run (\w+)/g))
        assert.ok(Object.hasOwn(scripts, script), `${name}: npm run ${script}`);
    }
  });
});

describe('the examples of README.md', () => {
  const block = (pattern: RegExp): string => pattern.exec(readme)?.[1]?.replaceAll(/^ {3}/gm, '') ?? '';

  it('of a deploy shows the steps as the output does', () => {
    const steps = ['connect', 'survey', 'test', 'write', 'reload', 'record'].map(
      (name) => `  ✓ ${stepTitle(name)}`,
    );
    const title = `.{${stepTitle('connect').length}}`;
    const shown = readme.match(new RegExp(`^ {2}✓ ${title}(?= +\\d+ ms$)`, 'gm'));
    assert.deepEqual(shown, steps);
  });

  it('for .env is one that the scripts accept', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'gatepost-')), '.env');
    await writeFile(file, block(/`\.env` begins[\s\S]*?```sh\n([\s\S]*?)```/), { mode: 0o600 });
    const sites = await findSites();
    const site = pickSite(sites, 'ia.enso.4nkweb.com');
    const { access, values, warnings } = await readSettings(site, sites.values(), { envFile: file }, {});
    assert.deepEqual(
      [access.hosts, access.user, access.jump, access.isJumpExplicit, warnings],
      [['192.168.1.10'], 'admin', undefined, true, []],
    );
    assert.deepEqual(
      [values.IA_ENSO_SERVER_NAME, values.IA_ENSO_BACKEND_IP],
      ['ai.example.org', '192.168.1.20'],
    );
  });
});

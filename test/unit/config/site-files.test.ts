/** Files of sites/: a mistake or a collision names its files, and stops only their sites. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { findSites, pickSite, type Sites } from '../../../lib/config/site-registry.ts';

const WIKI = {
  name: 'wiki.example.org',
  serverName: 'wiki.example.org',
  prefix: 'WIKI',
  proxy: { user: 'root' },
  settings: {},
  maps: [{ source: 'wiki.map.conf.example', name: 'wiki-http-maps.conf', mode: '644' }],
  webSocket: false,
  checks: [{ maker: 'certificate', options: [] }],
};
const GATE = {
  token: 'WIKI_TOKEN',
  clients: '/etc/nginx/wiki-bearers',
  live: '/etc/nginx/wiki-live',
  concurrent: [],
  path: '',
  models: '/v1/models',
  settings: [],
  limits: {},
  variables: 'wiki',
  logFormat: 'wiki',
  log: '/var/log/nginx/wiki.log',
  names: {},
};
const OTHER = {
  ...WIKI,
  name: 'other.example.org',
  prefix: 'OTHER',
  maps: [{ ...WIKI.maps[0], name: 'other-http-maps.conf' }],
};

const asFile = (site: object): string => `export const site = ${JSON.stringify(site, null, 2)};\n`;

/** The sites of a folder with these files. */
async function sitesIn(files: Readonly<Record<string, string>>): Promise<Sites> {
  const folder = mkdtempSync(join(tmpdir(), 'gatepost-sites-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, `${name}.ts`), text);
    return await findSites(undefined, pathToFileURL(`${folder}/`));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The problems with the file `bad` next to a valid one, which must stay usable. */
async function problemsOf(text: string): Promise<readonly string[]> {
  const sites = await sitesIn({ bad: text, other: asFile(OTHER) });
  assert.deepEqual([...sites.keys()], ['other.example.org']);
  return sites.problems.get('bad') ?? [];
}

for (const [fact, text, problems] of [
  [
    'a syntax error',
    'export const a = 1;\nexport const site = { name: };\n',
    [/^sites\/bad\.ts(?::2)?: Unexpected/],
  ],
  ['no site', 'export const wiki = 1;\n', [/^sites\/bad\.ts: must contain `export const site`/]],
  [
    'an error when it runs',
    '\nconst a = undefined;\nexport const site = a.b;\n',
    [/^sites\/bad\.ts:3: Cannot read/],
  ],
  ['an import that does not exist', "import './none.ts';\n", [/^sites\/bad\.ts: Cannot find module/]],
  [
    'a site that is not an object',
    'export const site = 1;\n',
    [/^sites\/bad\.ts:1?: ?site: must be an object|site: must be/],
  ],
  [
    'a misspelled field',
    asFile({ ...WIKI, prefix: undefined, prefx: 'WIKI' }),
    [/^sites\/bad\.ts: prefx: unknown field; there are: .*prefix/, /prefix: must be upper-case/],
  ],
  [
    'an unknown field of the gate',
    asFile({ ...WIKI, gate: { ...GATE, scope: 1 } }),
    [/gate\.scope: unknown field/],
  ],
  [
    'a gate without a token',
    asFile({ ...WIKI, gate: { ...GATE, token: '' } }),
    [/gate\.token: must be a text/],
  ],
  [
    'names that are too long for nginx',
    asFile({ ...WIKI, gate: { ...GATE, variables: 'a_name_that_is_too_long' } }),
    [/gate\.variables: must be up to 20/],
  ],
  [
    'a name that is reserved in the store',
    asFile({ ...WIKI, name: 'runs' }),
    [/name: must be .* not `runs`/],
  ],
  [
    'a setting without a validator',
    asFile({ ...WIKI, settings: { WIKI_IP: { meaning: 'x' } } }),
    [/settings\.WIKI_IP\.form/],
  ],
  [
    'a map in another folder',
    asFile({ ...WIKI, maps: [{ source: '../x', name: 'x', mode: '777' }] }),
    [/source/, /name/, /mode/],
  ],
  [
    'a check that is not called',
    `import { certificate } from '${new URL('../../../lib/checks/catalog.ts', import.meta.url).href}';
export const site = { ...${JSON.stringify(WIKI)}, checks: [certificate] };`,
    [/checks\[0\]: must be a call/],
  ],
] as const)
  test(`${fact} is a problem of that file only`, async () => {
    const found = await problemsOf(text);
    assert.equal(found.length, problems.length, found.join('\n'));
    for (const [i, problem] of problems.entries()) assert.match(found[i] ?? '', problem);
  });

test('a problem names the line of its field if the file has it once', async () => {
  const text = `export const site = {\n  ...${JSON.stringify({ ...WIKI, prefix: undefined })},\n  prefx: 'WIKI',\n};\n`;
  assert.match((await problemsOf(text))[0] ?? '', /^sites\/bad\.ts:3: prefx/);
});

test('a site with a mistake is refused with its file name, an unknown one with the list of sites', async () => {
  const sites = await sitesIn({ bad: 'export const wiki = 1;\n', other: asFile(OTHER) });
  assert.throws(() => pickSite(sites, 'bad'), { exit: 2, message: /^sites\/bad\.ts: / });
  assert.throws(() => pickSite(sites, 'none'), {
    exit: 2,
    message: /available: other\.example\.org\nsites\/bad\.ts: must/,
  });
  assert.equal(pickSite(sites, 'other.example.org').prefix, 'OTHER');
});

const gated = (site: { readonly name: string }, gate: object) => ({ ...site, gate: { ...GATE, ...gate } });
const APART = {
  token: 'OTHER_TOKEN',
  clients: '/etc/nginx/other-bearers',
  live: '/etc/nginx/other-live',
  variables: 'other',
  logFormat: 'other',
} as const;

for (const [what, a, b] of [
  ['the name wiki.example.org', WIKI, { ...OTHER, name: WIKI.name }],
  ['the prefix WIKI', WIKI, { ...OTHER, prefix: 'WIKI' }],
  ['the file in conf.d/ wiki-http-maps.conf', WIKI, { ...OTHER, maps: WIKI.maps }],
  [
    'the folder of the clients /etc/nginx/wiki-bearers',
    gated(WIKI, {}),
    gated(OTHER, { ...APART, clients: GATE.clients }),
  ],
  [
    'the names of the variables and zones wiki_…',
    gated(WIKI, {}),
    gated(OTHER, { ...APART, variables: 'wiki' }),
  ],
  ['the log format wiki', gated(WIKI, {}), gated(OTHER, { ...APART, logFormat: 'wiki' })],
] as const)
  test(`two sites with ${what} are both refused, naming both files; a third one is not`, async () => {
    const third = { ...WIKI, name: 'third.example.org', prefix: 'THIRD', maps: [] };
    const sites = await sitesIn({ a: asFile(a), b: asFile(b), third: asFile(third) });
    assert.deepEqual([...sites.keys()], ['third.example.org']);
    for (const { name } of [a, b])
      assert.throws(() => pickSite(sites, name), {
        exit: 2,
        message: `sites/a.ts and sites/b.ts: both have ${what}, and may be on the same proxy; change one of them`,
      });
  });

test('sites that share nothing are all usable', async () => {
  const sites = await sitesIn({ a: asFile(gated(WIKI, {})), b: asFile(gated(OTHER, APART)) });
  assert.deepEqual([[...sites.keys()], sites.problems.size], [['wiki.example.org', 'other.example.org'], 0]);
});

test("a file, or nothing, instead of the third-party sites' directory is refused", async () => {
  for (const [path, code] of [
    ['/etc/passwd', 'ENOTDIR'],
    ['/none', 'ENOENT'],
  ] as const)
    await assert.rejects(findSites(path), {
      exit: 2,
      message: `GATEPOST_SITES: is "${path}"; it cannot be opened as a directory (${code})`,
    });
});

test('every site of the checkout is usable', async () => {
  assert.deepEqual([...(await findSites()).problems], []);
});

/** More bad inputs than in settings.test.ts: env files, digits of other scripts, names, paths, templates. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { readEnvFile } from '../../../lib/config/env-file.ts';
import { readSettings } from '../../../lib/config/settings.ts';
import { findSites, pickSite } from '../../../lib/config/site-registry.ts';
import { judgeFiles } from '../../../lib/config/ssh-access.ts';
import { judgeClientName } from '../../../lib/model/bearer.ts';
import { render } from '../../../lib/nginx/render.ts';
import { UsageError } from '../../../lib/util/errors.ts';
import { inHome } from '../../../lib/util/home.ts';

const sites = await findSites();
const [ia, nexus] = ['ia.enso.4nkweb.com', 'nexus'].map((name) => pickSite(sites, name));
const folder = mkdtempSync(join(tmpdir(), 'gatepost-bad-'));
after(() => rmSync(folder, { recursive: true }));
const file = (name: string, content?: string | Buffer) => {
  if (content !== undefined) writeFileSync(join(folder, name), content, { mode: 0o600 });
  return join(folder, name);
};

/** The problems with settings, by variable name. */
async function problems(environment: Record<string, string>, site = ia, envFile = '/dev/null') {
  assert.ok(site);
  const read = readSettings(site, sites.values(), { envFile }, environment);
  const error = await read.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error === undefined || error instanceof UsageError, `${error}`);
  return (error?.problems ?? []).map((problem) => problem.split(':')[0]);
}

const ODD_USERS = [
  'a;b',
  '$(id)',
  'a\nb',
  'root@x',
  '-l',
  '.',
  '',
  ' a',
  'a'.repeat(65),
  'ａ',
  'a/b',
  'root\n',
];
const ODD_HOSTS = [
  'a\n',
  '\na',
  'a\nb',
  'https://a.example',
  '//a',
  'a.example/path',
  'a/',
  'user@a.example',
  'a.example:22',
  `${'a'.repeat(64)}.example`,
  `${'a.'.repeat(126)}ab`,
  '-a',
  'a b',
  '10.0.0.999',
  '０.0.0.1',
  '',
];
const ODD_PORTS = ['0', '65536', '-1', '80abc', '8e1', ' 443', '٤٤٣', '', '22\n'];
const ODD_ADDRESSES = [
  '10.0.0.999',
  '010.0.0.1',
  '10.1',
  '0x7f.1',
  '::1',
  '0.0.0.0',
  '1.2.3.4\n',
  '1.2.3.4;',
  '',
];

const OF_NEXUS: readonly (readonly [name: string, values: readonly string[]])[] = [
  ['NEXUS_PROXY_HOST', [...ODD_HOSTS, 'a,a', 'a,A']],
  ['NEXUS_PROXY_USER', ODD_USERS],
  ['NEXUS_PROXY_PORT', ODD_PORTS],
  ['NEXUS_BACKEND_IP', ODD_ADDRESSES],
  ['NEXUS_VIRTUAL_KEY', ['', 'short', 'Bearer 0123456789abcdef', '0123456789abcdef\n']],
];

const REFUSED: readonly (readonly [name: string, values: readonly string[]])[] = [
  [
    'IA_ENSO_BACKEND_IP',
    [
      '１０.0.0.1',
      '١٠.0.0.1',
      '10.0.0.1\0',
      '10.0.0.1%eth0',
      '10.0.0',
      '1.2.3.4.5',
      '+1.2.3.4',
      '1e1.2.3.4',
      '::ffff:10.0.0.1',
      '239.255.255.255',
      'localhost',
      '__X__',
      '$(id)',
    ],
  ],
  [
    'IA_ENSO_PROXY_PORT',
    [
      '２２',
      '٢٢',
      '²²',
      '0x16',
      '22.0',
      '+22',
      '2 2',
      '22\n',
      '00022',
      '1e3',
      '99999999999999999999',
      'ssh',
      '-0',
    ],
  ],
  ['DEPLOY_SSH_PROXY_PORT', ['２２', '0', '65536', '22,23']],
  ['DEPLOY_SSH_PROXY_USER', ODD_USERS],
  ['DEPLOY_SSH_PROXY_HOST', ODD_HOSTS.filter((text) => text !== '')],
  ['DEPLOY_SSH_PROXY_HOST', [' a', 'a,b', '192.168.1.1,192.168.1.2']],
  [
    'IA_ENSO_PROXY_HOST',
    [
      '１９２.168.1.1',
      'a,b,A',
      'a,b,a',
      '192.168.1.1,192.168.1.1',
      'a.,a.',
      ',a',
      'a,,b',
      'a;b',
      'a$(id)',
      '`id`',
      'a\0b',
      '-oProxyCommand=id',
      'a:22',
      '[::1]:22',
      'ssh://a',
      'a b',
      'ünïcode',
      'a..b',
      '.a',
      '0x7f.1',
      '2130706433',
      '1.2.3',
      '010.0.0.1',
    ],
  ],
  ['IA_ENSO_PROXY_HOST', ODD_HOSTS],
  ['IA_ENSO_PROXY_USER', ODD_USERS],
  ['IA_ENSO_SSH_KEY', ['', 'a\0b', 'a\nb']],
  ['ACME_DIRECTORY_URL', ['ftp://x', 'https://', 'https://a b', '//x', 'https://x\n']],
  ['ACME_EMAIL', ['a', 'a@', '@b.de', 'a@b', "a'@b.de", '-a@b.de', 'a@b.de\n']],
];

describe('a setting', () => {
  for (const [name, values] of REFUSED)
    it(`${name} is refused for each of ${values.length} bad values, by name and without the value`, async () => {
      for (const value of values)
        assert.deepEqual(await problems({ [name]: value }), [name], JSON.stringify(value));
    });

  for (const [name, values] of OF_NEXUS)
    it(`${name} is refused for each of ${values.length} bad values, by name and without the value`, async () => {
      for (const value of values)
        assert.deepEqual(
          await problems({ NEXUS_PROXY_HOST: 'h', [name]: value }, nexus),
          [name],
          JSON.stringify(value),
        );
    });

  it('NEXUS_SERVER_NAME is a public name, a public address or nothing', async () => {
    const bad = [
      '_',
      'nexus',
      '10.0.0.1',
      'a.b;',
      'a b.c',
      '*.example.org',
      'https://a.org',
      'a.org:443',
      'a_b.org',
      '-a.org',
      'a.0',
      '',
      `${'a'.repeat(64)}.org`,
    ];
    for (const value of bad)
      assert.deepEqual(
        await problems({ NEXUS_PROXY_HOST: 'h', NEXUS_SERVER_NAME: value }, nexus),
        ['NEXUS_SERVER_NAME'],
        value,
      );
  });

  it('IA_ENSO_SERVER_NAME is a public name', async () => {
    const bad = [
      '_',
      'ai',
      '10.0.0.1',
      '::1',
      'a.b;',
      '*.example.org',
      'https://a.org',
      'a_b.org',
      'a.org.',
      '',
    ];
    for (const name of [...bad, '$host.org', 'a..org', '__X__.org', `${'a.'.repeat(100)}org`])
      assert.ok((await problems({ IA_ENSO_SERVER_NAME: name })).includes('IA_ENSO_SERVER_NAME'), name);
  });

  it('with a typo in its name is reported in any spelling', async () => {
    for (const name of [
      'IA_ENSO_PROXY_HOTS',
      'ia_enso_proxy_host',
      'Ia_Enso_Proxy_Host',
      'IA_ENSO_',
      'IA_ENSO_BACKEND-IP',
    ])
      assert.deepEqual(await problems({ [name]: 'x' }), [name]);
  });

  it('that is nearly one of OpenSSH or ACME is reported in the file, and other programs keep theirs', async () => {
    const typos = ['SSH_TRANSPRT', 'SSH_KNOWN_HOST', 'ACME_DIRECTORY', 'ACME_MAIL', 'acme_email'];
    for (const name of typos) {
      assert.deepEqual(await problems({}, ia, file('typo', `${name}=x\n`)), [name]);
      assert.deepEqual(await problems({ [name]: 'x' }), []);
    }
    const others = ['SSH_AUTH_SOCK', 'SSH_KEY', 'SSH_PORT', 'ACME_HOME', 'ACME_CA'];
    for (const name of others) assert.deepEqual(await problems({}, ia, file('other', `${name}=x\n`)), []);
  });

  for (const name of ['NEXUS_', 'NEXUS_URL', 'nexus_backend_ip', 'NEXUS_PROXY_HOTS'])
    it(`that another site does not have is a warning in the environment and an error in the file: ${name}`, async () => {
      assert.ok(ia);
      const read = readSettings(ia, sites.values(), { envFile: '/dev/null' }, { [name]: 'x' });
      const [warning = '', ...more] = (await read).warnings;
      assert.ok(warning.startsWith(`${name}: set in the environment`) && more.length === 0, warning);
      assert.equal(warning.includes('did you mean'), /ip$|HOTS$/.test(name), warning);
      assert.deepEqual(await problems({}, ia, file('foreign', `${name}=x\n`)), [name]);
      assert.deepEqual(await problems({ [name]: 'x' }, ia, file('foreign')), [name]);
      assert.deepEqual(await problems({ NEXUS_PROXY_HOST: 'h', [name]: 'x' }, nexus), [name]);
    });

  it('of the selected site with an unrelated suffix may belong to another product', async () => {
    const environment = { NEXUS_PROXY_HOST: 'h', NEXUS_PROVIDER: 'ollama' };
    const { warnings } = await readSettings(
      pickSite(sites, 'nexus'),
      sites.values(),
      { envFile: '/dev/null' },
      { NEXUS_PROXY_USER: 'root', ...environment },
    );
    assert.deepEqual(warnings, ['NEXUS_PROVIDER: set in the environment, but not a setting of any site']);
    const inFile = file('product', 'NEXUS_PROVIDER=ollama\n');
    assert.deepEqual(await problems({ NEXUS_PROXY_HOST: 'h' }, nexus, inFile), ['NEXUS_PROVIDER']);
  });

  it('of another site is not validated', async () => {
    assert.deepEqual(await problems({ NEXUS_PROXY_PORT: 'x', NEXUS_BACKEND_IP: '' }), []);
  });
});

describe('an env file', () => {
  const reported = async (path: string) => (await readEnvFile(path)).problems.join('\n');

  it('that is not a regular file is refused at once and does not block the script', async () => {
    execFileSync('mkfifo', [file('pipe')]);
    symlinkSync(file('pipe'), file('link'));
    mkdirSync(file('folder'));
    for (const [path, words] of [
      [file('pipe'), /is a pipe/],
      [file('link'), /is a pipe/],
      [file('folder'), /is a directory/],
      ['/dev/zero', /is too large/],
      [join('/dev/null', 'x'), /cannot be read \(ENOTDIR\)/],
      [file('x'.repeat(300)), /cannot be read \(ENAMETOOLONG\)/],
    ] as const)
      assert.match(await reported(path), words, path);
  });

  it('may be empty, missing, or a symbolic link', async () => {
    symlinkSync(file('good', 'IA_ENSO_BACKEND_IP=10.0.0.7\n'), file('to-good'));
    assert.deepEqual((await readEnvFile(file('to-good'))).values, { IA_ENSO_BACKEND_IP: '10.0.0.7' });
    for (const path of ['/dev/null', file('none'), file('empty', ''), file('bom', '\uFEFF')])
      assert.deepEqual([await reported(path), (await readEnvFile(path)).values], ['', {}]);
  });

  for (const [what, text] of [
    ['with a colon', 'A: 1\nA: 2\n'],
    ['once with a colon', 'A: 1\nA=2\n'],
    ['exported', 'export A=1\nA=2\n'],
    ['with the line ends of old Macs', 'A=1\rA=2\r'],
    ['behind blanks', 'A=1\n\t A = 2\n'],
  ] as const)
    it(`warns about a name that is set twice: ${what}`, async () => {
      assert.match(await reported(file('twice', text)), /^A: set more than once/);
    });

  it('does not warn about a line inside a multi-line value', async () => {
    assert.equal(await reported(file('lines', 'B="\nA=2#3\n"\nA=1\n')), '');
  });

  for (const value of ['abc#def', 'abc #def#ghi', '"abc"', "'a#b'", 'a # b', '#', ''])
    it(`warns only about a value that is cut at a #: ${value}`, async () => {
      assert.equal(/unquoted #/.test(await reported(file('cut', `A=${value}\n`))), value === 'abc#def');
    });

  it('in another encoding is refused', async () => {
    for (const text of [
      Buffer.from('A=\xe9', 'latin1'),
      Buffer.from('\uFEFFA=1', 'utf16le'),
      Buffer.from([0xc0, 0xaf]),
    ])
      assert.match(await reported(file('bytes', text)), /is not UTF-8/);
  });
});

describe('a path', () => {
  const access = async (environment: Record<string, string>) => {
    assert.ok(ia);
    return (await readSettings(ia, sites.values(), { envFile: '/dev/null' }, environment)).access;
  };

  for (const name of ['IA_ENSO_SSH_KEY', 'SSH_KNOWN_HOSTS'])
    it(`${name} must name a file, and the error has its name`, async () => {
      execFileSync('mkfifo', [file(`${name}.pipe`)]);
      const bad = [
        file('nothing'),
        folder,
        file(`${name}.pipe`),
        '~/there/is/no/such/file',
        '~root/.profile',
        'no/such/file',
        `${file('a', '')}/b`,
      ];
      for (const path of bad)
        await assert.rejects(judgeFiles(await access({ [name]: path })), (error: unknown) => {
          assert.ok(error instanceof UsageError);
          assert.match(error.message, new RegExp(`^${name}: is "`));
          return true;
        });
      await judgeFiles(await access({ [name]: file('some', '') }));
    });

  it('expands ~ to the home directory, and nothing else', async () => {
    assert.equal((await access({ IA_ENSO_SSH_KEY: '~/x' })).key, inHome('~/x'));
    for (const path of ['a/~/x', '~user/x', '~x'])
      assert.equal((await access({ IA_ENSO_SSH_KEY: path })).key, join(process.cwd(), path));
  });

  it('that is not set is not checked', async () => {
    await judgeFiles(await access({}));
  });
});

it('a client name is not a path, not nginx syntax, and lowercase', () => {
  const bad = [
    '',
    '.',
    '..',
    '../x',
    'a/b',
    '/a',
    '.x',
    '-x',
    '_x',
    'A',
    'aB',
    'a b',
    'a\n',
    'a\0',
    'a.map',
    'a;',
    '*',
    '~a',
    'é',
    'ａ',
    '٣',
    'a'.repeat(65),
    '$a',
    'a\\',
  ];
  for (const name of bad) assert.notEqual(judgeClientName(name), undefined, JSON.stringify(name));
  for (const name of ['a', '0', 'a-b_c', 'a'.repeat(64), 'default'])
    assert.equal(judgeClientName(name), undefined, name);
});

it('a missing template is reported by name', async () => {
  assert.ok(ia);
  const settings = await readSettings(ia, sites.values(), { envFile: '/dev/null' }, {});
  const map = { source: 'none.map.conf.example', name: 'x.conf', mode: '644' } as const;
  await assert.rejects(
    render({ ...ia, maps: [map] }, settings),
    /^UsageError: http-maps\/none\.map\.conf\.example: .* cannot be read \(ENOENT\)/,
  );
  await assert.rejects(
    render({ ...ia, name: 'none' }, settings),
    /sites\/none\.conf: .* cannot be read \(ENOENT\)/,
  );
});

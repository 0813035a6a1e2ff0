/** Settings: formats, precedence, all problems together, secrets never repeated. */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { COMMON, settingsOf } from '../../../lib/config/schema.ts';
import { readSettings } from '../../../lib/config/settings.ts';
import { findSites, pickSite } from '../../../lib/config/site-registry.ts';
import { UsageError } from '../../../lib/util/errors.ts';
import { Secret } from '../../../lib/util/secret.ts';

const TOKEN = 'IA_ENSO_OLLAMA_BEARER_TOKEN';
const DEFAULT_NAME = 'ia.enso.4nkweb.com';
const CHOSEN = { IA_ENSO_SERVER_NAME: DEFAULT_NAME };
const NAMED = `IA_ENSO_SERVER_NAME=${DEFAULT_NAME}\n`;
const OTHER = { IA_ENSO_SERVER_NAME: 'ai.example.org' };
const GOOD = '4d8f0b72e6c1a935A';
const sites = await findSites();
const site = pickSite(sites, 'ia.enso.4nkweb.com');
const directory = await mkdtemp(join(tmpdir(), 'gatepost-'));

async function envFile(content: string | Buffer, mode = 0o600): Promise<string> {
  const file = join(directory, `${Math.random()}.env`);
  await writeFile(file, content);
  await chmod(file, mode);
  return file;
}

const read = (environment: Record<string, string>, file = join(directory, 'missing.env'), host?: string) =>
  readSettings(site, sites.values(), { envFile: file, host }, environment);

async function problemsOf(environment: Record<string, string>, file?: string): Promise<readonly string[]> {
  try {
    await read(environment, file);
  } catch (error) {
    assert.ok(error instanceof UsageError);
    return error.problems;
  }
  return [];
}

describe('settings', () => {
  it("uses the site's defaults if nothing is set", async () => {
    const { access, values, acme } = await read({});
    assert.deepEqual(access.hosts, ['192.168.1.100']);
    assert.equal(access.user, undefined);
    assert.deepEqual([access.jump, access.isJumpExplicit], [{ host: '4nk.myftp.biz' }, false]);
    assert.equal(access.defaults.user, 'ncantu');
    assert.deepEqual(values, {
      IA_ENSO_SERVER_NAME: 'ia.enso.4nkweb.com',
      IA_ENSO_BACKEND_IP: '192.168.1.164',
    });
    assert.equal(acme.directoryUrl, 'https://acme-v02.api.letsencrypt.org/directory');
  });

  it('prefers --host to the environment, and the environment to the file', async () => {
    const file = await envFile(`${NAMED}IA_ENSO_PROXY_HOST=10.0.0.1\nIA_ENSO_PROXY_USER=file\n`);
    const { access } = await read({ IA_ENSO_PROXY_HOST: '10.0.0.2' }, file);
    assert.deepEqual([access.hosts, access.user], [['10.0.0.2'], 'file']);
    assert.deepEqual((await read({}, file, 'a,B')).access.hosts, ['a', 'b']);
  });

  it('treats an empty jump host as a direct connection', async () => {
    assert.equal((await read({ ...CHOSEN, DEPLOY_SSH_PROXY_HOST: '' })).access.jump, undefined);
  });

  it('uses the default machines only for the default name', async () => {
    const names = (problems: readonly string[]) => problems.map((problem) => problem.split(':')[0]);
    assert.deepEqual(names(await problemsOf(OTHER)), [
      'IA_ENSO_PROXY_HOST',
      'IA_ENSO_PROXY_USER',
      'IA_ENSO_BACKEND_IP',
    ]);
    const own = { IA_ENSO_PROXY_HOST: 'p', IA_ENSO_PROXY_USER: 'u', IA_ENSO_BACKEND_IP: '10.0.0.1' };
    const { access } = await read({ ...OTHER, ...own });
    assert.deepEqual([access.jump, access.defaults.user, access.isJumpExplicit], [undefined, 'u', false]);
    assert.equal((await read({ IA_ENSO_SERVER_NAME: 'IA.Enso.4nkweb.com' })).access.defaults.user, 'ncantu');
  });

  it('refuses machines other than the default ones while the name is the default', async () => {
    const others = [
      { IA_ENSO_PROXY_HOST: '10.0.0.1' },
      { IA_ENSO_PROXY_HOST: '192.168.1.100,192.168.1.101' },
      { IA_ENSO_BACKEND_IP: '10.0.0.1' },
      { DEPLOY_SSH_PROXY_HOST: '' },
      { DEPLOY_SSH_PROXY_HOST: 'jump.example.org' },
    ];
    for (const other of others) {
      const [problem = '', ...more] = await problemsOf(other);
      assert.match(problem, /^IA_ENSO_SERVER_NAME: must be set/);
      assert.ok(problem.includes(Object.keys(other)[0] ?? '') && more.length === 0, problem);
      assert.deepEqual(await problemsOf({ ...CHOSEN, ...other }), []);
    }
    const same = { IA_ENSO_PROXY_HOST: '192.168.1.100', DEPLOY_SSH_PROXY_HOST: '4NK.myftp.biz' };
    assert.deepEqual(await problemsOf({ ...same, IA_ENSO_PROXY_USER: 'me' }), []);
    await assert.rejects(read({}, undefined, '10.0.0.1'), /IA_ENSO_SERVER_NAME: must be set/);
    const bundle = { envFile: '/dev/null', isHostless: true };
    const elsewhere = { IA_ENSO_BACKEND_IP: '10.0.0.1' };
    await assert.rejects(readSettings(site, sites.values(), bundle, elsewhere), /IA_ENSO_SERVER_NAME/);
    await readSettings(site, sites.values(), bundle, { ...OTHER, ...elsewhere });
  });

  it('suggests only similar settings of the same site', async () => {
    const of = async (name: string) => (await problemsOf({}, await envFile(`${name}=x\n`)))[0] ?? '';
    assert.match(await of('IA_ENSO_SERVER_NAMES'), /did you mean IA_ENSO_SERVER_NAME\?/);
    assert.match(await of('IA_ENSO_PROXY_HOTS'), /did you mean IA_ENSO_PROXY_HOST\?/);
    assert.match(await of('DEPLOY_SSH_PROXI_HOST'), /did you mean DEPLOY_SSH_PROXY_HOST\?/);
    assert.match(await of('GATEPOST_SIET'), /did you mean GATEPOST_SITE\?/);
    const unknown = await of('IA_ENSO_OLLAMA_PORT');
    assert.ok(!unknown.includes('did you mean') && !unknown.includes('NEXUS'), unknown);
    assert.ok(unknown.includes('IA_ENSO_PROXY_PORT'), unknown);
    assert.deepEqual((await read({ GATEPOST_LAB: 'x', DEPLOY_SSH_KEYS: 'x' })).warnings, []);
  });

  it('reports every placeholder of .env.example, and they come first there', async () => {
    const example = fileURLToPath(new URL('../../../.env.example', import.meta.url));
    const five = [
      'IA_ENSO_SERVER_NAME',
      'IA_ENSO_PROXY_HOST',
      'IA_ENSO_PROXY_USER',
      'IA_ENSO_BACKEND_IP',
      'DEPLOY_SSH_PROXY_HOST',
    ];
    const problems = await problemsOf({}, example);
    assert.ok(problems.every((problem) => problem.includes('placeholder')));
    assert.deepEqual(problems.map((problem) => problem.split(':')[0]).sort(), [...five].sort());
    const text = await readFile(example, 'utf8');
    assert.deepEqual(
      [...text.matchAll(/^([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name),
      five,
    );
  });

  it('wraps the token and never prints it', async () => {
    const { values } = await read({ [TOKEN]: GOOD });
    assert.ok(values[TOKEN] instanceof Secret);
    assert.ok(!JSON.stringify(values).includes(GOOD));
  });

  it('reports all problems together, each by name', async () => {
    const problems = await problemsOf({
      IA_ENSO_BACKEND_IP: '10.1',
      IA_ENSO_PROXY_PORT: '0',
      [TOKEN]: 'short',
      NEXUS_TYPO_X: '1',
      IA_ENSO_BACKEND_PI: '10.0.0.1',
    });
    for (const name of ['IA_ENSO_BACKEND_IP', 'IA_ENSO_PROXY_PORT', TOKEN, 'IA_ENSO_BACKEND_PI'])
      assert.ok(
        problems.some((problem) => problem.startsWith(`${name}:`)),
        `${name} in ${problems}`,
      );
    assert.ok(problems.some((problem) => problem.includes('did you mean IA_ENSO_BACKEND_IP?')));
  });

  const refused: Record<string, readonly string[]> = {
    IA_ENSO_BACKEND_IP: [
      '10.0.0.999',
      '010.0.0.1',
      '10.1',
      '0x7f.1',
      '2130706433',
      '10.0.0.1:8080',
      '10.0.0.1/24',
      '::1',
      '0.0.0.0',
      '224.0.0.1',
      '255.255.255.255',
      '１0.0.0.1',
      '1.2.3.4;',
      '1.2.3.4\n',
      ' 1.2.3.4',
      '',
    ],
    IA_ENSO_PROXY_HOST: [
      'a;b',
      'a b',
      'a\nb',
      '{a}',
      '-a',
      'http://a',
      'a/b',
      `${'a'.repeat(64)}.b`,
      `${'a.'.repeat(130)}b`,
      'a,a',
      'a,A',
      'a,',
      '',
      'user@a',
      '999.1.1.1',
      '0.0.0.0',
    ],
    IA_ENSO_PROXY_USER: ['a@b', 'a b', '-a', '', 'a\n'],
    IA_ENSO_PROXY_PORT: ['0', '65536', '-1', '80abc', '8e1', ' 443', '٤٤٣', '', '1.5', '080'],
    DEPLOY_SSH_PROXY_HOST: [' ', 'a b', '-oProxyCommand=x'],
    ACME_DIRECTORY_URL: ['http://plain.example', 'nonsense', ''],
    ACME_EMAIL: ['not-an-address', 'a b@c.de'],
    [TOKEN]: [
      '',
      ' ',
      ` ${GOOD}`,
      `${GOOD} `,
      'abc def ghi jkl mno',
      `${GOOD}\t`,
      `${GOOD}\n`,
      `${GOOD}\0`,
      `${GOOD}"`,
      `${GOOD}'`,
      `${GOOD}\\`,
      `${GOOD}é`,
      'short',
      'x'.repeat(513),
      'ab'.repeat(2048),
      'ab'.repeat(500_000),
      'changeme',
      'changemechangeme',
      'changeme-by-openssl-rand-hex-32',
      `Bearer ${GOOD}`,
      'aaaaaaaaaaaaaaaaaaaa',
    ],
  };
  for (const [name, values] of Object.entries(refused)) {
    it(`refuses bad values of ${name}`, async () => {
      for (const value of values) {
        const problems = await problemsOf({ [name]: value });
        assert.equal(problems.length, 1, `${JSON.stringify(value.slice(0, 40))}: ${problems}`);
        assert.match(problems[0] ?? '', new RegExp(`^${name}:`));
        if (name === TOKEN && value.trim().length > 7)
          assert.ok(!problems[0]?.includes(value.trim()), 'echoed');
      }
    });
  }

  it('accepts tokens with any allowed characters', async () => {
    for (const value of ['$host-and-$uri-and-more', 'a.b+c*(d)[e]{f}^g|h?;#~%&=<>', 't9$w]Kq2'.repeat(64)])
      assert.deepEqual(await problemsOf({ [TOKEN]: value }), []);
  });
});

describe('the env file', () => {
  it('may be missing, or have a BOM and Windows line endings', async () => {
    const file = await envFile(`\uFEFFIA_ENSO_BACKEND_IP=10.0.0.7\r\nIA_ENSO_PROXY_PORT=2222\r\n${NAMED}`);
    const { values, access } = await read({}, file);
    assert.deepEqual([values.IA_ENSO_BACKEND_IP, access.port], ['10.0.0.7', 2222]);
  });

  const broken: readonly [string, string | Buffer, RegExp][] = [
    [
      'a name that is set twice',
      'IA_ENSO_PROXY_PORT=1\nIA_ENSO_PROXY_PORT=2\n',
      /^IA_ENSO_PROXY_PORT: set more than once/,
    ],
    ['bytes that are not UTF-8', Buffer.from([0x41, 0x3d, 0xff, 0xfe]), /is not UTF-8/],
    ['a value cut at a #', `${TOKEN}=abcdefghijklmnop#qrs\n`, /unquoted #/],
    ['an unknown name', 'IA_ENSO_TOKEN=x\n', /IA_ENSO_TOKEN: unknown setting/],
    [
      'a line without =',
      '# c\n\nA="x\ny"\nIA_ENSO_BACKEND_IP 10.0.0.1\n',
      /^\S+:5: not a NAME=value line; [^.0]*$/,
    ],
  ];
  for (const [what, content, expected] of broken) {
    it(`is refused for ${what}`, async () => {
      assert.match((await problemsOf({}, await envFile(content))).join('\n'), expected);
    });
  }

  it('is refused if it is a directory', async () => {
    assert.match((await problemsOf({}, directory)).join(), /is a directory/);
  });

  it('causes a warning if others may read a token in it', async () => {
    const file = await envFile(`${TOKEN}=${GOOD}\n`, 0o644);
    assert.match((await read({}, file)).warnings.join(), /chmod 600/);
    assert.deepEqual((await read({}, await envFile('IA_ENSO_PROXY_PORT=22\n', 0o644))).warnings, []);
  });

  it('of the example lists exactly the settings that the code reads', async () => {
    const example = await readFile(new URL('../../../.env.example', import.meta.url), 'utf8');
    const shown = [...example.matchAll(/^#?([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name);
    // Third-party sites may be installed next to them.
    const shipped = ['ia.enso.4nkweb.com', 'nexus'].map((name) => pickSite(sites, name));
    const known = shipped.flatMap((each) => Object.keys(settingsOf(each)));
    assert.deepEqual([...new Set(shown)].sort(), [...new Set([...known, ...Object.keys(COMMON)])].sort());
  });
});

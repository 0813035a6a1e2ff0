/** Hops from settings and the SSH configuration, with the real `ssh -G` on configurations in a test folder. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type Hop, type HostSettings, resolveHops } from '../../../lib/ssh/hops.ts';
import { parseHostConfig, parseJump, readHostConfig, sshConfigText } from '../../../lib/ssh/ssh-config.ts';
import { UsageError } from '../../../lib/util/errors.ts';
import { expandPath, home } from '../../../lib/util/home.ts';

const directory = mkdtempSync(join(tmpdir(), 'gatepost-config-'));
const environment: Record<string, string> = { SSH_AUTH_SOCK: '/agent', OTHER_AGENT: '/from/variable' };
process.env.OTHER_AGENT = environment.OTHER_AGENT; // ssh -G checks it
const defaults = { user: 'ncantu', port: 22, variable: (name: string) => environment[name] };
let count = 0;
after(() => rmSync(directory, { recursive: true }));

/** The hops with these lines as the only SSH configuration. */
async function hopsWith(
  config: string,
  target: HostSettings,
  jump?: HostSettings,
  jumpIsExplicit = false,
  knownHosts?: string,
): Promise<readonly Hop[]> {
  count += 1;
  const file = join(directory, `config.${count}`);
  writeFileSync(file, config, { mode: 0o600 });
  const ask = (settings: HostSettings) => readHostConfig(settings, [file]);
  return await resolveHops(target, jump, jumpIsExplicit, defaults, knownHosts, ask);
}

const brief = (hops: readonly Hop[]) =>
  hops.map(({ user, host, port }) => `${user}@${host}:${port}`).join(' ');

describe('resolveHops', () => {
  for (const [fact, config, target, jump, explicit, expected] of [
    [
      'uses the defaults without any configuration',
      '',
      { host: 'p' },
      { host: 'j' },
      false,
      'ncantu@j:22 ncantu@p:22',
    ],
    [
      'goes directly without a jump host',
      'Host p\nProxyJump x',
      { host: 'p' },
      undefined,
      true,
      'ncantu@p:22',
    ],
    [
      'takes host, user and port from the configuration',
      'Host p\nHostName 10.0.0.9\nUser alice\nPort 2200',
      { host: 'p' },
      { host: 'j' },
      false,
      'alice@j:22 alice@10.0.0.9:2200',
    ],
    [
      'lets explicit settings win',
      'Host *\nUser alice\nPort 2200',
      { host: 'p', user: 'bob', port: 22 },
      { host: 'j', port: 2222 },
      true,
      'alice@j:2222 bob@p:22',
    ],
    [
      'gives the jump host the user of the proxy',
      '',
      { host: 'p', user: 'root' },
      { host: 'j' },
      true,
      'root@j:22 root@p:22',
    ],
    [
      'follows ProxyJump if the jump host is not explicit',
      'Host p\nProxyJump carol@one:2201,two\nHost two\nUser dave\nHostName 10.2.2.2',
      { host: 'p' },
      { host: 'j' },
      false,
      'carol@one:2201 dave@10.2.2.2:22 ncantu@p:22',
    ],
    [
      'follows ProxyJump if no jump host is set',
      'Host p\nProxyJump one',
      { host: 'p' },
      undefined,
      false,
      'ncantu@one:22 ncantu@p:22',
    ],
    [
      'connects directly, despite ProxyJump, if the jump host is set to none',
      'Host p\nProxyJump one',
      { host: 'p' },
      undefined,
      true,
      'ncantu@p:22',
    ],
    [
      'keeps an explicit jump host before ProxyJump',
      'Host p\nProxyJump one',
      { host: 'p' },
      { host: 'j' },
      true,
      'ncantu@j:22 ncantu@p:22',
    ],
    [
      'reaches a jump host through its own ProxyJump',
      'Host j\nProxyJump outer',
      { host: 'p' },
      { host: 'j' },
      true,
      'ncantu@outer:22 ncantu@j:22 ncantu@p:22',
    ],
    [
      'treats ProxyJump none as none',
      'Host p\nProxyJump none',
      { host: 'p' },
      { host: 'j' },
      false,
      'ncantu@j:22 ncantu@p:22',
    ],
  ] as const)
    it(fact, async () => assert.equal(brief(await hopsWith(config, target, jump, explicit)), expected));

  it('follows ProxyJump of the configuration, unless a direct connection was chosen', async () => {
    const config = 'Host p\nProxyJump one\nHost one\nUser dave';
    assert.equal(brief(await hopsWith(config, { host: 'p' }, undefined, false)), 'dave@one:22 ncantu@p:22');
    assert.equal(brief(await hopsWith(config, { host: 'p' }, undefined, true)), 'ncantu@p:22');
  });

  it('uses the ProxyCommand of the first hop if no jump host was chosen', async () => {
    const config =
      'Host *\nIdentityFile ~/.ssh/%n\nHost p\nHostName 10.0.0.9\nProxyCommand nc -X 5 %h %p # %r %n 100%%\nHost j\nProxyCommand tunnel %h\nHost d\nProxyCommand none';
    const commands = async (...args: [HostSettings, HostSettings?, boolean?]) =>
      (await hopsWith(config, ...args)).map(({ host, proxyCommand }) => [host, proxyCommand]);
    const own = 'nc -X 5 10.0.0.9 22 # ncantu p 100%';
    assert.deepEqual(await commands({ host: 'p' }, { host: 'j' }, false), [['10.0.0.9', own]]);
    assert.deepEqual(await commands({ host: 'p' }, undefined, true), [['10.0.0.9', own]]);
    assert.deepEqual(await commands({ host: 'p' }, { host: 'j' }, true), [
      ['j', 'tunnel j'],
      ['10.0.0.9', undefined],
    ]);
    assert.deepEqual(await commands({ host: 'd' }, undefined, true), [['d', undefined]]);
  });

  it('labels each hop with the name that the operator typed', async () => {
    const hops = await hopsWith('Host p\nHostName 10.0.0.9', { host: 'p' }, { host: 'gate.test' });
    assert.deepEqual(
      hops.map(({ label }) => label),
      ['jump host gate.test', 'proxy p'],
    );
  });

  it('prefers an explicit key, then those of the configuration, then the defaults of OpenSSH', async () => {
    const config = 'Host p\nIdentityFile ~/.ssh/%r_key\nIdentityFile /two';
    const [explicit] = await hopsWith(config, { host: 'p', key: '/mine' });
    assert.deepEqual([explicit?.keys, explicit?.keyIsExplicit], [['/mine'], true]);
    const [jump, configured] = await hopsWith(config, { host: 'p' }, { host: 'j' });
    assert.deepEqual(configured?.keys, [`${home()}/.ssh/ncantu_key`, '/two']);
    assert.equal(jump?.keyIsExplicit, false);
    const kinds = jump?.keys.map((key) => key.replace(`${home()}/.ssh/id_`, ''));
    assert.deepEqual(
      kinds?.filter((kind) => /^(rsa|ecdsa|ed25519)$/.test(kind)),
      ['rsa', 'ecdsa', 'ed25519'],
    );
    assert.equal(kinds?.includes('/gatepost.unset'), false);
  });

  it('takes the agent from IdentityAgent, else from the environment', async () => {
    const values = {
      a: '/other',
      n: 'none',
      s: 'SSH_AUTH_SOCK',
      v: '$OTHER_AGENT',
      w: `\${OTHER_AGENT}.%r`,
      u: '$NO_SUCH_AGENT',
      h: '~/agent',
    };
    const config = Object.entries(values).map(([host, value]) => `Host ${host}\nIdentityAgent ${value}`);
    const agentFor = async (host: string) =>
      (await hopsWith(config.join('\n'), { host })).at(-1)?.agent?.replace(home(), 'HOME');
    assert.deepEqual(await Promise.all([...Object.keys(values), 'x'].map(agentFor)), [
      '/other',
      undefined,
      '/agent',
      '/from/variable',
      '/from/variable.ncantu',
      undefined,
      'HOME/agent',
      '/agent',
    ]);
  });

  it('reports an unset environment variable of the configuration by name', async () => {
    const missing = hopsWith(`Host p\nIdentityFile \${NO_SUCH_VARIABLE}/key`, { host: 'p' });
    await assert.rejects(missing, /environment variable NO_SUCH_VARIABLE is not set/);
  });

  it('reads IdentitiesOnly and the accepted algorithms from the configuration', async () => {
    const config = 'Host p\nIdentitiesOnly yes\nPubkeyAcceptedAlgorithms ssh-ed25519,ssh-rsa';
    const [hop] = await hopsWith(config, { host: 'p' });
    assert.equal(hop?.identitiesOnly, true);
    assert.deepEqual(hop?.keyAlgorithms, ['ssh-ed25519', 'ssh-rsa']);
    assert.equal((await hopsWith(config, { host: 'q' })).at(-1)?.identitiesOnly, undefined);
  });

  it("takes known_hosts from the operator, else from the configuration, else OpenSSH's own", async () => {
    const config = 'Host c\nUserKnownHostsFile ~/a /b\nGlobalKnownHostsFile none\nHostKeyAlias alias';
    const [own] = await hopsWith(config, { host: 'c' }, undefined, true, '/mine');
    assert.deepEqual(own?.knownHosts, ['/mine']);
    const configured = (await hopsWith(config, { host: 'c' })).at(-1);
    assert.deepEqual(configured?.knownHosts, [`${home()}/a`, '/b']);
    assert.equal(configured?.hostKeyName, 'alias');
    assert.equal((await hopsWith(config, { host: 'd' })).at(-1)?.knownHosts[0], `${home()}/.ssh/known_hosts`);
  });

  it('passes the user to Match blocks of the configuration', async () => {
    const config = 'Match user bob\nPort 2299';
    assert.equal(brief(await hopsWith(config, { host: 'p', user: 'bob' }, undefined)), 'bob@p:2299');
  });

  it("reports a broken configuration with ssh's error", async () => {
    await assert.rejects(
      hopsWith('Host p\nNonsense yes', { host: 'p' }),
      (error: unknown) =>
        error instanceof UsageError && /Bad configuration option: nonsense/i.test(error.message),
    );
  });

  it('uses only settings and defaults if ssh is not installed', async () => {
    const bin = mkdtempSync(join(directory, 'bin-'));
    symlinkSync('/bin/sh', join(bin, 'sh'));
    const before = process.env.PATH ?? '';
    process.env.PATH = bin;
    try {
      const hops = await hopsWith('Host p\nUser alice', { host: 'p' }, { host: 'gate.test' });
      assert.equal(brief(hops), 'ncantu@gate.test:22 ncantu@p:22');
      assert.ok(hops[0]?.knownHosts.includes('/etc/ssh/ssh_known_hosts'));
    } finally {
      process.env.PATH = before;
    }
  });
});

describe('parseJump', () => {
  for (const [text, host] of [
    ['gate', { host: 'gate' }],
    ['bob@gate', { host: 'gate', user: 'bob' }],
    ['bob@gate:2200', { host: 'gate', user: 'bob', port: 2200 }],
    ['[fe80::1]:2200', { host: 'fe80::1', port: 2200 }],
    ['ssh://bob@gate:22', { host: 'gate', user: 'bob', port: 22 }],
    ['b@d@gate', { host: 'gate', user: 'b@d' }],
  ] as const)
    it(`reads ${text}`, () => assert.deepEqual(parseJump(text), host));
});

describe('ssh -G', () => {
  it("reads the user's configuration, then the system's, then placeholders for unset options", () => {
    const lines = sshConfigText(['~/.ssh/config', '/etc/ssh/ssh_config']).split('\n');
    assert.deepEqual(lines.slice(0, 4), [
      'Include ~/.ssh/config',
      'Match all',
      'Include /etc/ssh/ssh_config',
      'Match all',
    ]);
  });

  it('ignores options that only the placeholders set', () => {
    const { directives, ...found } = parseHostConfig('host h\nuser gatepost.unset\nhostname h\nport 65535\n');
    assert.deepEqual(found, { host: 'h', keys: [], knownHosts: [] });
    assert.deepEqual(directives.get('hostname'), ['h']);
  });
});

describe('expandPath', () => {
  const to = { host: 'h', user: 'u', port: 22, name: 'n' };
  for (const [path, expected] of [
    ['~/x', `${home()}/x`],
    ['/a~b', '/a~b'],
    ['%d/%r@%h:%p-%n-100%%', `${home()}/u@h:22-n-100%`],
    ['/%z', '/%z'],
  ] as const)
    it(`makes ${expected.replace(home(), 'HOME')} of ${path}`, () =>
      assert.equal(expandPath(path, to), expected));
});

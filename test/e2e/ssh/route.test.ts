/** The route to a host: ProxyJump, ProxyCommand and servers other than OpenSSH, with ssh itself as the judge. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from './connect.ts';
import { hopsFrom, judge } from './judge-login.ts';
import { isInstalled, startDropbear, startTinyssh } from './other-servers.ts';
import { keygen, privateFile, publicKey, startSshd } from './sshd.ts';

const directory = mkdtempSync(join(tmpdir(), 'gatepost-route-'));
chmodSync(directory, 0o755); // sshd reads authorized_keys as the user
const file = (name: string) => join(directory, name);
const known: string[] = [];
const hasDropbear = isInstalled('dropbear');
const hasTinyssh = isInstalled('tinysshd');

/** Each server accepts one user with one key. */
const SERVERS = { one: 'daemon', two: 'bin', three: 'sys', last: 'root' } as const;
const addressOf = (name: string) => `127.0.5.${Object.keys(SERVERS).indexOf(name) + 1}`;
const DROPBEAR = '127.0.5.11';
const TINY = '127.0.5.12';

before(async () => {
  for (const [name, user] of Object.entries(SERVERS)) {
    keygen(file(name));
    const config = `AllowUsers ${user}`;
    const made = await startSshd(file(`${name}.d`), addressOf(name), publicKey(file(name)), { config });
    known.push(`${made.address} ${made.hostKeys.ed25519}`);
  }
  mkdirSync(file('home/.ssh'), { mode: 0o700, recursive: true });
  privateFile(file('home/.ssh/authorized_keys'), `${publicKey(file('last'))}\n`);
  execFileSync('mount', ['--bind', file('home'), '/root']);
  if (hasDropbear) known.push(`${DROPBEAR} ${await startDropbear(file('dropbear'), DROPBEAR)}`);
  if (hasTinyssh) known.push(`${TINY} ${await startTinyssh(directory, TINY)}`);
  privateFile(file('known_hosts'), `${known.join('\n')}\n`);
});
after(() => {
  execFileSync('umount', ['-l', '/root']);
  rmSync(directory, { recursive: true });
});

/** A configuration with these lines before those that all servers need. */
function configWith(name: string, text: string): string {
  const hosts = Object.entries(SERVERS).map(
    ([host, user]) =>
      `Host ${host}\nHostName ${addressOf(host)}\nUser ${user}\nIdentityFile ${file(host)}\nIdentitiesOnly yes`,
  );
  const others = `Host dropbear\nHostName ${DROPBEAR}\nHost tiny\nHostName ${TINY}\nHost dropbear tiny\nUser root\nIdentityFile ${file('last')}`;
  const all = `Host *\nUserKnownHostsFile ${file('known_hosts')}`;
  return privateFile(file(`config.${name}`), [text, ...hosts, others, all, ''].join('\n'));
}

const inner = () => configWith('inner', '');
const CASES: readonly (readonly [
  what: string,
  host: string,
  config: () => string,
  does: 'in' | 'out',
  needs?: boolean,
])[] = [
  ['without a jump host', 'last', () => '', 'in'],
  [
    'through three jump hosts, each with its own user and key',
    'last',
    () => 'Host last\nProxyJump one,two,three',
    'in',
  ],
  [
    'through jump hosts that refer to each other',
    'last',
    () => 'Host last\nProxyJump three\nHost three\nProxyJump two\nHost two\nProxyJump one',
    'in',
  ],
  ['through a jump host with the wrong user', 'last', () => 'Host last\nProxyJump nobody@one', 'out'],
  ['through a ProxyCommand', 'last', () => `Host last\nProxyCommand ssh -F ${inner()} -W %h:%p one`, 'in'],
  [
    'through a ProxyCommand with all its tokens',
    'last',
    () =>
      `Host last\nProxyCommand test %n%% = last%% && test %r = root && exec ssh -F ${inner()} -W [%h]:%p two`,
    'out',
  ],
  [
    'through a ProxyCommand in a shell with all its tokens',
    'last',
    () =>
      `Host last\nProxyCommand sh -c "test %n%% = last%% && test %r = root && exec ssh -F ${inner()} -W [%h]:%p two"`,
    'in',
  ],
  [
    'through a pipeline',
    'last',
    () => `Host last\nProxyCommand cat | ssh -F ${inner()} -W %h:%p one | cat`,
    'in',
  ],
  [
    'with ProxyCommand none',
    'last',
    () => 'Host last\nProxyCommand none\nHost last\nProxyCommand false',
    'in',
  ],
  ['through a ProxyCommand that fails', 'last', () => 'Host last\nProxyCommand false', 'out'],
  [
    'through a ProxyCommand that does not exist',
    'last',
    () => 'Host last\nProxyCommand /no/such/program',
    'out',
  ],
  [
    'through a jump host that has a ProxyCommand',
    'last',
    () => `Host last\nProxyJump two\nHost two\nProxyCommand ssh -F ${inner()} -W %h:%p one`,
    'in',
  ],
  ['to Dropbear', 'dropbear', () => '', 'in', hasDropbear],
  ['through Dropbear', 'last', () => 'Host last\nProxyJump dropbear', 'in', hasDropbear],
  ['to TinySSH', 'tiny', () => '', 'in', hasTinyssh],
  [
    'to TinySSH through Dropbear',
    'tiny',
    () => 'Host tiny\nProxyJump dropbear',
    'in',
    hasTinyssh && hasDropbear,
  ],
];

describe('a login, with ssh as the judge', () => {
  for (const [what, host, config, does, isPossible = true] of CASES)
    it(`${does === 'in' ? 'works' : 'fails'} ${what}`, {
      skip: !isPossible && 'the server is not installed',
    }, async () => {
      const { error, ...verdicts } = await judge(configWith('outer', config()), host);
      assert.deepEqual(verdicts, { ssh: does, gatepost: does }, error);
    });
});

describe('a ProxyCommand', () => {
  const isAlive = (pid: number) =>
    existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  const ends = async (pid: number) => {
    for (let attempt = 0; attempt < 60 && isAlive(pid); attempt += 1) await sleep(50);
    return !isAlive(pid);
  };
  const recorded = (name: string, command = `exec ssh -F ${inner()} -W %h:%p one`) =>
    configWith(name, `Host last\nProxyCommand sh -c 'echo $$ >${file(`${name}.pid`)}; ${command}'`);
  const pidOf = (name: string) => Number(readFileSync(file(`${name}.pid`), 'utf8'));

  it('transfers large data in both directions, and is stopped when the connection is closed', async () => {
    const connection = await connect(await hopsFrom(recorded('closed'), 'last'));
    const { stdout } = await connection.run('cat', 'x'.repeat(4_000_000));
    assert.equal(stdout.length, 4_000_000);
    assert.ok(isAlive(pidOf('closed')));
    connection.close();
    assert.ok(await ends(pidOf('closed')));
  });

  it('is stopped when the login fails', async () => {
    const config = recorded('refused');
    const hops = await hopsFrom(config, 'last');
    const [hop] = hops;
    assert.ok(hop);
    await assert.rejects(connect([{ ...hop, knownHosts: ['/dev/null'] }]), /host key unknown/);
    assert.ok(await ends(pidOf('refused')));
  });

  it('that never answers is stopped at the time limit, and named', async () => {
    const hops = await hopsFrom(recorded('mute', 'exec sleep 1000'), 'last');
    await assert.rejects(connect(hops), /proxy last: .*timed out/);
    assert.ok(await ends(pidOf('mute')));
  });

  it('that ends during a run is reported with its last output', async () => {
    const hops = await hopsFrom(recorded('cut'), 'last');
    const connection = await connect(hops);
    const { lost } = await connection.run(
      'echo started; exec sleep 60',
      '',
      () => void process.kill(pidOf('cut'), 'SIGTERM'),
    );
    connection.close();
    assert.match(
      lost?.message ?? '',
      /^proxy last: connection lost: the ProxyCommand ended \((SIGTERM|exit status \d+)\)/,
    );
  });

  for (const [how, ending] of [
    ['ends', 'process.exit(0);'],
    ['is killed', "process.kill(process.pid, 'SIGKILL');"],
  ] as const)
    it(`is stopped when this process ${how}`, async () => {
      const name = how.replace(' ', '');
      const script = `import { connect } from './test/e2e/ssh/connect.ts';
        import { hopsFrom } from './test/e2e/ssh/judge-login.ts';
        await connect(await hopsFrom(${JSON.stringify(recorded(name))}, 'last'));
        ${ending}`;
      writeFileSync(file(`${name}.ts`), script);
      const args = ['--import', 'tsx', '--input-type=module', '-e', script];
      await new Promise((resolve) => spawn(process.execPath, args, { stdio: 'inherit' }).on('exit', resolve));
      assert.ok(await ends(pidOf(name)));
    });
});

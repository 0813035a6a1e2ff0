/** The transport over the ssh program: it logs in where `ssh` does, and reports refusals like the ssh2 transport. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join as path } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { chooseTransport } from '../../../lib/remote/transport.ts';
import * as ssh2 from '../../../lib/ssh/connection.ts';
import { type Hop, resolveHops } from '../../../lib/ssh/hops.ts';
import * as openssh from '../../../lib/ssh/openssh/transport.ts';
import { SshError } from '../../../lib/util/errors.ts';
import { type Break, cut, type Fault, join, type Link } from '../../lab/faults/relay-link.ts';
import { droppingAddress } from '../../lab/faults/vanishing-packets.ts';
import { CHECKOUT, TYPESCRIPT } from '../../lab/namespaces/process.ts';
import { startFidoAgent } from '../../lab/stand-ins/fido-agent.ts';
import { connect } from './connect.ts';
import { hopTo, keygen, privateFile, publicKey, type Sshd, startAgent, startSshd } from './sshd.ts';

const HOME = '/root/.ssh';
const directory = mkdtempSync(path(tmpdir(), 'gatepost-ssh-'));
// A jump host may have another user, who must be able to read authorized_keys.
chmodSync(directory, 0o755);
mkdirSync(path(directory, 'tmp'));
process.env.TMPDIR = path(directory, 'tmp');
mkdirSync(HOME, { recursive: true });
execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=700', 'test', HOME]);
const nowhere = droppingAddress();

const file = (name: string) => path(directory, name);
for (const name of ['id', 'other', 'stranger', 'user_ca', 'host_ca', 'certified', 'held']) keygen(file(name));
keygen(file('locked'), '-N', 'secret');
const certify = (key: string, ...args: string[]) =>
  execFileSync('ssh-keygen', [
    '-q',
    '-s',
    file(args.includes('-h') ? 'host_ca' : 'user_ca'),
    '-I',
    key,
    ...args,
    `${key}.pub`,
  ]);
certify(file('certified'), '-n', 'root');
certify(file('held'), '-n', 'root');
const fido = await startFidoAgent(file('fido'));

const authorized = [publicKey(file('id')), publicKey(file('locked')), fido].join('\n');
const CA = `TrustedUserCAKeys ${file('user_ca')}.pub`;
const start = (name: string, address: string, config = CA) =>
  startSshd(file(name), address, authorized, { config });
const jump = await start('jump', '127.0.5.1');
const second = await startSshd(file('second'), '127.0.5.2', publicKey(file('other')));
const proxy = await start('proxy', '127.0.5.3');
const closed = await start('closed', '127.0.5.4', 'AllowTcpForwarding no');
const servers = [jump, second, proxy, closed];
const line = ({ address, hostKeys }: Sshd) => `${address} ${hostKeys.ed25519}`;
const known = privateFile(file('known_hosts'), `${servers.map(line).join('\n')}\n`);

let count = 0;
const fresh = (name: string) => {
  count += 1;
  return file(`${name}.${count}`);
};
const knownHosts = (...lines: string[]) => privateFile(fresh('known'), `${lines.join('\n')}\n`);

const links: Link[] = [];
after(() => {
  for (const link of links) cut(link, 'rst');
  rmSync(directory, { recursive: true });
});

/** A relay on loopback in front of a server, whose connections can be cut. */
async function relayTo({ address, port }: Sshd, fault?: Fault) {
  const target = { host: address, port, oneWayMs: 0 };
  const at = await listen((client) => links.push(join(client, target, fault)), true);
  const mine = () => links.filter((link) => link.client.localPort === at);
  return { port: at, cut: (kind: Break) => mine().forEach((link) => void cut(link, kind)) };
}

async function listen(greet: (socket: Socket) => void, allowHalfOpen = false): Promise<number> {
  const server = createServer({ allowHalfOpen }, (socket) => {
    socket.on('error', () => {}).unref();
    greet(socket);
  }).unref();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return (server.address() as { port: number }).port;
}

/** Processes of the ssh transport that are still running, and its folders. */
async function leftovers(): Promise<readonly string[]> {
  const own = /\/gatepost-[0-9a-f]{12}/;
  const commandOf = (pid: string) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    } catch {
      return '';
    }
  };
  const found = () => [
    ...readdirSync(path(directory, 'tmp')).filter((name) => own.test(`/${name}`)),
    ...readdirSync('/proc')
      .map(commandOf)
      .filter((command) => own.test(command)),
  ];
  for (let tries = 0; tries < 60 && found().length > 0; tries += 1) await sleep(50);
  return found();
}

const jumpHop = hopTo('jump host', jump, file('id'), known);
const proxyHop = hopTo('proxy', proxy, file('id'), known);
const hops = [jumpHop, proxyHop];

/** Runs one command on a new connection. */
async function once(list: readonly Hop[], command: string, input = '', limitMs?: number) {
  const connection = await connect(list, openssh);
  try {
    return await connection.run(command, input, undefined, limitMs);
  } finally {
    connection.close();
  }
}

keygen(file('host_key'), '-t', 'ecdsa');
certify(file('host_key'), '-h', '-n', '127.0.5.6');
const hostCertificate = `HostKey ${file('host_key')}\nHostCertificate ${file('host_key')}-cert.pub`;
await start('signed', '127.0.5.6', hostCertificate);
// The certificate is for another host.
await start('misnamed', '127.0.5.7', hostCertificate);
const heldAgent = await startAgent(file('agent'), [file('held')]);
const web = await listen(
  (socket) => void socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
);
const rude = await listen((socket) => void socket.once('data', () => socket.end()));
const mute = await listen(() => {});
const frozen = await relayTo(proxy, { kind: 'freeze', direction: 'down', afterBytes: 500 });

describe('a command over the ssh program', { concurrency: 4 }, () => {
  it('receives its whole input and returns both outputs and its status', async () => {
    const connection = await connect(hops, openssh);
    const lines: string[] = [];
    const outcome = await connection.run(
      'cat; echo oops >&2; printf "é\ncut"; exit 7',
      'one\ntwo\n',
      (each) => {
        lines.push(each);
      },
    );
    connection.close();
    assert.deepEqual(outcome, { code: 7, stdout: 'one\ntwo\né\ncut', stderr: 'oops\n', sent: true });
    assert.deepEqual(lines, ['one', 'two', 'é']);
  });

  it('transfers 4 MB each way, and ends if the command reads nothing', async () => {
    const input = 'x'.repeat(4_000_000);
    const { stdout, code } = await once(hops, 'cat', input);
    assert.deepEqual([code, stdout.length], [0, input.length]);
    assert.equal((await once(hops, 'exit 4', input)).code, 4);
  });

  it('is aborted when its output never ends, and after its time limit', async () => {
    assert.match((await once(hops, 'yes')).lost?.message ?? '', /proxy 127.0.5.3: .*more than 4 MB/);
    const { lost, sent } = await once(hops, 'exec sleep 30', '', 1000);
    assert.match(lost?.message ?? '', /not finished within 1 s/);
    assert.equal(sent, true);
  });

  it('ends if a child process holds its output open, without a terminal', async () => {
    const { stdout, lost } = await once(hops, 'sleep 60 & test -t 0 || echo none');
    assert.deepEqual([stdout, lost], ['none\n', undefined]);
  });

  it('reports a signal, and the status 255 of the command itself', async () => {
    const killed = await once(hops, 'kill -9 $$');
    assert.deepEqual([killed.code, killed.lost, killed.signal !== undefined], [undefined, undefined, true]);
    const { code, lost } = await once(hops, 'exit 255');
    assert.deepEqual([code, lost], [255, undefined]);
  });

  it('shares one connection to the jump host among many proxies', async () => {
    const own = await start('shared', '127.0.5.5');
    const shared = await openssh.openJump([hopTo('jump host', own, file('id'), knownHosts(line(own)))]);
    const all = await Promise.all(Array.from({ length: 6 }, () => openssh.connectThrough(proxyHop, shared)));
    const outcomes = await Promise.all(all.map((connection) => connection.run('echo ok', '')));
    for (const connection of all) connection.close();
    shared.close();
    assert.deepEqual(
      outcomes.map(({ stdout }) => stdout),
      Array(6).fill('ok\n'),
    );
    assert.equal(own.log().match(/Accepted publickey/g)?.length, 1);
  });

  it('opens streams to addresses that the proxy reaches, and reports those that it does not', async () => {
    const port = await listen((socket) => socket.end('hello'));
    const connection = await connect(hops, openssh);
    let text = '';
    for await (const part of await connection.forward('127.0.0.1', port)) text += String(part);
    assert.equal(text, 'hello');
    await assert.rejects(connection.forward('127.0.0.1', 1), /127.0.0.1 port 1 cannot be reached.*refused/);
    connection.close();
  });
});

it('a stream is read to its end if the other side closes first', async () => {
  const port = await listen((socket) => socket.once('data', () => socket.end('x'.repeat(100_000))));
  const connection = await connect(hops, openssh);
  const lengthOf = async () => {
    const stream = await connection.forward('127.0.0.1', port);
    stream.write('a question');
    let length = 0;
    for await (const part of stream) {
      length += part.length;
      stream.write('more');
    }
    return length;
  };
  const all = await Promise.all(Array.from({ length: 20 }, lengthOf));
  connection.close();
  assert.deepEqual(all, Array(20).fill(100_000));
});

/** The operator's configuration. */
interface Way {
  readonly config: string;
  readonly knownHosts?: string;
  readonly agent?: string;
  /** The reason in `auto`'s notice; undefined if ssh2 is chosen. */
  readonly why?: RegExp;
}

/** The output of ssh and of gatepost with the same configuration. One at a time: there is only one ~/.ssh/config. */
async function bothOn(host: string, { config, knownHosts: lines, agent, why }: Way) {
  privateFile(path(HOME, 'config'), config);
  privateFile(path(HOME, 'known_hosts'), lines ?? servers.map(line).join('\n'));
  const env = { ...process.env, SSH_AUTH_SOCK: agent ?? '' };
  const ssh = await new Promise<string>((resolve) => {
    execFile('ssh', ['-T', '-o', 'BatchMode=yes', host, 'echo in'], { env }, (_error, out) => resolve(out));
  });
  const variable = (name: string) => (name === 'SSH_AUTH_SOCK' ? agent : undefined);
  const found = await resolveHops({ host }, { host: 'unused' }, false, { user: 'root', port: 22, variable });
  const routed = /^ProxyJump/m.test(config) ? found : found.slice(-1);
  const { transport, notice } = await chooseTransport('auto', routed);
  if (why) assert.match(notice ?? '', why);
  else assert.equal(notice, undefined);
  const gatepost = await connect(routed, transport).then(
    async (connection) => {
      const { stdout } = await connection.run('echo in', '');
      connection.close();
      return stdout;
    },
    (error: Error) => error.message,
  );
  return { ssh, gatepost };
}

const authority = (...extra: string[]) =>
  [`@cert-authority 127.0.5.* ${publicKey(file('host_ca'))}`, ...extra].join('\n');
const key = (name: string) => `IdentityFile ${file(name)}\nIdentitiesOnly yes\n`;

const WAYS: readonly (readonly [what: string, host: string, way: Way, isIn: boolean])[] = [
  ['a key alone, over ssh2', '127.0.5.3', { config: key('id') }, true],
  [
    'a user certificate next to the key',
    '127.0.5.3',
    { config: key('certified'), why: /proxy 127.0.5.3 has a certificate, .*certified-cert.pub/ },
    true,
  ],
  [
    'a CertificateFile',
    'p',
    {
      config: `Host p\nHostName 127.0.5.3\nCertificateFile ${file('held')}-cert.pub\n${key('held')}`,
      why: /CertificateFile/,
    },
    true,
  ],
  [
    'a user certificate in the agent',
    '127.0.5.3',
    { config: '', agent: heldAgent, why: /a certificate in the agent/ },
    true,
  ],
  [
    'a FIDO key in the agent',
    '127.0.5.3',
    { config: '', agent: file('fido'), why: /a FIDO key in the agent \(sk-ssh-ed25519/ },
    true,
  ],
  [
    'a host certificate of a @cert-authority',
    '127.0.5.6',
    { config: key('id'), knownHosts: authority(), why: /a @cert-authority in / },
    true,
  ],
  [
    'a host certificate for another name',
    '127.0.5.7',
    { config: key('id'), knownHosts: authority(), why: /@cert-authority/ },
    false,
  ],
  [
    'a plain host key although an authority is known',
    '127.0.5.3',
    { config: key('id'), knownHosts: authority(line(proxy)), why: /@cert-authority/ },
    true,
  ],
  [
    'three hops, each with its own user and key, the middle one without a shell',
    'p',
    {
      config: `Host p\nHostName 127.0.5.3\nProxyJump root@127.0.5.1,daemon@127.0.5.2\n${key('certified')}
Host 127.0.5.1\n${key('id')}Host 127.0.5.2\n${key('other')}`,
      why: /proxy p has a certificate/,
    },
    true,
  ],
  [
    'Match exec and Include',
    'p',
    {
      config: `Match host p exec "test -e ${HOME}/config"\nInclude ${file('included')}\nMatch all\n${key('id')}`,
      why: /KexAlgorithms sntrup761/i,
    },
    true,
  ],
  [
    'a ProxyCommand together with a certificate',
    'p',
    {
      config: `Host p\nHostName 127.0.5.3\nProxyCommand ssh -i ${file('id')} -W %h:%p root@127.0.5.1\n${key('certified')}`,
      why: /a certificate/,
    },
    true,
  ],
  [
    'a key that is not accepted, with a certificate that has expired',
    '127.0.5.3',
    { config: key('expired'), why: /certificate/ },
    false,
  ],
];
keygen(file('expired'));
certify(file('expired'), '-n', 'root', '-V', '20200101:20200102');
privateFile(file('included'), 'HostName 127.0.5.3\nKexAlgorithms sntrup761x25519-sha512@openssh.com\n');

describe('where ssh logs in, gatepost does, too', () => {
  for (const [what, host, way, succeeds] of WAYS)
    it(what, async () => {
      const { ssh, gatepost } = await bothOn(host, way);
      assert.equal(ssh, succeeds ? 'in\n' : '', 'cases that need no judge');
      if (succeeds) assert.equal(gatepost, 'in\n');
      else assert.match(gatepost, /^proxy .*(host key unknown|no key accepted)/);
    });
});

it('a certificate that only the agent holds is used with the configured key', async () => {
  keygen(file('apart'));
  certify(file('apart'), '-n', 'root');
  const agent = await startAgent(file('agent.apart'), [file('apart')]);
  renameSync(`${file('apart')}-cert.pub`, file('moved'));
  const hop = { ...proxyHop, keys: [file('apart')], agent, beyondSsh2: [] };
  const { transport, notice } = await chooseTransport('auto', [hop]);
  assert.match(notice ?? '', /proxy 127.0.5.3 has a certificate in the agent/);
  const connection = await connect([hop], transport);
  assert.equal((await connection.run('echo in', '')).stdout, 'in\n');
  connection.close();
});

it('a folder that is not writable is named', async () => {
  const before = process.env.TMPDIR;
  process.env.TMPDIR = '/proc';
  const error: unknown = await connect([proxyHop], openssh).catch((reason: unknown) => reason);
  process.env.TMPDIR = before;
  assert.match(String(error), /no socket for the connection could be made: mkdir/);
});

const elsewhere = (port: number): Hop => ({
  ...proxyHop,
  host: '127.0.0.1',
  hostKeyName: proxy.address,
  port,
});
const other = publicKey(file('stranger'));
const knows = (server: Sshd, ...lines: string[]) => ({
  knownHosts: [knownHosts(line(jump), ...lines.map((each) => `${server.address} ${each}`))],
});
/** Failures of either hop. Both transports must report them in the same words. */
const FAILURES: readonly (readonly [what: string, hops: readonly Hop[]])[] = [
  ['an unknown host key', [{ ...proxyHop, ...knows(proxy) }]],
  ['a changed host key behind a jump host', [jumpHop, { ...proxyHop, ...knows(proxy, other) }]],
  ['an unknown key of the jump host', [{ ...jumpHop, knownHosts: [knownHosts('# none')] }, proxyHop]],
  [
    'a revoked host key',
    [{ ...proxyHop, knownHosts: [knownHosts(line(proxy), `@revoked * ${proxy.hostKeys.ed25519}`)] }],
  ],
  ['a key that is not accepted', [jumpHop, { ...proxyHop, keys: [file('stranger')] }]],
  ['an encrypted key', [{ ...proxyHop, keys: [file('locked')] }]],
  ['a closed port', [elsewhere(1)]],
  ['a closed port behind a jump host', [jumpHop, elsewhere(1)]],
  ['a dead jump host', [{ ...jumpHop, host: '127.0.0.1', port: 9 }, proxyHop]],
  ['a jump host that forbids forwarding', [hopTo('jump host', closed, file('id'), known), proxyHop]],
  ['a name that does not resolve', [{ ...proxyHop, host: 'nowhere.invalid' }]],
  ['a web server', [elsewhere(web)]],
  ['a web server behind a jump host', [jumpHop, elsewhere(web)]],
  ['a host that sends nothing', [jumpHop, elsewhere(mute)]],
  ['a host that freezes during the handshake', [elsewhere(frozen.port)]],
  ['an address that does not answer', [{ ...proxyHop, host: nowhere }]],
];

const failure = async (list: readonly Hop[], transport: typeof ssh2 | typeof openssh): Promise<SshError> => {
  const connecting = connect(list, transport as typeof openssh);
  const error: unknown = await connecting.then(
    (connection) => connection.close(),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof SshError, String(error));
  return error;
};

describe('where ssh refuses, both transports say the same', { concurrency: 6 }, () => {
  before(() => void privateFile(path(HOME, 'config'), ''));

  for (const [what, list] of FAILURES)
    it(what, async () => {
      const [one, two] = await Promise.all([failure(list, ssh2), failure(list, openssh)]);
      assert.equal(two.message, one.message);
      assert.equal(two.advice, one.advice);
    });

  it('with partial output, when a host closes', async () => {
    for (const list of [[elsewhere(rude)], [jumpHop, elsewhere(rude)]])
      assert.match((await failure(list, openssh)).message, /^proxy .*connection lost during the handshake: /);
  });

  it('even if packets vanish behind the jump host', async () => {
    const { message } = await failure([jumpHop, { ...proxyHop, host: nowhere }], openssh);
    assert.match(
      message,
      /^proxy .*198.51.100.1 port 22 cannot be reached from the jump host 127.0.5.1: timed out/,
    );
  });

  it('and an unknown key is accepted after running the suggested command', async () => {
    const hop = { ...proxyHop, knownHosts: [knownHosts('# none')] };
    const { advice } = await failure([hop], openssh);
    execFileSync('sh', ['-c', advice.split('\n').at(-1) ?? 'false']);
    assert.equal((await once([hop], 'echo in')).stdout, 'in\n');
  });

  for (const [kind, words] of [
    ['fin', 'closed by the other side'],
    ['rst', 'reset by the other side'],
    ['freeze', 'no answer to keepalives for 15 s'],
  ] as const)
    it(`when the connection to the jump host breaks during a run: ${kind}`, async () => {
      const relay = await relayTo(jump);
      const through = { ...jumpHop, host: '127.0.0.1', hostKeyName: jump.address, port: relay.port };
      const connection = await connect([through, proxyHop], openssh);
      const running = connection.run('echo started; exec sleep 60', 'program', () => relay.cut(kind));
      const { lost, sent, code, stdout } = await running;
      assert.match(lost?.message ?? '', new RegExp(`^jump host 127.0.5.1: connection lost: ${words}`));
      assert.deepEqual([sent, code, stdout], [true, undefined, 'started\n']);
      const again = await connection.run('true', '');
      connection.close();
      assert.deepEqual([again.sent, again.lost !== undefined], [false, true]);
    });
});

/** Connects and runs a command in another process; returns that once the command runs. */
async function elsewhereRunning(mark: string) {
  const script = `import { connect } from './test/e2e/ssh/connect.ts';
    import * as openssh from './lib/ssh/openssh/transport.ts';
    const connection = await connect(${JSON.stringify(hops)}, openssh);
    const stream = await connection.forward('127.0.5.3', 22);
    stream.resume();
    process.once('SIGINT', () => process.exit(130));
    await connection.run('touch ${mark}; exec sleep 60', '');`;
  const child = spawn(process.execPath, [...TYPESCRIPT, '--input-type=module', '-e', script], {
    cwd: CHECKOUT,
    stdio: 'inherit',
  });
  for (let tries = 0; tries < 400 && !existsSync(mark); tries += 1) await sleep(25);
  assert.ok(existsSync(mark));
  return child;
}

describe('nothing is left', () => {
  it('after all of the above', async () => {
    assert.deepEqual(await leftovers(), []);
  });

  for (const signal of ['SIGKILL', 'SIGINT'] as const)
    it(`after ${signal} to this process while a command runs`, async () => {
      const child = await elsewhereRunning(fresh('runs'));
      const ended = new Promise((resolve) => void child.on('exit', resolve));
      child.kill(signal);
      await ended;
      assert.deepEqual(await leftovers(), []);
    });

  it('after SIGKILL while the connection is frozen', async () => {
    const relay = await relayTo(jump);
    const through = { ...jumpHop, host: '127.0.0.1', hostKeyName: jump.address, port: relay.port };
    const mark = fresh('frozen');
    const script = `import { connect } from './test/e2e/ssh/connect.ts';
      import * as openssh from './lib/ssh/openssh/transport.ts';
      const connection = await connect(${JSON.stringify([through, proxyHop])}, openssh);
      await connection.run('touch ${mark}; exec cat >/dev/null', 'x'.repeat(50_000_000));`;
    const child = spawn(process.execPath, [...TYPESCRIPT, '--input-type=module', '-e', script], {
      cwd: CHECKOUT,
    });
    for (let tries = 0; tries < 400 && !existsSync(mark); tries += 1) await sleep(25);
    relay.cut('freeze');
    await sleep(500);
    child.kill('SIGKILL');
    assert.deepEqual(await leftovers(), []);
  });
});

describe('the choice', () => {
  it('of a program that is not installed is refused with the name of the setting', async () => {
    const { beyondSsh2: _, ...without } = proxyHop;
    await assert.rejects(chooseTransport('openssh', [without]), /SSH_TRANSPORT.*no ssh program in PATH/);
    const { transport, notice } = await chooseTransport('auto', [without]);
    assert.deepEqual([transport, notice], [ssh2, undefined]);
  });
});

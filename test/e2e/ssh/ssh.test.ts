/** SSH through a real jump host to a real sshd: successful logins, and the error of every failure. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect as dial, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join as path } from 'node:path';
import { after, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { connectThrough, openJump } from '../../../lib/ssh/connection.ts';
import type { Hop } from '../../../lib/ssh/hops.ts';
import type { ExecOutcome } from '../../../lib/ssh/session.ts';
import { SshError } from '../../../lib/util/errors.ts';
import { type Break, cut, type Fault, join, type Link } from '../../lab/faults/relay-link.ts';
import { connect } from './connect.ts';
import { hopTo, keygen, privateFile, publicKey, type Sshd, startAgent, startSshd } from './sshd.ts';

const directory = mkdtempSync(path(tmpdir(), 'gatepost-ssh-'));
const file = (name: string) => path(directory, name);
const key = file('id');
for (const name of ['id', 'stranger', 'loose', 'elsewhere']) keygen(file(name));
keygen(file('rsa'), '-t', 'rsa');
keygen(file('locked'), '-N', 'secret');
const authorized = ['id', 'loose', 'rsa', 'locked'].map((name) => publicKey(file(name))).join('\n');

const start = (name: string, address: string, config = '', types = ['ed25519']) =>
  startSshd(file(name), address, authorized, { config, types });
const jumpHost = await start('jump', '127.0.1.1');
const proxyHost = await start('proxy', '127.0.1.2', '', ['ed25519', 'rsa']);
const closedJump = await start('closed', '127.0.1.3', 'AllowTcpForwarding no');
const servers = [jumpHost, proxyHost, closedJump];
const line = (server: Sshd) => `${server.address} ${server.hostKeys.ed25519}`;
const known = privateFile(file('known_hosts'), `${servers.map(line).join('\n')}\n`);

const jump = hopTo('jump host', jumpHost, key, known);
const proxy = hopTo('proxy', proxyHost, key, known);
const hops = [jump, proxy];
let count = 0;

/** A known_hosts file with these lines. */
const knownHosts = (...lines: string[]) => {
  count += 1;
  return privateFile(file(`known_hosts.${count}`), `${lines.join('\n')}\n`);
};

async function failure(list: readonly Hop[]): Promise<SshError> {
  const error = await connect(list).then(
    (connection) => {
      connection.close();
      return undefined;
    },
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof SshError, `expected an SshError, got ${String(error)}`);
  return error;
}

/** Runs one command on a new connection. */
async function once(list: readonly Hop[], command: string, input = ''): Promise<ExecOutcome> {
  const connection = await connect(list);
  try {
    return await connection.run(command, input);
  } finally {
    connection.close();
  }
}

const listen = (server: Server) =>
  new Promise<number>((resolve) => {
    server.on('connection', (socket) => socket.unref()).unref();
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });

const links: Link[] = [];

/** A relay on loopback in front of a server, whose connections can be cut. */
async function relayTo({ address, port }: Sshd, fault?: Fault) {
  const target = { host: address, port, oneWayMs: 0 };
  const server = createServer({ allowHalfOpen: true }, (client) => links.push(join(client, target, fault)));
  const at = await listen(server);
  const mine = () => links.filter((link) => link.client.localPort === at);
  return { port: at, cut: (kind: Break) => mine().forEach((link) => void cut(link, kind)) };
}

/** A relay with latency that counts round trips: how often the client sends after it has received something. */
async function countingRelay({ address, port }: Sshd) {
  const heard: string[] = [];
  const server = createServer((client) => {
    const host = dial({ host: address, port }).unref();
    for (const [name, from, to] of [
      ['up', client, host],
      ['down', host, client],
    ] as const)
      from
        .on('error', () => {})
        .on('data', (data) => {
          if (heard.at(-1) !== name) heard.push(name);
          setTimeout(() => to.write(data), 100);
        });
    client.on('close', () => host.destroy());
  });
  return { port: await listen(server), turns: () => heard.filter((name) => name === 'up').length };
}

after(() => {
  for (const link of links) cut(link, 'rst');
  rmSync(directory, { recursive: true });
});

describe('a command on the proxy', { concurrency: true }, () => {
  it('receives its whole input and returns both outputs and its status', async () => {
    const connection = await connect(hops);
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

  it('transfers 5 MB of input and 4 MB of output', async () => {
    const input = 'x'.repeat(5_000_000);
    const { stdout, code } = await once(hops, 'tail -c 4000000', input);
    assert.equal(code, 0);
    assert.equal(stdout.length, 4_000_000);
  });

  it('ends if the command reads none of a large input', async () => {
    const { code } = await once(hops, 'exit 4', 'x'.repeat(5_000_000));
    assert.equal(code, 4);
  });

  it('reports the signal that killed it', async () => {
    const outcome = await once(hops, 'exec sh -c "kill -9 $$"');
    assert.equal(outcome.signal, 'SIGKILL');
    assert.equal(outcome.code, undefined);
    assert.equal(outcome.lost, undefined);
  });

  it('is aborted when its output never ends', async () => {
    const { lost } = await once(hops, 'yes');
    assert.match(lost?.message ?? '', /proxy 127.0.1.2: .*more than 4 MB/);
  });

  it('is aborted after its time limit', async () => {
    const connection = await connect(hops);
    const { lost, sent } = await connection.run('exec sleep 30', '', undefined, 2000);
    connection.close();
    assert.match(lost?.message ?? '', /not finished within 2 s/);
    assert.equal(sent, true);
  });

  it('ends if a child process holds its output open', async () => {
    const { code } = await once(hops, 'sleep 60 & exit 3');
    assert.equal(code, 3);
  });

  it('has no terminal', async () => {
    assert.equal((await once(hops, 'test -t 0 || test -t 1 || echo none')).stdout, 'none\n');
  });

  it('works without a jump host, too', async () => {
    assert.equal((await once([proxy], 'echo $SSH_CONNECTION')).stdout.split(' ')[0], '127.0.0.1');
  });

  it('works through two jump hosts', async () => {
    const second = { ...hopTo('jump host', proxyHost, key, known) };
    assert.equal((await once([jump, second, proxy], 'echo here')).stdout, 'here\n');
  });
});

describe('the connection', { concurrency: true }, () => {
  it('opens streams to addresses that the proxy reaches', async () => {
    const service = createServer((socket) => socket.end('hello'));
    const port = await listen(service);
    const connection = await connect(hops);
    const stream = await connection.forward('127.0.0.1', port);
    let text = '';
    for await (const part of stream) text += String(part);
    assert.equal(text, 'hello');
    await assert.rejects(connection.forward('127.0.0.1', 1), /127.0.0.1 port 1 cannot be reached.*refused/);
    connection.close();
    service.close();
  });

  it('shares one jump host among many proxies', async () => {
    const own = await start('shared', '127.0.1.4');
    const shared = await openJump([hopTo('jump host', own, key, knownHosts(line(own)))]);
    const all = await Promise.all(Array.from({ length: 12 }, () => connectThrough(proxy, shared)));
    const outcomes = await Promise.all(all.map((connection) => connection.run('echo ok', '')));
    for (const connection of all) connection.close();
    shared.close();
    assert.deepEqual(
      outcomes.map(({ stdout }) => stdout),
      Array(12).fill('ok\n'),
    );
    assert.equal(own.log().match(/Accepted publickey/g)?.length, 1);
  });

  it('logs in with the fewest round trips', async () => {
    const own = await start('quick', '127.0.1.5');
    await once([hopTo('proxy', own, key, knownHosts(line(own)))], 'true');
    assert.match(own.log(), /Accepted publickey/);
    assert.doesNotMatch(own.log(), /method none|Postponed|pkalg.*test/);
  });

  it('sends authentication with the service request, from a file or the only key of an agent, except with an RSA key', async () => {
    const roundTripsWith = async (name: string) => {
      const relay = await countingRelay(proxyHost);
      const [path = '', agent] = name.split('@');
      const from = agent ? { agent: file(agent), keyIsExplicit: false } : {};
      const at = { host: '127.0.0.1', port: relay.port };
      const connection = await connect([{ ...proxy, ...at, keys: [file(path)], ...from }]);
      connection.close();
      return relay.turns();
    };
    await startAgent(file('agent.id'), [key]);
    for (const [name, expected] of [
      ['id', 3],
      ['id@agent.id', 3],
      ['none@agent.id', 3],
      ['rsa', 4],
    ] as const) {
      // On a busy machine, data that was sent at once may arrive in parts.
      const counts = [await roundTripsWith(name), await roundTripsWith(name), await roundTripsWith(name)];
      assert.equal(Math.min(...counts), expected, name);
    }
  });

  it('lets the process end at once when it is closed', async () => {
    const script = `import { connect } from './test/e2e/ssh/connect.ts';
      const connection = await connect(${JSON.stringify(hops)});
      await connection.run('true', '');
      connection.close();
      const closed = Date.now();
      process.on('exit', () => console.log(Date.now() - closed));`;
    const run = promisify(execFile)(process.execPath, [
      '--import',
      'tsx',
      '--input-type=module',
      '-e',
      script,
    ]);
    assert.ok(Number((await run).stdout) < 500);
  });

  for (const [kind, words] of [
    ['fin', 'closed by the other side'],
    ['rst', 'reset by the other side'],
    ['freeze', 'no answer to keepalives'],
  ] as const)
    it(`reports when the jump host's connection breaks during a run: ${kind}`, async () => {
      const relay = await relayTo(jumpHost);
      const through = { ...jump, host: '127.0.0.1', port: relay.port };
      const connection = await connect([through, proxy]);
      const started = connection.run('echo started; exec sleep 60', 'program', () => relay.cut(kind));
      const { lost, sent, code, stdout } = await started;
      connection.close();
      assert.match(lost?.message ?? '', new RegExp(`^jump host 127.0.1.1: connection lost: ${words}`));
      assert.deepEqual([sent, code, stdout], [true, undefined, 'started\n']);
      const again = await connection.run('true', '');
      assert.equal(again.sent, false);
      assert.ok(again.lost);
    });

  it('names the proxy when only the proxy disconnects', async () => {
    const outcome = await once(hops, 'kill -9 $PPID; exec sleep 60');
    assert.match(outcome.lost?.message ?? '', /^proxy 127.0.1.2: connection lost/);
  });
});

describe('a host key', { concurrency: true }, () => {
  const other = publicKey(file('elsewhere'));
  const cases = [
    ['unknown', () => '# nothing'],
    ['changed', (server: Sshd) => `${server.address} ${other}`],
    ['revoked', (server: Sshd) => `${line(server)}\n@revoked * ${server.hostKeys.ed25519}`],
  ] as const;
  let address = 10;
  for (const place of ['jump host', 'proxy'] as const)
    for (const [word, lines] of cases)
      it(`${word} on the ${place} stops before any login there`, async () => {
        address += 1;
        const at = `127.0.1.${address}`;
        const server = await start(`bad-${at}`, at);
        const bad = hopTo(place, server, key, knownHosts(lines(server)));
        const error = await failure(place === 'proxy' ? [jump, bad] : [bad, proxy]);
        assert.match(error.message, new RegExp(`^${place} ${at}: host key ${word}: ${at}`));
        assert.match(error.message, /SHA256:[A-Za-z0-9+/]{43}/);
        assert.match(error.advice, /known_hosts/);
        assert.match(server.log(), /Connection (closed|reset) by|preauth/);
        assert.doesNotMatch(server.log(), /userauth-request|userauth_pubkey|Accepted|Failed/);
      });

  it('of a type that the server does not prefer is requested', async () => {
    const server = await start('two', '127.0.1.30', '', ['ed25519', 'rsa']);
    const hop = hopTo('proxy', server, key, knownHosts(`${server.address} ${server.hostKeys.rsa}`));
    assert.equal((await once([hop], 'echo in')).stdout, 'in\n');
  });

  it('is accepted after running the suggested command for an unknown key', async () => {
    const hop = { ...proxy, knownHosts: [knownHosts('# nothing')] };
    const { advice } = await failure([hop]);
    await promisify(execFile)('sh', ['-c', advice.split('\n').at(-1) ?? 'false']);
    assert.equal((await once([hop], 'echo in')).stdout, 'in\n');
  });

  it('is accepted after running the suggested command for a changed key', async () => {
    const hop = { ...proxy, knownHosts: [knownHosts(`${proxy.host} ${other}`)] };
    const { advice } = await failure([hop]);
    await promisify(execFile)('sh', [
      '-c',
      advice.split('\n').find((each) => /ssh-keygen -R/.test(each)) ?? '',
    ]);
    assert.match((await failure([hop])).message, /host key unknown/);
  });

  it('is looked up under its HostKeyAlias', async () => {
    const hop = {
      ...proxy,
      hostKeyName: 'alias',
      knownHosts: [knownHosts(`alias ${proxyHost.hostKeys.ed25519}`)],
    };
    assert.equal((await once([hop], 'echo in')).stdout, 'in\n');
  });

  it('signed by a @cert-authority is reported as unsupported', async () => {
    const hop = { ...proxy, knownHosts: [knownHosts(`@cert-authority * ${other}`)] };
    assert.match((await failure([hop])).message, /host key unknown.*@cert-authority.*not supported/);
  });

  it('nothing is trusted without a known_hosts file', async () => {
    assert.match((await failure([{ ...proxy, knownHosts: [file('none')] }])).message, /no known_hosts file/);
    assert.match((await failure([{ ...proxy, knownHosts: [directory] }])).message, /it is a directory/);
    const half = { ...proxy, knownHosts: [file('none'), known] };
    assert.equal((await once([half], 'echo in')).stdout, 'in\n');
  });
});

describe('a key', { concurrency: true }, () => {
  const withKey = (name: string, other: Partial<Hop> = {}) => [
    jump,
    { ...proxy, keys: [file(name)], ...other },
  ];

  for (const name of ['rsa', 'loose'])
    it(`from a file logs in: ${name}`, async () => {
      assert.equal((await once(withKey(name), 'echo in')).stdout, 'in\n');
    });

  it('is rejected with its fingerprint and the user if the host does not accept it', async () => {
    const { message } = await failure(withKey('stranger'));
    assert.match(
      message,
      /^proxy 127.0.1.2: no key accepted for user root; offered: ssh-ed25519 SHA256:\S{43} \(.*stranger\)$/,
    );
  });

  it('that others may read is refused with the mode to set', async () => {
    keygen(file('open'));
    chmodSync(file('open'), 0o644);
    const error = await failure(withKey('open'));
    assert.match(error.message, /wrong mode 0644/);
    assert.match(error.advice, /chmod 600/);
  });

  it('that is absent, a directory, malformed, public or encrypted gets one clear message', async () => {
    privateFile(
      file('garbage'),
      '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n',
    );
    privateFile(file('empty'), '');
    for (const [name, words] of [
      ['absent', /no such file/],
      ['.', /it is a directory/],
      ['garbage', /malformed/],
      ['empty', /malformed/],
      ['id.pub', /is a public key/],
      ['locked', /is encrypted, and no agent holds it/],
    ] as const) {
      const error = await failure(withKey(name));
      assert.match(error.message, words);
      assert.match(error.message, /^proxy 127.0.1.2: /);
    }
    assert.match((await failure(withKey('locked'))).advice, /ssh-add .*locked`$/);
  });

  it('is taken from the agent if its file is encrypted or its public half is named', async () => {
    writeFileSync(file('askpass'), '#!/bin/sh\necho secret\n', { mode: 0o700 });
    const agent = await startAgent(file('agent.locked'), [file('stranger')]);
    const env = {
      ...process.env,
      SSH_AUTH_SOCK: agent,
      SSH_ASKPASS: file('askpass'),
      SSH_ASKPASS_REQUIRE: 'force',
    };
    await promisify(execFile)('ssh-add', ['-q', file('locked')], { env });
    assert.equal((await once(withKey('locked', { agent }), 'echo in')).stdout, 'in\n');
    assert.equal((await once(withKey('locked.pub', { agent }), 'echo in')).stdout, 'in\n');
    assert.match((await failure(withKey('locked', { agent: file('gone') }))).message, /encrypted/);
  });

  it('is offered before seven others of the agent if its .pub exists; otherwise the host rejects the login after six', async () => {
    const names = Array.from({ length: 7 }, (_, index) => `spare${index}`);
    for (const name of names) keygen(file(name));
    const agent = await startAgent(file('agent.eight'), [...names.map(file), key]);
    privateFile(file('absent_but_public.pub'), `${publicKey(key)} comment\n`);
    const fromAgent = { agent, keyIsExplicit: false };
    assert.equal((await once(withKey('absent_but_public', fromAgent), 'echo in')).stdout, 'in\n');
    const { message, advice } = await failure(withKey('absent', fromAgent));
    assert.match(message, /Too many authentication failures; keys: .*SHA256:/);
    assert.match(advice, /IdentitiesOnly/);
    assert.match((await failure(withKey('absent', { agent }))).message, /no such file/);
  });

  it('and the agent both missing give one message', async () => {
    const none = { keyIsExplicit: false };
    assert.match(
      (await failure(withKey('absent', none))).message,
      /no key to log in with.*no SSH agent is running/,
    );
    const gone = { ...none, agent: file('gone') };
    assert.match((await failure(withKey('absent', gone))).message, /the SSH agent at .*gone is gone/);
    const empty = { ...none, agent: await startAgent(file('agent.empty'), []) };
    assert.match((await failure(withKey('absent', empty))).message, /has no supported key/);
  });

  it('of several in the SSH configuration is tried after another is rejected', async () => {
    const two = { keys: [file('absent'), file('stranger'), key], keyIsExplicit: false };
    assert.equal((await once([jump, { ...proxy, ...two }], 'echo in')).stdout, 'in\n');
  });
});

describe('a hop that refuses or fails', { concurrency: true }, () => {
  const elsewhere = (port: number): Hop => ({ ...proxy, host: '127.0.0.1', port });

  it('is named when forwarding is prohibited', async () => {
    const error = await failure([hopTo('jump host', closedJump, key, known), proxy]);
    assert.match(error.message, /^jump host 127.0.1.3: forwarding to 127.0.1.2 port 22 is prohibited/);
    assert.match(error.advice, /AllowTcpForwarding/);
  });

  it('is named when its port is closed', async () => {
    assert.match((await failure([elsewhere(1)])).message, /^proxy 127.0.1.2: .*connection refused/);
    const behind = await failure([jump, elsewhere(1)]);
    assert.match(
      behind.message,
      /^proxy .* cannot be reached from the jump host 127.0.1.1: Connection refused/,
    );
  });

  it('is named when its name does not resolve', async () => {
    const nowhere = { ...proxy, host: 'nowhere.invalid' };
    assert.match((await failure([nowhere])).message, /does not resolve/);
    assert.match(
      (await failure([jump, nowhere])).message,
      /nowhere.invalid port 22 cannot be reached from the jump/,
    );
  });

  it('is named when it is not an SSH server', async () => {
    const web = createServer((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
    );
    const port = await listen(web);
    for (const list of [[elsewhere(port)], [jump, elsewhere(port)]])
      assert.match((await failure(list)).message, /^proxy .*not an SSH server.*"HTTP\/1.1 400 Bad Request"/);
    web.close();
  });

  it('is named when it closes before its banner', async () => {
    const rude = createServer((socket) => socket.destroy());
    const port = await listen(rude);
    assert.match((await failure([elsewhere(port)])).message, /^proxy .*connection lost during the handshake/);
    assert.match(
      (await failure([jump, elsewhere(port)])).message,
      /^proxy .*connection lost during the handshake/,
    );
    rude.close();
  });

  for (const place of ['jump host', 'proxy'] as const)
    it(`is named when it accepts and sends nothing: ${place}`, async () => {
      const mute = createServer((socket) => void socket.on('error', () => {}));
      const silent = { ...elsewhere(await listen(mute)), label: `${place} mute` };
      const startedAt = Date.now();
      const { message } = await failure(place === 'proxy' ? [jump, silent] : [silent, proxy]);
      assert.match(
        message,
        new RegExp(`^${place} mute: .*timed out: it accepts connections but sends no data`),
      );
      assert.ok(Date.now() - startedAt < 20_000);
      mute.close();
    });

  it('is named when it freezes between banner and login', async () => {
    const relay = await relayTo(proxyHost, { kind: 'freeze', direction: 'down', afterBytes: 500 });
    assert.match(
      (await failure([elsewhere(relay.port)])).message,
      /connection lost during the handshake: timed out/,
    );
  });

  it('is named when no algorithm is shared', async () => {
    const server = await start('old', '127.0.1.40', 'Ciphers 3des-cbc');
    const { message } = await failure([hopTo('proxy', server, key, knownHosts(line(server)))]);
    assert.match(message, /^proxy .*unsupported: .*no matching.*cipher/);
  });
});

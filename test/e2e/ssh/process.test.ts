/** SSH in a separate process: as another user, and how soon the process ends. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join as path } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Hop } from '../../../lib/ssh/hops.ts';
import { cut, type Fault, join, type Link } from '../../lab/faults/relay-link.ts';
import { droppingAddress } from '../../lab/faults/vanishing-packets.ts';
import { CHECKOUT, finished, type Result, TYPESCRIPT } from '../../lab/namespaces/process.ts';
import { agentProcess, hopTo, keygen, privateFile, publicKey, type Sshd, startSshd } from './sshd.ts';

const directory = mkdtempSync(path(tmpdir(), 'gatepost-ssh-'));
// Another user must be able to read the keys, and the checkout wherever it is.
chmodSync(directory, 0o755);
const HERE = '/run/checkout';
mkdirSync(HERE);
execFileSync('mount', ['--bind', CHECKOUT, HERE]);
const links: Link[] = [];
after(() => {
  for (const link of links) cut(link, 'rst');
  rmSync(directory, { recursive: true });
});

const file = (name: string) => path(directory, name);
for (const name of ['id', 'foreign']) keygen(file(name));
const NOBODY = 65534;
const NAMELESS = 54321;
execFileSync('chown', [`${NOBODY}`, file('foreign')]);
const server = await startSshd(
  file('sshd'),
  '127.0.3.1',
  `${publicKey(file('id'))}\n${publicKey(file('foreign'))}`,
);
const known = privateFile(file('known_hosts'), `${server.address} ${server.hostKeys.ed25519}\n`, 0o644);
const proxy = hopTo('proxy', server, file('id'), known);

const nowhere = droppingAddress();

const as = (uid: number, command: readonly string[], env: Record<string, string> = {}): Promise<Result> =>
  finished(
    spawn('setpriv', [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', ...command], {
      cwd: HERE,
      env: { PATH: process.env.PATH ?? '', LANG: 'C.UTF-8', ...env },
      timeout: 60_000,
    }),
  );

interface Ended {
  /** The error, or undefined. */
  readonly error: string | undefined;
  /** Milliseconds until the error or the end of the work. */
  readonly tookMs: number;
  /** Milliseconds from there to the end of the process. */
  readonly lingeredMs: number;
}

/** Connects in a separate process, which then runs `work` with the `connection`. */
async function connectInProcess(hops: readonly Hop[], work = '', uid = 0): Promise<Ended> {
  const script = `import { connect } from './test/e2e/ssh/connect.ts';
    const began = Date.now();
    let message;
    try {
      const connection = await connect(${JSON.stringify(hops)});
      ${work}
      connection.close();
    } catch (error) {
      message = error.name + ': ' + error.message;
    }
    const now = Date.now();
    process.on('exit', () =>
      console.log(JSON.stringify({ error: message, tookMs: now - began, lingeredMs: Date.now() - now })));`;
  const node = [process.execPath, ...TYPESCRIPT, '--input-type=module', '-e', script];
  const { stdout, stderr } = await as(uid, node);
  assert.equal(stderr, '');
  return JSON.parse(stdout);
}

/** A hop to the server through a relay. */
async function relayed({ address, port }: Sshd, oneWayMs: number, fault?: Fault): Promise<Hop> {
  const target = { host: address, port, oneWayMs };
  const relay = createServer({ allowHalfOpen: true }, (client) => links.push(join(client, target, fault)));
  relay.on('connection', (socket) => socket.unref()).unref();
  await new Promise<void>((resolve) => void relay.listen(0, '127.0.0.1', resolve));
  return { ...proxy, host: '127.0.0.1', port: (relay.address() as { port: number }).port };
}

const until = async (what: () => boolean) => {
  for (let tries = 0; tries < 400 && !what(); tries += 1) await sleep(25);
};

describe('another user', { concurrency: true }, () => {
  const own = { ...proxy, keys: [file('foreign')] };

  test('logs in if everything is readable', async () => {
    assert.equal((await connectInProcess([own], '', NOBODY)).error, undefined);
  });

  test('trusts no host if known_hosts is unreadable', async () => {
    const unreadable = privateFile(file('shut'), `${server.address} ${server.hostKeys.ed25519}\n`);
    const { error } = await connectInProcess([{ ...own, knownHosts: [unreadable] }], '', NOBODY);
    assert.match(error ?? '', /^SshError: proxy 127\.0\.3\.1: known_hosts cannot be read at .*shut: EACCES/);
    const both = await connectInProcess([{ ...own, knownHosts: [known, unreadable] }], '', NOBODY);
    assert.match(both.error ?? '', /known_hosts cannot be read/);
  });

  test('gets an error for an unreadable key', async () => {
    const { error } = await connectInProcess([proxy], '', NOBODY);
    assert.match(
      error ?? '',
      /^SshError: proxy .*: the key .*id cannot be used: it is unreadable: permission denied$/,
    );
  });

  test('without an entry in passwd gets an error, and can write a bundle', async () => {
    const node = [process.execPath, '--import', 'tsx', 'scripts/deploy.ts', '--env', '/none'];
    const env = { IA_ENSO_SERVER_NAME: 'ia.enso.4nkweb.com', IA_ENSO_PROXY_HOST: nowhere };
    const ssh = await as(NAMELESS, node, env);
    assert.equal(ssh.status, 2, ssh.stdout + ssh.stderr);
    assert.match(ssh.stdout, /No user exists for uid 54321/);
    assert.doesNotMatch(ssh.stdout + ssh.stderr, /^\s+at /m);
    mkdirSync(file('bundles'));
    chmodSync(file('bundles'), 0o777);
    const bundle = await as(NAMELESS, [...node, '--bundle', file('bundles/site.sh')], env);
    assert.equal(bundle.status, 0, bundle.stdout + bundle.stderr);
  });
});

describe('an agent that accepts and never answers', { concurrency: true }, () => {
  const fromAgent = (agent: string) => ({ keys: [file('none')], keyIsExplicit: false, agent });

  test('is named when it does not list its keys, and the process ends', async () => {
    const agent = await agentProcess(file('mute'), []);
    agent.kill('SIGSTOP');
    const { error, tookMs, lingeredMs } = await connectInProcess([{ ...proxy, ...fromAgent(file('mute')) }]);
    agent.kill('SIGKILL');
    assert.match(error ?? '', /^SshError: proxy .*: the SSH agent at .*mute is gone: no answer within 5 s$/);
    assert.ok(tookMs < 8000 && lingeredMs < 1000, `${tookMs} ${lingeredMs}`);
  });

  test('is named when it does not sign, and the process ends', async () => {
    const own = await startSshd(file('sshd.sign'), '127.0.3.2', publicKey(file('id')));
    const agent = await agentProcess(file('stops'), [file('id')]);
    const hop = await relayed(own, 300);
    const knownHosts = [privateFile(file('known.sign'), `${own.address} ${own.hostKeys.ed25519}\n`)];
    const running = connectInProcess([
      { ...hop, ...fromAgent(file('stops')), hostKeyName: own.address, knownHosts },
    ]);
    await until(() => /SSH2_MSG_KEXINIT received/.test(own.log()));
    agent.kill('SIGSTOP');
    const { error, tookMs, lingeredMs } = await running;
    agent.kill('SIGKILL');
    assert.match(
      error ?? '',
      /^SshError: proxy .*: the SSH agent at .*stops is gone: no answer within 10 s$/,
    );
    assert.ok(tookMs < 16_000 && lingeredMs < 1000, `${tookMs} ${lingeredMs}`);
  });

  test('and exits before signing is reported with the keys', async () => {
    const own = await startSshd(file('sshd.gone'), '127.0.3.3', publicKey(file('id')));
    const agent = await agentProcess(file('goes'), [file('id')]);
    const hop = await relayed(own, 200);
    const knownHosts = [privateFile(file('known.gone'), `${own.address} ${own.hostKeys.ed25519}\n`)];
    const running = connectInProcess([
      { ...hop, ...fromAgent(file('goes')), hostKeyName: own.address, knownHosts },
    ]);
    await until(() => /SSH2_MSG_KEXINIT received/.test(own.log()));
    agent.kill('SIGKILL');
    const { error } = await running;
    assert.match(error ?? '', /no key accepted for user root; offered: .*; not signed: Failed to connect/);
  });
});

describe('a process', { concurrency: true }, () => {
  test('does not wait for an unresponsive host if there is no key for it', async () => {
    const hop = { ...proxy, host: nowhere, keys: [file('none')] };
    const { error, tookMs, lingeredMs } = await connectInProcess([hop]);
    assert.match(error ?? '', /there is no such file/);
    assert.ok(tookMs < 5000 && lingeredMs < 1000, `${tookMs} ${lingeredMs}`);
  });

  test('sends a disconnect and ends without waiting for the reply', async () => {
    const own = await startSshd(file('sshd.far'), '127.0.3.4', publicKey(file('id')));
    const knownHosts = [privateFile(file('known.far'), `${own.address} ${own.hostKeys.ed25519}\n`)];
    const hop = await relayed(own, 250);
    const { error, lingeredMs } = await connectInProcess(
      [{ ...hop, hostKeyName: own.address, knownHosts }],
      `await connection.run('cat', 'x'.repeat(100_000));`,
    );
    assert.equal(error, undefined);
    assert.ok(lingeredMs < 200, `${lingeredMs}`);
    await until(() => /Received disconnect/.test(own.log()));
    assert.match(own.log(), /Received disconnect from \S+ port \d+:11:/);
  });

  test('disconnects cleanly from both hops', async () => {
    const own = await startSshd(file('sshd.behind'), '127.0.3.5', publicKey(file('id')));
    const lines = [server, own].map(({ address, hostKeys }) => `${address} ${hostKeys.ed25519}\n`).join('');
    const knownHosts = [privateFile(file('known.both'), lines)];
    const behind = hopTo('proxy', own, file('id'), knownHosts[0] as string);
    const { lingeredMs } = await connectInProcess(
      [{ ...proxy, knownHosts }, behind],
      `await connection.run('true', '');`,
    );
    assert.ok(lingeredMs < 200, `${lingeredMs}`);
    // The jump host may end before it has forwarded the disconnect: the proxy then sees the connection closed.
    const ended = /Received disconnect|Connection closed by|Disconnected from/;
    const afterLogin = () => own.log().split('Accepted publickey')[1] ?? '';
    await until(() => ended.test(afterLogin()));
    assert.match(afterLogin(), ended);
    assert.doesNotMatch(afterLogin(), /reset by peer|Broken pipe|Timeout/);
  });

  test('ends when the connection to the jump host freezes during the login to the proxy', async () => {
    const fault = { kind: 'freeze', direction: 'up', afterBytes: 2200 } as const;
    const { error, lingeredMs } = await connectInProcess([await relayed(server, 0, fault), proxy]);
    assert.match(error ?? '', /^SshError: /);
    assert.ok(lingeredMs < 1000, `${lingeredMs}`);
  });

  test('ends at once if the connection accepts no more data', async () => {
    const fault = { kind: 'freeze', direction: 'up', afterBytes: 500_000 } as const;
    const hop = await relayed(server, 0, fault);
    const { error, lingeredMs } = await connectInProcess(
      [hop],
      `connection.run('cat >/dev/null', 'x'.repeat(50_000_000));
       await new Promise((resolve) => setTimeout(resolve, 1500));`,
    );
    assert.equal(error, undefined);
    assert.ok(lingeredMs < 1000, `${lingeredMs}`);
  });
});

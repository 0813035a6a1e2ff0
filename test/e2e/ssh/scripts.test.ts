/** SSH failures of deploy.ts: exit status 1, the hop by name, within the time limit, nothing changed. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import * as deploys from '../../lab/actors/deploys.ts';
import * as programs from '../../lab/actors/programs.ts';
import { finished, type Lab, startLab } from '../../lab/namespaces/lab.ts';
import { JUMP_NAME } from '../../lab/namespaces/network.ts';
import { local, typescript } from '../../lab/namespaces/process.ts';
import { keygen, publicKey } from './sshd.ts';

/** The longest timeout is 15 s per hop; the rest is for a busy machine. */
const LIMIT_MS = 50_000;
const MUTE = `require('node:net').createServer(() => {}).listen(7777, () => console.log('up'))`;

let lab: Lab;
let unchanged: string;
let known: readonly string[];
let other: string;
let mutePort: number;

before(async () => {
  lab = await startLab({ backends: false });
  await programs.apply(lab.proxy, { token: deploys.TOKEN });
  unchanged = await deploys.tree(lab.proxy);
  known = (await readFile('/root/.ssh/known_hosts', 'utf8')).split('\n').filter(Boolean);
  keygen(join(lab.directory, 'other'));
  keygen(join(lab.directory, 'locked'), '-N', 'secret');
  other = publicKey(join(lab.directory, 'other'));
  mutePort = await muteHere();
  // No host has these addresses, and packets to one of them vanish.
  await lab.jump.sh('ip neigh add 192.168.1.66 lladdr 02:00:00:00:00:66 dev eth1');
  await lab.proxy.sh(
    `${process.execPath} -e "${MUTE}" >/run/mute 2>&1 & until grep -q up /run/mute; do sleep 0.05; done`,
  );
});
after(() => lab.stop());

async function muteHere(): Promise<number> {
  const server = createServer((socket) => void socket.on('error', () => {}).unref()).unref();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return (server.address() as { port: number }).port;
}

/** known_hosts with the lines of one host changed. */
async function knownHosts(name: string, change: (line: string) => string): Promise<Record<string, string>> {
  const lines = known.map((line) => (line.includes(name) ? change(line) : line));
  const path = join(lab.directory, `known.${name}.${lines.join().length}`);
  await writeFile(path, `${lines.join('\n')}\n`);
  return { SSH_KNOWN_HOSTS: path };
}

const CHANGES = {
  unknown: () => '',
  changed: (line: string) => `${line.split(' ')[0]} ${other}`,
  revoked: (line: string) => `${line}\n@revoked * ${line.split(' ').slice(1).join(' ')}`,
} as const;

const JUMP = `jump host ${JUMP_NAME}`;
const PROXY = 'proxy 192.168.1.100';

type Case = readonly [
  what: string,
  env: () => Record<string, string> | Promise<Record<string, string>>,
  says: string,
];

const KEYS: readonly Case[] = Object.entries(CHANGES).flatMap(([word, change]): Case[] => [
  [`a jump host whose key is ${word}`, () => knownHosts(JUMP_NAME, change), `${JUMP}: host key ${word}: `],
  [`a proxy whose key is ${word}`, () => knownHosts('192.168.1.100', change), `${PROXY}: host key ${word}: `],
]);

const FAILURES: readonly Case[] = [
  [
    'a jump host that does not exist',
    () => ({ DEPLOY_SSH_PROXY_HOST: '203.0.113.77' }),
    'jump host 203.0.113.77: 203.0.113.77 port 22: no route to the host',
  ],
  [
    'a jump host that refuses',
    () => ({ DEPLOY_SSH_PROXY_PORT: '9' }),
    `${JUMP}: ${JUMP_NAME} port 9: connection refused`,
  ],
  [
    'a jump host that is mute',
    () => ({ DEPLOY_SSH_PROXY_HOST: '127.0.0.1', DEPLOY_SSH_PROXY_PORT: `${mutePort}` }),
    'jump host 127.0.0.1: 127.0.0.1 port ',
  ],
  [
    'a proxy that refuses',
    () => ({ IA_ENSO_PROXY_PORT: '9' }),
    `${PROXY}: 192.168.1.100 port 9 cannot be reached from the ${JUMP}: Connection refused`,
  ],
  [
    'a proxy that is mute',
    () => ({ IA_ENSO_PROXY_PORT: '7777' }),
    `${PROXY}: 192.168.1.100 port 7777 timed out: it accepts`,
  ],
  [
    'a proxy to which packets vanish',
    () => ({ IA_ENSO_PROXY_HOST: '192.168.1.66' }),
    `proxy 192.168.1.66: 192.168.1.66 port 22 cannot be reached from the ${JUMP}: timed out, no answer within 10 s`,
  ],
];

describe('a deploy', { concurrency: 4 }, () => {
  for (const [what, env, says] of [...KEYS, ...FAILURES])
    test(`reports ${what}`, async () => {
      const start = Date.now();
      const { exit, failure, stderr } = await deploys.deploy(lab, {
        ...deploys.withToken(deploys.OTHER_TOKEN),
        ...(await env()),
      });
      assert.equal(exit, 1, stderr);
      assert.equal(failure?.code, 'ssh', stderr);
      assert.ok(failure?.text.startsWith(says), `${failure?.text}\nbut not\n${says}`);
      assert.ok(Date.now() - start < LIMIT_MS, `${Date.now() - start} ms`);
    });

  for (const [what, env, says] of [...KEYS, ...FAILURES].filter(([name]) => !/mute|vanish/.test(name)))
    test(`reports over the ssh program ${what}`, async () => {
      const { exit, failure, stderr } = await deploys.deploy(lab, {
        ...deploys.withToken(deploys.OTHER_TOKEN),
        ...(await env()),
        SSH_TRANSPORT: 'openssh',
      });
      assert.deepEqual([exit, failure?.code], [1, 'ssh'], stderr);
      assert.ok(failure?.text.startsWith(says), `${failure?.text}\nbut not\n${says}`);
    });

  for (const stdin of ['<&-', '</dev/null'])
    test(`asks for no passphrase with ${stdin}`, async () => {
      const started = Date.now();
      const command = [process.execPath, ...typescript('scripts/deploy.ts', ['--no-verify'])].join(' ');
      const env = { ...lab.env, IA_ENSO_SSH_KEY: join(lab.directory, 'locked') };
      const { status, stdout } = await finished(
        spawn('sh', ['-c', `exec ${command} ${stdin}`], { cwd: lab.directory, env }),
      );
      assert.equal(status, 1, stdout);
      assert.match(stdout, /the key .*locked is encrypted, and no agent holds it/);
      assert.ok(Date.now() - started < LIMIT_MS);
    });
});

test('none of them changed anything', async () => {
  assert.equal(await deploys.tree(lab.proxy), unchanged);
  assert.deepEqual([await deploys.gate(deploys.TOKEN), await deploys.gate(deploys.OTHER_TOKEN)], [502, 401]);
});

test('a deploy and its checks through the ssh program end as over ssh2, and leave nothing here', async () => {
  const env = {
    ...deploys.withToken(deploys.OTHER_TOKEN),
    SSH_TRANSPORT: 'openssh',
    TMPDIR: await emptyFolder(),
  };
  const { exit, outcome, stderr } = await deploys.deploy(lab, env);
  assert.deepEqual([exit, outcome], [0, 'applied'], stderr);
  assert.deepEqual([await deploys.gate(deploys.TOKEN), await deploys.gate(deploys.OTHER_TOKEN)], [401, 502]);
  const checksOver = async (transport: string) => {
    const { stdout } = await lab.run('verify', ['--json', '--via-ssh'], {
      env: { ...env, SSH_TRANSPORT: transport },
    });
    const { hosts } = JSON.parse(stdout);
    return hosts[0].checks.map(({ name, status }: { name: string; status: string }) => `${name}: ${status}`);
  };
  const checks = await checksOver('openssh');
  assert.ok(checks.includes('http to https: passed'), checks.join('\n'));
  assert.deepEqual(checks, await checksOver('ssh2'));
  await whenEmpty(env.TMPDIR);
});

for (const signal of ['SIGINT', 'SIGKILL'] as const)
  test(`${signal} while the program runs: it completes, and nothing is left here`, async () => {
    await programs.apply(lab.proxy, { token: deploys.OTHER_TOKEN });
    const folder = await emptyFolder();
    const env = { ...deploys.withToken(deploys.TOKEN), SSH_TRANSPORT: 'openssh', TMPDIR: folder };
    await lab.proxy.sh(
      `flock /var/lib/gatepost/lock sh -c 'touch /run/held; while [ -e /run/held ]; do sleep 0.05; done' >/dev/null 2>&1 &
       until [ -e /run/held ]; do sleep 0.05; done`,
    );
    const child = lab.spawn('deploy', ['--no-verify'], { env });
    const ended = new Promise((resolve) => void child.on('exit', resolve));
    await lab.proxy.sh('until pgrep -x sudo; do sleep 0.05; done; sleep 1');
    child.kill(signal);
    await ended;
    await whenEmpty(folder);
    await lab.proxy.sh('rm /run/held; sleep 0.2; flock /var/lib/gatepost/lock true');
    assert.equal(await deploys.leftovers(lab.proxy), '');
    const next = await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
    assert.equal(next.exit, 0, next.stderr);
  });

test('SIGKILL while ssh logs in: nothing is left here', async () => {
  const folder = await emptyFolder();
  const jump = { DEPLOY_SSH_PROXY_HOST: '127.0.0.1', DEPLOY_SSH_PROXY_PORT: `${mutePort}` };
  const env = { ...deploys.withToken(deploys.TOKEN), ...jump, SSH_TRANSPORT: 'openssh', TMPDIR: folder };
  const child = lab.spawn('deploy', ['--no-verify'], { env });
  const ended = new Promise((resolve) => void child.on('exit', resolve));
  while (!(await readdir(folder)).some((name) => name.startsWith('gatepost-'))) await sleep(20);
  await sleep(200);
  child.kill('SIGKILL');
  await ended;
  await whenEmpty(folder);
});

const emptyFolder = () => mkdtemp(join(tmpdir(), 'gatepost-ssh-'));

/** The contents and users of the folder, after waiting for a moment. */
async function whenEmpty(folder: string): Promise<void> {
  const command = `ls -A ${folder}; grep -lzs ${folder} /proc/[0-9]*/cmdline | grep -v "/$$/" || true`;
  let left = '';
  for (let tries = 0; tries < 30; tries += 1) {
    left = (await local`sh -c ${command}`).stdout;
    if (!/gatepost-[0-9a-f]{12}/.test(left)) return;
    await sleep(100);
  }
  assert.fail(left);
}

/** Which keys log in, with ssh as the judge: for each configuration, agent and folder, both succeed or both fail. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { judge } from './judge-login.ts';
import { keygen, privateFile, publicKey, type Sshd, startAgent, startSshd } from './sshd.ts';

const directory = mkdtempSync(join(tmpdir(), 'gatepost-identities-'));
const file = (name: string) => join(directory, name);
/** OpenSSH looks for default identities in root's home directory, from /etc/passwd. */
const SSH_FOLDER = '/root/.ssh';
const STRANGERS = Array.from({ length: 7 }, (_, index) => `stranger${index}`);

let server: Sshd;
const agents: Record<string, string> = {};

/** Keys named `in*` are authorized, the others are not. */
before(async () => {
  for (const name of ['in', 'in2', ...STRANGERS]) keygen(file(name));
  keygen(file('inRsa'), '-t', 'rsa');
  keygen(file('inEcdsa'), '-t', 'ecdsa');
  keygen(file('inPkcs8'), '-t', 'rsa', '-m', 'PKCS8');
  keygen(file('inEcPkcs8'), '-t', 'ecdsa', '-m', 'PKCS8');
  keygen(file('inLocked'), '-N', 'secret');
  keygen(file('inLockedPkcs8'), '-t', 'rsa', '-m', 'PKCS8', '-N', 'secret');
  copyFileSync(file('in'), file('inOpen'));
  chmodSync(file('inOpen'), 0o644);
  copyFileSync(file('inRsa.pub'), file('inPublic.pub'));
  const names = ['in', 'in2', 'inRsa', 'inEcdsa', 'inPkcs8', 'inEcPkcs8', 'inLocked', 'inLockedPkcs8'];
  const authorized = names.map((name) => publicKey(file(name))).join('\n');
  mkdirSync(file('home/.ssh'), { mode: 0o700, recursive: true });
  execFileSync('mount', ['--bind', file('home'), '/root']);
  // Root gets an empty password here: sshd accepts a login without a key if PermitEmptyPasswords is set.
  const shadow = readFileSync('/etc/shadow', 'utf8').replace(/^root:[^:]*/m, 'root:');
  execFileSync('mount', ['--bind', privateFile(file('shadow'), shadow), '/etc/shadow']);
  const lines: string[] = [];
  let last = 0;
  const start = async (config: string) => {
    last += 1;
    const at = `127.0.4.${last}`;
    const made = await startSshd(file(at), at, authorized, { config });
    lines.push(`${at} ${made.hostKeys.ed25519}`);
    return made;
  };
  server = await start('MaxAuthTries 6');
  for (const config of Object.values(SERVERS)) await start(config);
  privateFile(file('known_hosts'), `${lines.join('\n')}\n`);
  agents.right = await startAgent(file('agent.right'), [file('in')]);
  agents.strangers = await startAgent(file('agent.strangers'), STRANGERS.slice(0, 3).map(file));
  agents.many = await startAgent(file('agent.many'), STRANGERS.map(file));
  agents.last = await startAgent(file('agent.last'), [...STRANGERS.slice(0, 5), 'in'].map(file));
  agents.tooLate = await startAgent(file('agent.late'), [...STRANGERS.slice(0, 6), 'in'].map(file));
  agents.rsa = await startAgent(file('agent.rsa'), [file('inRsa')]);
  agents.locked = await startAgent(file('agent.locked'), [file('stranger0')]);
  agents.gone = file('agent.gone');
  privateFile(file('askpass'), '#!/bin/sh\necho secret\n', 0o700);
  const env = { ...process.env, SSH_AUTH_SOCK: agents.locked, SSH_ASKPASS_REQUIRE: 'force' };
  for (const name of ['inLocked', 'inLockedPkcs8'])
    execFileSync('ssh-add', ['-q', file(name)], { env: { ...env, SSH_ASKPASS: file('askpass') } });
});
after(() => {
  execFileSync('umount', ['-l', '/root']);
  execFileSync('umount', ['/etc/shadow']);
  rmSync(directory, { recursive: true });
});

/** Additional servers, by name. */
const SERVERS = {
  strict: 'MaxAuthTries 2',
  twice: 'AuthenticationMethods publickey,publickey',
  sha1: 'PubkeyAcceptedAlgorithms ssh-rsa',
  patient: 'MaxAuthTries 20',
  open: 'Match all\nPasswordAuthentication yes\nPermitEmptyPasswords yes',
} as const;

const addressOf = (name: keyof typeof SERVERS) => `127.0.4.${Object.keys(SERVERS).indexOf(name) + 2}`;

interface Case {
  readonly does: 'in' | 'out';
  /** Files in ~/.ssh, and their sources. */
  readonly home?: Readonly<Record<string, string>>;
  readonly agent?: string;
  /** SSH configuration; `D` is the folder of the keys. */
  readonly config?: string;
  readonly server?: keyof typeof SERVERS;
}

const CASES: Readonly<Record<string, Case>> = {
  'only an id_rsa': { does: 'in', home: { id_rsa: 'inRsa' } },
  'only an id_ecdsa': { does: 'in', home: { id_ecdsa: 'inEcdsa' } },
  'only an id_ed25519': { does: 'in', home: { id_ed25519: 'in' } },
  'an id_rsa that is rejected before an id_ed25519': {
    does: 'in',
    home: { id_rsa: 'stranger0', id_ed25519: 'in' },
  },
  'no file and no agent': { does: 'out' },
  'no file and no agent, for a host that requires no key': { does: 'in', server: 'open' },
  'a wrong key, for a host that requires none': {
    does: 'in',
    home: { id_ed25519: 'stranger0' },
    server: 'open',
  },
  'the key in the agent, no file': { does: 'in', agent: 'right' },
  'the key in the agent, another id_ed25519': {
    does: 'in',
    agent: 'right',
    home: { id_ed25519: 'stranger0' },
  },
  'the key in a file, others in the agent': { does: 'in', agent: 'strangers', home: { id_ed25519: 'in' } },
  'the sixth key of the agent': { does: 'in', agent: 'last' },
  'the seventh key of the agent': { does: 'out', agent: 'tooLate' },
  'the seventh key of the agent, MaxAuthTries 20': { does: 'in', agent: 'tooLate', server: 'patient' },
  'the seventh key of the agent, its public half in ~/.ssh': {
    does: 'in',
    agent: 'tooLate',
    home: { 'id_ed25519.pub': 'in.pub' },
  },
  'a file after seven keys of the agent': { does: 'out', agent: 'many', home: { id_ed25519: 'in' } },
  'a file after seven keys of the agent, IdentitiesOnly': {
    does: 'in',
    agent: 'many',
    home: { id_ed25519: 'in' },
    config: 'IdentitiesOnly yes',
  },
  'the key in the agent, IdentitiesOnly': { does: 'out', agent: 'right', config: 'IdentitiesOnly yes' },
  'the key in the agent, its public half in the configuration, IdentitiesOnly': {
    does: 'in',
    agent: 'last',
    server: 'strict',
    config: 'IdentitiesOnly yes\nIdentityFile D/in.pub',
  },
  'an RSA key in the agent': { does: 'in', agent: 'rsa' },
  'a public half without a private one, held by the agent': {
    does: 'in',
    agent: 'rsa',
    config: 'IdentitiesOnly yes\nIdentityFile D/inPublic',
  },
  'the key in the agent, IdentityAgent none': { does: 'out', agent: 'right', config: 'IdentityAgent none' },
  'the key in another agent': { does: 'in', agent: 'strangers', config: 'IdentityAgent D/agent.right' },
  'the key in the agent of a variable': { does: 'in', config: 'IdentityAgent $RIGHT_AGENT' },
  'the key in the agent of an unset variable': {
    does: 'out',
    agent: 'right',
    config: 'IdentityAgent $NO_AGENT',
  },
  'the key in the agent of a variable in braces': {
    does: 'in',
    config: `IdentityAgent \${RIGHT_AGENT}`,
  },
  'IdentityAgent SSH_AUTH_SOCK': { does: 'in', agent: 'right', config: 'IdentityAgent SSH_AUTH_SOCK' },
  'an agent that is gone, and a file': { does: 'in', agent: 'gone', home: { id_ed25519: 'in' } },
  'an agent that is gone': { does: 'out', agent: 'gone' },
  'an encrypted file': { does: 'out', home: { id_ed25519: 'inLocked' } },
  'an encrypted file that the agent holds': { does: 'in', agent: 'locked', home: { id_ed25519: 'inLocked' } },
  'an encrypted file that the agent holds, IdentitiesOnly': {
    does: 'in',
    agent: 'locked',
    home: { id_ed25519: 'inLocked' },
    config: 'IdentitiesOnly yes',
  },
  'an encrypted file, and one without a passphrase': {
    does: 'in',
    home: { id_rsa: 'inLocked', id_ed25519: 'in' },
  },
  'an encrypted PKCS#8 file that the agent holds': {
    does: 'in',
    agent: 'locked',
    home: { id_rsa: 'inLockedPkcs8', 'id_rsa.pub': 'inLockedPkcs8.pub' },
  },
  'an RSA key in PKCS#8': { does: 'in', home: { id_rsa: 'inPkcs8' } },
  'an ECDSA key in PKCS#8': { does: 'in', home: { id_ecdsa: 'inEcPkcs8' } },
  'a file that others can read': { does: 'out', home: { id_ed25519: 'inOpen' } },
  'a file that others can read, held by the agent': {
    does: 'in',
    agent: 'right',
    home: { id_ed25519: 'inOpen' },
  },
  'IdentityFile none': { does: 'out', home: { id_ed25519: 'in' }, config: 'IdentityFile none' },
  'two IdentityFiles, the second one authorized': {
    does: 'in',
    config: 'IdentityFile D/stranger0\nIdentityFile D/in',
    server: 'strict',
  },
  'three IdentityFiles within MaxAuthTries 2': {
    does: 'out',
    config: 'IdentityFile D/stranger0\nIdentityFile D/stranger1\nIdentityFile D/in',
    server: 'strict',
  },
  'tokens in IdentityFile': {
    does: 'in',
    home: { 'key-root-127.0.4.1': 'in' },
    config: 'IdentityFile %d/.ssh/key-%r-%h',
  },
  'a variable in IdentityFile': { does: 'in', config: `IdentityFile \${KEYS}/in` },
  'two keys, both required by the host': {
    does: 'in',
    home: { id_rsa: 'inRsa', id_ed25519: 'in' },
    server: 'twice',
  },
  'one of two keys that the host requires': { does: 'out', home: { id_rsa: 'inRsa' }, server: 'twice' },
  'an RSA key where only SHA-1 signatures are accepted': {
    does: 'out',
    home: { id_rsa: 'inRsa' },
    server: 'sha1',
  },
  'an RSA key of the agent where only SHA-1 signatures are accepted': {
    does: 'out',
    agent: 'rsa',
    server: 'sha1',
  },
  'a type that PubkeyAcceptedAlgorithms leaves out': {
    does: 'out',
    home: { id_ed25519: 'in' },
    config: 'PubkeyAcceptedAlgorithms -ssh-ed25519',
  },
};

/** The verdicts of both, with the same files, agent and configuration. */
async function verdicts({ home = {}, agent, config = '', server: name }: Case) {
  execFileSync('sh', ['-c', `rm -f ${SSH_FOLDER}/*`]);
  for (const [to, from] of Object.entries(home)) copyFileSync(file(from), join(SSH_FOLDER, to));
  const lines = config.replaceAll('D/', `${directory}/`).split('\n');
  const text = `Host *\n${lines.join('\n')}\nUser root\nUserKnownHostsFile ${file('known_hosts')}\n`;
  const path = privateFile(file('config'), text);
  const host = name ? addressOf(name) : server.address;
  const env: NodeJS.ProcessEnv = { ...process.env, RIGHT_AGENT: agents.right, KEYS: directory };
  delete env.SSH_AUTH_SOCK;
  if (agent) env.SSH_AUTH_SOCK = agents[agent];
  const { ssh, gatepost } = await judge(path, host, env);
  return { ssh, gatepost };
}

describe('a login, with ssh as the judge', () => {
  for (const [what, each] of Object.entries(CASES))
    it(`is ${each.does} with ${what}`, async () => {
      assert.deepEqual(await verdicts(each), { ssh: each.does, gatepost: each.does });
    });
});

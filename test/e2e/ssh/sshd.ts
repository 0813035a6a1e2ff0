/** Real sshd and ssh-agent for the SSH tests, on loopback in the namespaces of the test. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Hop } from '../../../lib/ssh/hops.ts';

export interface Sshd {
  readonly address: string;
  readonly port: number;
  /** Public host keys, `TYPE BASE64`, by type. */
  readonly hostKeys: Readonly<Record<string, string>>;
  /** Its log so far. */
  log(): string;
}

export const keygen = (path: string, ...args: string[]) =>
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path, ...args]);

/** Type and key in a .pub file, without the comment. */
export const publicKey = (path: string): string =>
  readFileSync(`${path}.pub`, 'utf8').split(' ').slice(0, 2).join(' ').trim();

/** Starts sshd on a loopback address; the keys in `authorized` may log in as root. */
export async function startSshd(
  directory: string,
  address: string,
  authorized: string,
  options: { port?: number; types?: readonly string[]; config?: string } = {},
): Promise<Sshd> {
  const { port = 22, types = ['ed25519'], config = '' } = options;
  mkdirSync(directory, { recursive: true });
  mkdirSync('/run/sshd', { recursive: true });
  for (const type of types) keygen(`${directory}/host_${type}`, '-t', type);
  writeFileSync(`${directory}/authorized_keys`, authorized);
  writeFileSync(`${directory}/config`, configText(directory, address, port, types, config));
  writeFileSync(`${directory}/log`, '');
  spawn('/usr/sbin/sshd', ['-D', '-f', `${directory}/config`, '-E', `${directory}/log`], {
    stdio: 'ignore',
  }).unref();
  await listening(address, port);
  const hostKeys = Object.fromEntries(types.map((type) => [type, publicKey(`${directory}/host_${type}`)]));
  return { address, port, hostKeys, log: () => readFileSync(`${directory}/log`, 'utf8') };
}

const configText = (
  directory: string,
  address: string,
  port: number,
  types: readonly string[],
  config: string,
) => `ListenAddress ${address}
Port ${port}
${types.map((type) => `HostKey ${directory}/host_${type}`).join('\n')}
AuthorizedKeysFile ${directory}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin yes
PerSourceMaxStartups none
MaxStartups 200
LogLevel DEBUG1
${config}
`;

/** Resolves once something listens on the port. */
export async function listening(host: string, port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const up = await new Promise<boolean>((resolve) => {
      const socket = connect({ host, port });
      socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (up) return;
    await sleep(30);
  }
  throw new Error(`nothing listens on ${host}:${port}`);
}

/** Starts an ssh-agent that holds these keys, and returns its socket. */
export async function startAgent(socket: string, keys: readonly string[]): Promise<string> {
  await agentProcess(socket, keys);
  return socket;
}

/** The process of such an agent, for tests that stop it. */
export async function agentProcess(socket: string, keys: readonly string[]): Promise<ChildProcess> {
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
  agent.unref();
  for (let attempt = 0; attempt < 100; attempt += 1) {
    try {
      await connected(socket);
      for (const key of keys)
        execFileSync('ssh-add', ['-q', key], { env: { SSH_AUTH_SOCK: socket }, stdio: 'pipe' });
      return agent;
    } catch {
      await sleep(30);
    }
  }
  throw new Error('ssh-agent does not answer');
}

/** Resolves once something listens on the socket. */
function connected(socket: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = connect(socket, () => resolve(void probe.destroy()));
    probe.on('error', reject);
  });
}

/** A private file with this content. */
export function privateFile(path: string, text: string, mode = 0o600): string {
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

/** A hop to a test server, with other fields overridden. */
export const hopTo = (
  label: string,
  server: Sshd,
  key: string,
  knownHosts: string,
  other: Partial<Hop> = {},
): Hop => ({
  label: `${label} ${server.address}`,
  host: server.address,
  port: server.port,
  user: 'root',
  keys: [key],
  keyIsExplicit: true,
  knownHosts: [knownHosts],
  hostKeyName: server.address,
  ...other,
});

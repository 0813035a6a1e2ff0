/** Real SSH servers other than OpenSSH, on loopback: Dropbear and TinySSH. They read ~/.ssh/authorized_keys. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { listening } from './sshd.ts';

export const isInstalled = (program: string): boolean => {
  try {
    execFileSync('which', [program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

/** Starts Dropbear; returns its host key, `TYPE BASE64`. */
export async function startDropbear(directory: string, address: string): Promise<string> {
  mkdirSync(directory, { recursive: true });
  const key = `${directory}/host`;
  execFileSync('dropbearkey', ['-t', 'ed25519', '-f', key], { stdio: 'ignore' });
  const shown = execFileSync('dropbearkey', ['-y', '-f', key], { encoding: 'utf8' });
  const args = ['-F', '-s', '-r', key, '-p', `${address}:22`, '-P', `${directory}/pid`];
  spawn('dropbear', args, { stdio: 'ignore' }).unref();
  await listening(address, 22);
  return /^(ssh-ed25519 \S+)/m.exec(shown)?.[1] ?? '';
}

/** Starts TinySSH, which serves one connection on stdin and stdout; returns its host key. */
export async function startTinyssh(directory: string, address: string): Promise<string> {
  execFileSync('tinysshd-makekey', ['-q', `${directory}/keys`]);
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    spawn('tinysshd', [`${directory}/keys`], { stdio: [socket, socket, 'ignore'] }).unref();
    socket.destroy();
  }).unref();
  await new Promise<void>((resolve) => void server.listen(22, address, resolve));
  return `ssh-ed25519 ${readTinyKey(`${directory}/keys/ed25519.pk`)}`;
}

/** The file contains only the 32 bytes of the key. */
function readTinyKey(path: string): string {
  const name = Buffer.from('ssh-ed25519');
  const key = readFileSync(path);
  const length = (bytes: Buffer) => Buffer.from([0, 0, 0, bytes.length]);
  return Buffer.concat([length(name), name, length(key), key]).toString('base64');
}

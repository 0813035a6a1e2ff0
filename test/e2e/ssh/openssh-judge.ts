/** OpenSSH as the judge of known_hosts: the real ssh's verdict on files and a host. */
import { execFile } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';

/** The host's name, and its name on port 2222. */
export const H = 'judge.test';
export const P = '[judge.test]:2222';

/** A name in the format of HashKnownHosts. */
export function hashed(name: string): string {
  const salt = randomBytes(20);
  const hash = createHmac('sha1', salt).update(name).digest('base64');
  return `|1|${salt.toString('base64')}|${hash}`;
}

/** ssh's verdict on the files (separated by spaces), from its error message; stops before any login. */
export function openssh(files: string, port: number, host = H): Promise<string> {
  const options = {
    UserKnownHostsFile: files,
    GlobalKnownHostsFile: '/dev/null',
    StrictHostKeyChecking: 'yes',
    BatchMode: 'yes',
    HostKeyAlgorithms: 'ssh-ed25519',
    PreferredAuthentications: 'none',
  };
  const args = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  return new Promise((resolve) => {
    execFile(
      'ssh',
      ['-F', 'none', ...args, '-p', String(port), `root@${host}`, 'true'],
      (_error, _out, words) => resolve(verdictOf(words)),
    );
  });
}

function verdictOf(words: string): string {
  if (/REVOKED HOST KEY|is marked as revoked/.test(words)) return 'revoked';
  if (/IDENTIFICATION HAS CHANGED/.test(words)) return 'changed';
  if (/No ED25519 host key is known/.test(words)) return 'unknown';
  return /Permission denied/.test(words) ? 'match' : words;
}

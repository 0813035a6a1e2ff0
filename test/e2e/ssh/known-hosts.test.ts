/** OpenSSH as the judge: for each known_hosts file, ssh and lib/ssh/known-hosts.ts must agree. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { judgeHostKey } from '../../../lib/ssh/known-hosts.ts';
import { H, hashed, openssh, P } from './openssh-judge.ts';
import { keygen, privateFile, publicKey, startSshd } from './sshd.ts';

const directory = mkdtempSync(join(tmpdir(), 'gatepost-judge-'));
keygen(`${directory}/other`);
keygen(`${directory}/third`);
keygen(`${directory}/rsa`, '-t', 'rsa');
const [other, third, rsa] = ['other', 'third', 'rsa'].map((name) => publicKey(`${directory}/${name}`));
let hostKey = '';

/** Each entry: port, then the file's lines. `K` is the host's own key, `O` and `T` are others', `R` is an RSA key. */
const FILES: readonly (readonly [number, ...string[]])[] = [
  [22],
  [22, `${H} K`],
  [22, `${H} O`],
  [22, `${H} R`],
  [22, `other.test K`],
  [22, `${H} O`, `${H} K`],
  [22, `${H} K`, `${H} O`],
  [22, `${H} R`, `${H} K`],
  [22, `${H} O`, `${H} T`, `${H} R`],
  [22, `JUDGE.Test K`],
  [22, `${H},10.9.9.9 K`],
  [22, `10.9.9.9,${H} K`],
  [22, `10.9.9.9,${H} O`],
  [22, `*.test K`],
  [22, `*.TEST K`],
  [22, `* K`],
  [22, `* O`],
  [22, `judg?.test K`],
  [22, `judge?.test K`],
  [22, `j*e.t*t K`],
  [22, `j**.t??t K`],
  [22, `judge.tes K`],
  [22, `judge+test K`],
  [22, `*.test,!${H} K`],
  [22, `!${H},*.test K`],
  [22, `!other.test,*.test K`],
  [22, `!${H} K`],
  [22, `!*.test,* K`],
  [22, `*.test,!${H} O`, `${H} K`],
  [22, `${hashed(H)} K`],
  [22, `${hashed(H)} O`],
  [22, `${hashed('other.test')} K`],
  [22, `${hashed('JUDGE.TEST')} K`],
  [22, `${hashed(H)},other.test K`],
  [22, `other.test,${hashed(H)} K`],
  [22, `|1|AAAA|BBBB K`],
  [22, `|2|AAAA|BBBB K`],
  [22, `[judge.test]:22 K`],
  [22, `${P} K`],
  [22, `@revoked ${H} K`],
  [22, `@revoked ${H} O`],
  [22, `@revoked ${H} O`, `${H} K`],
  [22, `@revoked ${H} K`, `${H} K`],
  [22, `${H} K`, `@revoked ${H} K`],
  [22, `${H} K`, `@revoked * K`],
  [22, `${H} O`, `@revoked * K`],
  [22, `${H} K`, `@revoked other.test K`],
  [22, `@revoked ${hashed(H)} K`, `${H} K`],
  [22, `@REVOKED ${H} K`],
  [22, `@unknown ${H} K`],
  [22, `@revoked @revoked ${H} K`],
  [22, `@revoked\t${H} K`],
  [22, `@revoked\t${H}\tssh-ed25519\tB`],
  [22, `@revoked \t${H} K`],
  [22, `@cert-authority ${H} K`],
  [22, `@cert-authority * O`, `${H} K`],
  [22, `@cert-authority * K`, `${H} O`],
  [22, `# a comment`, ``, `   `, `${H} K`],
  [22, `#${H} K`],
  [22, ` \t${H} K`],
  [22, `${H}\tK`],
  [22, `${H}   K   a comment # more`],
  [22, `${H} K\r`],
  [22, `${H} K comment\r`],
  [22, `${H} O\r`, `\r`, `${H} K\r`],
  [22, `${H}`],
  [22, `${H} ssh-ed25519`],
  [22, `${H} ssh-ed25519 AAAAgarbage`],
  [22, `${H} ssh-ed25519 !!!!`, `${H} K`],
  [22, `${H} ssh-rsa B`],
  [22, `${H} rsa-sha2-512 RB`],
  [22, `${H} ed25519 B`],
  [22, `${H} ED25519 B`],
  [22, `${H} rsa RB`],
  [22, `${H} sk-ssh-ed25519@openssh.com B`],
  [22, `${H} nonsense B`],
  [22, `${H} 1024 35 1234567890`, `${H} K`],
  [22, `\0garbage`, `${H} K`],
  [22, `${H}, K`],
  [22, `,${H} K`],
  [22, `${H} # ssh-ed25519 B`],
  [2222, `${P} K`],
  [2222, `${P} O`],
  [2222, `[JUDGE.test]:2222 K`],
  [2222, `${H} K`],
  [2222, `${H} O`],
  [2222, `${P} O`, `${H} K`],
  [2222, `${P} K`, `${H} O`],
  [2222, `[judge.test]:2223 K`],
  [2222, `[judge.test]:2223 O`, `${H} K`],
  [2222, `${hashed(P)} K`],
  [2222, `${hashed(H)} K`],
  [2222, `${hashed(P)} O`, `${hashed(H)} K`],
  [2222, `[*.test]:2222 K`],
  [2222, `[*.test]:* K`],
  [2222, `*.test K`],
  [2222, `* K`],
  [2222, `* O`],
  [2222, `*,!${P} K`],
  [2222, `*,!${H} K`],
  [2222, `@revoked ${P} K`, `${P} K`],
  [2222, `@revoked ${H} K`, `${P} K`],
  [2222, `@revoked ${H} K`],
  [2222, `@revoked ${H} K`, `${H} K`],
  [2222, `@revoked * K`, `${H} K`],
  [2222, `@revoked ${P} K`, `${H} K`],
  [2222, `@cert-authority ${P} O`, `${H} K`],
];

function fill(lines: readonly string[]): string {
  const blob = (key: string) => key.split(' ')[1] ?? '';
  const keys: Record<string, string | undefined> = {
    K: hostKey,
    O: other,
    T: third,
    R: rsa,
    B: blob(hostKey),
    RB: blob(rsa ?? ''),
  };
  const text = lines.map((line) =>
    line.replace(/(?<=\s)(RB|[KOTRB])(?=\s|$)/g, (name) => keys[name] ?? name),
  );
  return text.map((line) => `${line}\n`).join('');
}

function verdict(text: string, port: number, host = H): string {
  const key = Buffer.from(hostKey.split(' ')[1] ?? '', 'base64');
  return judgeHostKey([{ path: 'known_hosts', text }], host, port, key).kind;
}

describe('known_hosts, with OpenSSH as the judge', { concurrency: 4 }, () => {
  before(async () => {
    privateFile(`${directory}/hosts`, `127.0.1.1 ${H}\n`, 0o644);
    execFileSync('mount', ['--bind', `${directory}/hosts`, '/etc/hosts']);
    const both = 'Port 2222\nListenAddress ::1\nListenAddress 127.0.1.1:2222';
    const server = await startSshd(`${directory}/sshd`, '127.0.1.1', '', { config: both });
    hostKey = server.hostKeys.ed25519 ?? '';
  });
  after(() => rmSync(directory, { recursive: true }));

  FILES.forEach(([port, ...lines], index) => {
    it(`agrees on port ${port}: ${JSON.stringify(lines.join(' / '))}`, async () => {
      const text = fill(lines);
      const file = privateFile(`${directory}/known_hosts.${index}`, text);
      assert.equal(verdict(text, port), await openssh(file, port));
    });
  });

  it('agrees on a file that ssh-keygen hashed', async () => {
    const file = privateFile(`${directory}/known_hosts.hashed`, fill([`${H},10.9.9.9 K`, `${P} O`]));
    execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' });
    const text = execFileSync('cat', [file], { encoding: 'utf8' });
    assert.match(text, /^\|1\|/);
    for (const port of [22, 2222]) assert.equal(verdict(text, port), await openssh(file, port));
  });

  for (const name of ['::1', '[::1]:22', '[::1]:2222', '::*'])
    it(`agrees on the IPv6 name ${name}`, async () => {
      const text = fill([`${name} K`]);
      const file = privateFile(`${directory}/known_hosts.${name.replace(/\W/g, '_')}`, text);
      for (const port of [22, 2222])
        assert.equal(verdict(text, port, '::1'), await openssh(file, port, '::1'));
    });
});

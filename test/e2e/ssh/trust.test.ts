/** The directives about host keys, with ssh as the judge: gatepost may be stricter, never more lenient. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { judge } from './judge-login.ts';
import { keygen, privateFile, publicKey, startSshd } from './sshd.ts';

const directory = mkdtempSync(join(tmpdir(), 'gatepost-trust-'));
const file = (name: string) => join(directory, name);
after(() => rmSync(directory, { recursive: true }));

before(async () => {
  keygen(file('id'));
  keygen(file('other'));
  const types = ['ed25519', 'rsa'];
  execFileSync('ip', ['address', 'add', '192.0.2.9/32', 'dev', 'lo']);
  const server = await startSshd(file('sshd'), '127.0.6.1', publicKey(file('id')), {
    types,
    config: 'ListenAddress 192.0.2.9',
  });
  const { ed25519 = '', rsa = '' } = server.hostKeys;
  const other = publicKey(file('other'));
  privateFile(file('hosts'), '127.0.0.1 localhost\n192.0.2.9 trust.test\n', 0o644);
  execFileSync('mount', ['--bind', file('hosts'), '/etc/hosts']);
  privateFile(file('known'), `trust.test ${ed25519}\n`);
  privateFile(file('known.rsa'), `trust.test ${rsa}\n`);
  privateFile(file('known.both'), `trust.test ${ed25519}\ntrust.test ${rsa}\n`);
  privateFile(file('known.alias'), `alias ${ed25519}\n`);
  privateFile(file('known.address'), `trust.test ${ed25519}\n192.0.2.9 ${other}\n`);
  privateFile(file('known.none'), '# none\n');
  privateFile(file('list'), `# revoked\n${other}\n${ed25519} comment\n`);
  privateFile(file('list.other'), `${other}\n`);
  privateFile(file('list.damaged'), `${ed25519.slice(0, -9)}\n`);
  privateFile(file('list.empty'), '');
  privateFile(file('host.pub'), `${ed25519}\n`);
  for (const [krl, key] of [
    ['krl', 'host.pub'],
    ['krl.other', 'other.pub'],
  ] as const)
    execFileSync('ssh-keygen', ['-q', '-k', '-f', file(krl), file(key)]);
  privateFile(file('krl.damaged'), execFileSync('head', ['-c', '20', file('krl')]).toString('latin1'));
  privateFile(file('command'), `#!/bin/sh\necho 'trust.test ${ed25519}'\n`, 0o700);
});

/** Lines of the configuration (`D` is the folder), ssh's verdict, gatepost's if it differs, and words of its error. */
const CASES: readonly (readonly [
  lines: string,
  ssh: 'in' | 'out',
  gatepost?: 'in' | 'out',
  words?: RegExp,
])[] = [
  ['', 'in'],
  ['RevokedHostKeys D/list', 'out', 'out', /host key revoked: .*list \(RevokedHostKeys\)/],
  ['RevokedHostKeys D/list.other', 'in'],
  ['RevokedHostKeys D/list.damaged', 'out', 'out', /RevokedHostKeys cannot be read at .*: line 1/],
  ['RevokedHostKeys D/list.empty', 'in'],
  ['RevokedHostKeys D/krl', 'out', 'out', /host key revoked: .*krl \(RevokedHostKeys\)/],
  ['RevokedHostKeys D/krl.other', 'in'],
  ['RevokedHostKeys D/krl.damaged', 'out', 'out', /RevokedHostKeys cannot be read/],
  ['RevokedHostKeys D/no.such.file', 'out', 'out', /RevokedHostKeys cannot be read at .*no\.such\.file/],
  ['RevokedHostKeys none', 'in'],
  ['UserKnownHostsFile D/known.none', 'out', 'out', /host key unknown/],
  ['UserKnownHostsFile D/known.none D/known', 'in'],
  ['UserKnownHostsFile D/no.such.file\nGlobalKnownHostsFile D/known', 'in'],
  ['UserKnownHostsFile none\nGlobalKnownHostsFile none', 'out'],
  ['UserKnownHostsFile D/known.alias\nHostKeyAlias alias', 'in'],
  ['UserKnownHostsFile D/known\nHostKeyAlias alias', 'out'],
  ['HostKeyAlgorithms rsa-sha2-512\nUserKnownHostsFile D/known', 'out', 'out', /host key (changed|unknown)/],
  ['HostKeyAlgorithms rsa-sha2-512\nUserKnownHostsFile D/known.rsa', 'in'],
  ['HostKeyAlgorithms ssh-rsa\nUserKnownHostsFile D/known.rsa', 'out'],
  ['HostKeyAlgorithms -ssh-ed25519\nUserKnownHostsFile D/known.both', 'in'],
  ['RequiredRSASize 8192\nUserKnownHostsFile D/known.rsa', 'out', 'out', /host key too short: .* 3072 bits/],
  ['RequiredRSASize 3072\nUserKnownHostsFile D/known.rsa', 'in'],
  ['UserKnownHostsFile D/known.address', 'in'],
  ['CheckHostIP yes\nUserKnownHostsFile D/known.address', 'out', 'out', /host key changed/],
  ['CheckHostIP yes', 'in'],
  ['StrictHostKeyChecking yes', 'in'],
  // The check cannot be disabled: each directive is named.
  [
    'StrictHostKeyChecking no\nUserKnownHostsFile D/known.none',
    'in',
    'out',
    /host key unknown: .*StrictHostKeyChecking (no|false) is not followed/,
  ],
  ['StrictHostKeyChecking accept-new\nUserKnownHostsFile D/known.none2', 'in', 'out'],
  [
    'HostName 127.0.6.1\nNoHostAuthenticationForLocalhost yes\nUserKnownHostsFile D/known.none',
    'in',
    'out',
    /host key unknown: .*NoHostAuthenticationForLocalhost yes is not followed/,
  ],
  [
    'KnownHostsCommand D/command\nUserKnownHostsFile D/known.none',
    'in',
    'out',
    /sets KnownHostsCommand .*which ssh2 cannot run/,
  ],
];

describe('a host key, with ssh as the judge', () => {
  for (const [lines, ssh, gatepost = ssh, words = /./] of CASES)
    it(`is judged by ${lines.replaceAll('\n', ', ') || 'known_hosts alone'}: ${gatepost}`, async () => {
      const text = `Host *\n${lines.replaceAll('D/', `${directory}/`)}\nUser root\nIdentityFile ${file('id')}\nUserKnownHostsFile ${file('known')}\n`;
      privateFile(file('known.none'), '# none\n'); // ssh adds to it
      const { error, ...verdicts } = await judge(privateFile(file('config'), text), 'trust.test');
      assert.deepEqual(verdicts, { ssh, gatepost }, error);
      if (gatepost === 'out') assert.match(error ?? '', words);
    });
});

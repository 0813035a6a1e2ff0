/**
 * Every SSH failure in the table, provoked with real sshd, agents and networks: it is recognized, and the fix is right.
 */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { diagnose } from '../../../lib/diagnosis/diagnose.ts';
import { rowFor } from '../../../lib/diagnosis/row.ts';
import { SSH } from '../../../lib/diagnosis/ssh-failures.ts';
import type { Hop } from '../../../lib/ssh/hops.ts';
import { SshError } from '../../../lib/util/errors.ts';
import { droppingAddress } from '../../lab/faults/vanishing-packets.ts';
import { connect } from './connect.ts';
import { startOldServer } from './old-server.ts';
import { hopTo, keygen, privateFile, publicKey, type Sshd, startSshd } from './sshd.ts';

const directory = mkdtempSync(join(tmpdir(), 'gatepost-ssh-'));
after(() => rmSync(directory, { recursive: true }));
const file = (name: string) => join(directory, name);
const key = file('id');
for (const name of ['id', 'stranger', 'stranger2', 'open']) keygen(file(name));
keygen(file('locked'), '-N', 'secret');
keygen(file('rsa'), '-t', 'rsa');
privateFile(file('ppk'), 'PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n');
chmodSync(file('open'), 0o644);
privateFile(
  file('fido'),
  '-----BEGIN OPENSSH PRIVATE KEY-----\nc2stc3NoLWVkMjU1MTk=\n-----END OPENSSH PRIVATE KEY-----\n',
);

// There is no route to 203.0.113.0/24, and no DNS server answers.
const nowhere = droppingAddress();
privateFile(file('resolv.conf'), 'nameserver 127.0.0.1\n', 0o644);
execFileSync('sh', [
  '-ec',
  `ip route add unreachable 203.0.113.0/24
   mount --bind ${file('resolv.conf')} /etc/resolv.conf`,
]);

let used = 10;
const next = () => {
  used += 1;
  return used;
};
/** Starts a separate server; returns the hop to it. */
async function server(config = '', other: Partial<Hop> = {}): Promise<Hop> {
  const at = `127.0.2.${next()}`;
  const made: Sshd = await startSshd(file(at), at, publicKey(key), { config });
  const known = privateFile(file(`${at}.known`), `${at} ${made.hostKeys.ed25519}\n`);
  return hopTo('proxy', made, key, known, other);
}
const good = await server();
const jump = { ...(await server()), label: 'jump host j' };
const closed = { ...(await server('AllowTcpForwarding no')), label: 'jump host j' };
const elsewhere = (host: string, port = 22): Hop => ({ ...good, host, port });

/** Starts a listener with its own greeting. */
async function listener(greet: (socket: Socket) => void): Promise<Hop> {
  const made = createServer((socket) => {
    socket.on('error', () => {}).unref();
    greet(socket);
  });
  await new Promise<void>((resolve) => void made.listen(0, '127.0.0.1', resolve));
  made.unref();
  return elsewhere('127.0.0.1', (made.address() as { port: number }).port);
}

const reach = async (hops: readonly Hop[]) => (await connect(hops)).close();
const run = async (hops: readonly Hop[], command: string, limitMs?: number) => {
  const connection = await connect(hops);
  try {
    const { lost } = await connection.run(command, '', undefined, limitMs);
    throw lost ?? new Error('it ran');
  } finally {
    connection.close();
  }
};

/** A host with only a certificate, from an unknown authority. */
async function certified(): Promise<Hop> {
  keygen(file('authority'));
  keygen(file('certified'));
  execFileSync('ssh-keygen', ['-q', '-s', file('authority'), '-I', 'x', '-h', `${file('certified')}.pub`]);
  const config = `HostKey ${file('certified')}\nHostCertificate ${file('certified')}-cert.pub`;
  return server(`${config}\nHostKeyAlgorithms ssh-ed25519-cert-v01@openssh.com`);
}

/** A host whose only key is RSA. */
async function rsaOnly(): Promise<Hop> {
  const at = `127.0.2.${next()}`;
  const made = await startSshd(file(at), at, publicKey(key), { types: ['rsa'] });
  return hopTo('proxy', made, key, privateFile(file(`${at}.known`), `${at} ${made.hostKeys.rsa}\n`));
}

const MODERN = ['ssh-ed25519', 'rsa-sha2-512', 'rsa-sha2-256'];

/** An old server whose host key signs only with SHA-1; it accepts logins without a key. */
async function sha1HostKey(other: Partial<Hop>): Promise<Hop> {
  const config = { acceptsNone: true, algorithms: { serverHostKey: ['ssh-rsa' as const] } };
  const port = await startOldServer(file('rsa'), config);
  const { knownHosts } = known(`[127.0.0.1]:${port} ${publicKey(file('rsa'))}\n`);
  return { ...elsewhere('127.0.0.1', port), hostKeyName: '127.0.0.1', knownHosts, ...other };
}

const known = (lines: string) => ({ knownHosts: [privateFile(file(`known.${next()}`), lines)] });
const hostKey = (hop: Hop) => publicKey(file(`${hop.host}/host_ed25519`));

/** The row, how to provoke it, and what the advice must name. */
const FAILURES: readonly (readonly [says: string, provoke: () => Promise<unknown>, next: RegExp])[] = [
  ['host key unknown', () => reach([{ ...good, ...known('# none\n') }]), /echo '127\.0\.2\./],
  [
    'host key changed',
    () => reach([{ ...good, ...known(`${good.host} ${publicKey(file('stranger'))}\n`) }]),
    /ssh-keygen -R/,
  ],
  [
    'host key revoked',
    () => reach([{ ...good, ...known(`@revoked * ${hostKey(good)}\n`) }]),
    /new host keys/,
  ],
  [
    'RevokedHostKeys cannot be read',
    () => reach([{ ...good, revokedHostKeys: file('none') }]),
    /list of public keys or KRL/,
  ],
  [
    'host key too short',
    async () => reach([{ ...(await rsaOnly()), requiredRsaSize: 8192 }]),
    /ssh-keygen -A/,
  ],
  [
    'the SSH configuration sets KnownHostsCommand, which ssh2 cannot run',
    () => reach([{ ...good, beyondSsh2: ['KnownHostsCommand /bin/true'] }]),
    /SSH_TRANSPORT/,
  ],
  [
    'no known_hosts file; known_hosts cannot be read',
    () => reach([{ ...good, knownHosts: [file('none')] }]),
    /compare the fingerprint/,
  ],
  [
    'no known_hosts file; known_hosts cannot be read',
    () => reach([{ ...good, knownHosts: [directory] }]),
    /ls -ld/,
  ],
  [
    'no key to log in with',
    () => reach([{ ...good, keys: [file('none')], keyIsExplicit: false }]),
    /ssh-add/,
  ],
  ['the key … is encrypted', () => reach([{ ...good, keys: [file('locked')] }]), /ssh-add .*locked/],
  ...(['none', 'open', 'id.pub', 'fido', 'ppk', '.'] as const).map(
    (name) =>
      [
        'the key … cannot be used; has wrong mode; is a public key',
        () => reach([{ ...good, keys: [file(name)] }]),
        /private key|chmod 600|ed25519|puttygen/,
      ] as const,
  ),
  [
    'the SSH agent at … is gone',
    () => reach([{ ...good, keys: [file('none')], keyIsExplicit: false, agent: file('gone') }]),
    /ssh-agent/,
  ],
  [
    'accepts connections but sends no data',
    async () => reach([await listener(() => {})]),
    /load of the host/,
  ],
  [
    'is not an SSH server, or rejects the connection',
    async () => reach([await listener((socket) => socket.write('220 mail ready\r\n'))]),
    /Check the port/,
  ],
  [
    'is not an SSH server, or rejects the connection',
    async () => reach([await listener((socket) => socket.end('Not allowed at this time\r\n'))]),
    /wait a minute/,
  ],
  [
    'no matching key exchange algorithm',
    async () => reach([await server('KexAlgorithms sntrup761x25519-sha512@openssh.com')]),
    /curve25519-sha256/,
  ],
  ['no matching host key format', async () => reach([await certified()]), /ed25519, ECDSA or RSA host key/],
  [
    'no matching host key format',
    async () => reach([await sha1HostKey({ hostKeyAlgorithms: MODERN })]),
    /HostKeyAlgorithms \+ssh-rsa/,
  ],
  [
    'Tailscale SSH does not let in user',
    async () => {
      const port = await startOldServer(file(`${good.host}/host_ed25519`), { ident: 'Tailscale' });
      return reach([elsewhere('127.0.0.1', port)]);
    },
    /"action": "accept".*`ssh -p \d+ root@127\.0\.0\.1`/,
  ],
  ['no matching C->S cipher; MAC', async () => reach([await server('Ciphers 3des-cbc')]), /Ciphers/],
  [
    'no matching C->S cipher; MAC',
    async () => reach([await server('Ciphers aes128-ctr\nMACs umac-64@openssh.com')]),
    /MACs/,
  ],
  [
    'Too many authentication failures',
    async () => {
      const keys = [file('stranger'), file('stranger2')];
      return reach([await server('MaxAuthTries 1', { keys, keyIsExplicit: false })]);
    },
    /right key/,
  ],
  [
    'the host accepts RSA keys only with SHA-1 signatures',
    async () => {
      const old = elsewhere('127.0.0.1', await startOldServer(file(`${good.host}/host_ed25519`)));
      return reach([{ ...old, keys: [file('rsa')] }]);
    },
    /PubkeyAcceptedAlgorithms \+ssh-rsa/,
  ],
  [
    'no key accepted for user',
    () => reach([{ ...good, keys: [file('stranger')] }]),
    /ssh-copy-id -p 22 root@127\.0\.2\./,
  ],
  [
    'no key accepted for user',
    async () =>
      reach([
        await server(
          'AuthenticationMethods publickey,keyboard-interactive\nKbdInteractiveAuthentication yes',
        ),
      ]),
    /authorized_keys/,
  ],
  [
    'the ProxyCommand ended',
    () => reach([{ ...good, proxyCommand: "sh -c 'echo no tunnel >&2; exit 3'" }]),
    /`ssh -v -p 22 root@127/,
  ],
  ['connection reset', async () => reach([await listener((socket) => socket.resetAndDestroy())]), /fail2ban/],
  [
    'connection reset',
    async () => reach([await listener((socket) => void setTimeout(() => socket.resetAndDestroy(), 300))]),
    /fail2ban/,
  ],
  [
    'connection lost during the handshake; during login',
    async () => reach([await listener((socket) => socket.end('SSH-2.0-x\r\n'))]),
    /ssh -v -p/,
  ],
  [
    'connection lost during the handshake; during login',
    async () => {
      const config = 'LoginGraceTime 1\nAuthorizedKeysCommand /bin/sleep 9\nAuthorizedKeysCommandUser root';
      return reach([await server(config, { keys: [file('stranger')] })]);
    },
    /ssh -v -p/,
  ],
  ['the name does not resolve', () => reach([elsewhere(`${'x'.repeat(64)}.invalid`)]), /getent hosts x/],
  [
    'the name does not resolve: the DNS server does not answer',
    () => reach([elsewhere('nowhere.invalid')]),
    /network and DNS/,
  ],
  ['connection refused', () => reach([elsewhere('127.0.2.1', 9)]), /systemctl status ssh/],
  ['connection timed out', () => reach([elsewhere(nowhere)]), /nc -vz 198\.51\.100\.1 22/],
  ['no route to the host', () => reach([elsewhere('203.0.113.1')]), /VPN/],
  ['no route to the host', () => reach([elsewhere('192.0.2.1')]), /VPN/],
  [
    'forwarding to … is prohibited; administratively prohibited',
    () => reach([closed, good]),
    new RegExp(`sshd_config of ${closed.host}: AllowTcpForwarding yes, and PermitOpen ${good.host}:22`),
  ],
  [
    'cannot be reached from the jump host',
    () => reach([jump, elsewhere('127.0.2.1', 9)]),
    /Check on the jump host: `nc -vz 127\.0\.2\.1 9`/,
  ],
  [
    'cannot be reached from the jump host',
    () => reach([jump, elsewhere(nowhere)]),
    /Check on the jump host: `nc -vz 198\.51\.100\.1 22`/,
  ],
  [
    'connection lost: no answer to keepalives; closed; reset by the other side',
    () => run([good], 'kill -9 $PPID; exec sleep 9'),
    /run the same command again to see/,
  ],
  [
    'refuses to run a command',
    async () => run([await server('MaxSessions 0')], 'true'),
    /MaxSessions in sshd_config of 127/,
  ],
  ['gave up on the command', () => run([good], 'exec sleep 9', 200), /still be running/],
];

const met = new Set<string>();

describe('an SSH failure', { concurrency: true }, () => {
  for (const [says, provoke, next] of FAILURES)
    test(`reports: ${says}`, async () => {
      const error = await provoke().then(
        () => assert.fail('nothing failed'),
        (reason: unknown) => reason,
      );
      assert.ok(error instanceof SshError, `${error}`);
      const { message: text, advice } = error;
      const row = rowFor(SSH, text);
      assert.equal(row?.error, says, text);
      assert.match(advice, next);
      assert.deepEqual(diagnose({ code: 'ssh', text, advice }), { cause: row?.cause, fix: advice });
      assert.doesNotMatch(advice, /\b(HOST|PORT|USER|JUMP)\b/);
      met.add(says);
    });
});

test('HostKeyAlgorithms +ssh-rsa accepts a server whose host key signs only with SHA-1', async () => {
  await reach([await sha1HostKey({ hostKeyAlgorithms: [...MODERN, 'ssh-rsa'] })]);
});

test('every row was provoked', () => {
  assert.deepEqual(
    SSH.flatMap(({ error }) => (met.has(error) ? [] : error)),
    [],
  );
});

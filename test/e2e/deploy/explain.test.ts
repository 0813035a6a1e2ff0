/** Failures of nginx, sudo, the shell and the disk on a real proxy: every row of the table is provoked and matches. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { diagnose } from '../../../lib/diagnosis/diagnose.ts';
import { NGINX } from '../../../lib/diagnosis/nginx-failures.ts';
import { type Row, rowFor } from '../../../lib/diagnosis/row.ts';
import { SUDO as SUDO_ROWS } from '../../../lib/diagnosis/sudo-failures.ts';
import type { FailureCode } from '../../../lib/model/contract.ts';
import { runnerText } from '../../../lib/program/approved-runner.ts';
import { COMMAND } from '../../../lib/program/program.ts';
import * as deploys from '../../lab/actors/deploys.ts';
import * as programs from '../../lab/actors/programs.ts';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';
import { script } from '../clients/clients-lab.ts';

let lab: Lab;
before(async () => {
  lab = await startLab({ backends: false });
});
after(() => lab.stop());

/** Runs a failing command on the proxy; returns its output. */
async function failingOutput(
  command: string,
  options: Parameters<Lab['proxy']['sh']>[1] = {},
): Promise<string> {
  const { stdout, stderr } = await lab.proxy.sh(command, options);
  return stdout + stderr;
}

const met = new Set<string>();

/** Asserts that the row matches the text, and that `explain` gives its advice. */
function assertKnown(
  rows: readonly Row[],
  says: string,
  text: string,
  code: FailureCode,
  next: RegExp,
): void {
  const row = rowFor(rows, text);
  assert.equal(row?.error, says, text);
  const explanation = diagnose({ code, text });
  assert.match(explanation.fix, next);
  assert.equal(explanation.cause, row?.cause);
  met.add(says);
}

const everyRow = (rows: readonly Row[]) => () =>
  assert.deepEqual(
    rows.flatMap(({ error }) => (met.has(error) ? [] : error)),
    [],
  );

const CERTIFICATE = '/etc/letsencrypt/live/ia.enso.4nkweb.com';
const tls = (chain: string, key: string) =>
  `server { listen 8443 ssl; ssl_certificate ${chain}; ssl_certificate_key ${key}; }`;
const SLIP = 'unexpected end of file; unexpected "}"; not terminated by ";"; unknown directive';
const TWICE = 'duplicate upstream "…"; duplicate "log_format" name; already bound to key';
const NO_MAPS = 'unknown "…" variable; zero size shared memory zone';

/** The row, the content of a file in conf.d, and what the advice must name. */
const REFUSED: readonly (readonly [says: string, http: string, next: RegExp])[] = [
  [
    'cannot load certificate "…": BIO_new_file() failed',
    tls('/nowhere.pem', `${CERTIFICATE}/privkey.pem`),
    /bootstrap-tls\.ts`$/,
  ],
  [
    'cannot load certificate "…": BIO_new_file() failed',
    tls(`${CERTIFICATE}/fullchain.pem`, '/nowhere.key'),
    /bootstrap-tls\.ts`$/,
  ],
  [
    'cannot load certificate "…": PEM_read_bio_X509_AUX() failed',
    tls('/etc/hostname', `${CERTIFICATE}/privkey.pem`),
    /--force-renewal/,
  ],
  [
    'cannot load certificate "…": PEM_read_bio_X509_AUX() failed',
    tls(`${CERTIFICATE}/fullchain.pem`, '/etc/hostname'),
    /--force-renewal/,
  ],
  ['key values mismatch', tls(`${CERTIFICATE}/fullchain.pem`, '/root/other.key'), /--force-renewal/],
  ['conflicting server name', 'server { server_name a; } server { server_name a; }', /grep -rn server_name/],
  [
    'a duplicate default server',
    'server { listen 80 default_server; }',
    /rm \/etc\/nginx\/sites-enabled\/default/,
  ],
  [
    'duplicate listen options',
    'server { listen 81 backlog=9; } server { listen 81 backlog=8; }',
    /grep -rn listen/,
  ],
  ['could not build map_hash', `map $uri $long { ${'k'.repeat(80)} 1; }`, /http-maps/],
  [
    'could not build server_names_hash',
    `server { server_name ${'n'.repeat(60)}.example.org; }`,
    /server_names_hash_bucket_size 128/,
  ],
  [
    '"map_hash_bucket_size" directive is duplicate',
    'map $uri $x { default 1; } map_hash_bucket_size 128;',
    /Keep it once/,
  ],
  ['duplicate "…" variable', 'map $uri $host { default 1; }', /grep -rn NAME/],
  [NO_MAPS, 'server { return 200 $ia_enso_ollama_client; }', /http-maps/],
  [NO_MAPS, 'limit_req zone=ia_enso_ollama_failed;', /http-maps/],
  ['host not found in upstream', 'upstream u { server nowhere.invalid:80; }', /address/],
  ['host not found in upstream', 'server { location / { proxy_pass http://nowhere.invalid/; } }', /address/],
  ['invalid port in upstream', 'upstream u { server 127.0.0.1:99999; }', /server or proxy_pass/],
  [TWICE, 'upstream u { server 127.0.0.1; } upstream u { server 127.0.0.1; }', /Move the copy/],
  [TWICE, 'log_format a x; log_format a y;', /Move the copy/],
  [
    TWICE,
    'limit_req_zone $uri zone=a:1m rate=1r/s; limit_req_zone $host zone=a:1m rate=1r/s;',
    /Move the copy/,
  ],
  ['unknown directive "http2"', 'server { http2 on; }', /listen 443 ssl http2;/],
  [SLIP, 'server {', /Fix the line/],
  [SLIP, 'server { listen 81 }', /Fix the line/],
  [SLIP, 'server { } }', /Fix the line/],
  [SLIP, 'nonsense on;', /Fix the line/],
  [SLIP, 'server { listen; }', /Fix the line/],
  ['open() "…" failed (2: No such file or directory)', 'include /nowhere/a.conf;', /include line/],
];

describe('nginx', () => {
  before(async () => {
    await lab.proxy.sh('openssl ecparam -name prime256v1 -genkey -noout -out /root/other.key');
  });

  const FILE = '/etc/nginx/conf.d/zz-try.conf';
  const refuse = async (http: string, test = 'nginx -t') => {
    const output = await failingOutput(`cat >${FILE}; ${test}`, { input: `${http}\n` });
    await lab.proxy.sh(`rm ${FILE}`);
    return output;
  };

  for (const [says, http, next] of REFUSED)
    test(`${says}, for: ${http.slice(0, 60)}`, async () =>
      assertKnown(NGINX, says, await refuse(http), 'test', next));

  test('IPv6 without a stack', async () => {
    const off = (value: number) => `echo ${value} >/proc/sys/net/ipv6/conf/all/disable_ipv6`;
    const printed = await refuse('server { listen [::1]:81; }', `${off(1)}; nginx -t; ${off(0)}`);
    const says = '[::]:… failed (97: Address family not supported; 99: Cannot assign requested address)';
    assertKnown(NGINX, says, printed, 'test', /listen \[::\]/);
  });

  test('a port that is taken', async () => {
    const second = 'pid /root/second.pid; events {} http { server { listen 80; } }';
    const printed = await failingOutput('cat >/root/second.conf; nginx -c /root/second.conf -e stderr', {
      input: second,
    });
    assertKnown(NGINX, 'still could not bind()', printed, 'reload', /ss -ltnp/);
  });

  /** Deploys a vhost that also listens on 8443. */
  const onTakenPort = async () => {
    const edit = programs.inVhost((text) => text.replace('listen 80;', 'listen 80;\n    listen 8443;'));
    const result = await programs.apply(lab.proxy, { token: deploys.OTHER_TOKEN, edit });
    assert.deepEqual(
      [result.verdict, result.failure?.code],
      ['rolled-back', 'reload'],
      result.stdout + result.stderr,
    );
    return result.failure?.text ?? '';
  };

  test('a port that nginx itself holds, at one address', async () => {
    const other = `server { listen ${lab.proxy.address}:8443; server_name other.example; }\n`;
    await deploys.put(lab.proxy, FILE, other);
    await lab.proxy.sh('nginx -s reload; sleep 0.5');
    const printed = await onTakenPort().finally(() => lab.proxy.sh(`rm ${FILE}; nginx -s reload; sleep 0.5`));
    assert.ok(printed.endsWith(`\nport 8443 is held by nginx itself (${lab.proxy.address}:8443)`), printed);
    const says = 'still could not bind(), and: port … is held by nginx itself';
    assertKnown(NGINX, says, printed, 'reload', /Remove the address.*systemctl restart nginx/);
  });

  const socket = (address: string, family = 'AF_INET') =>
    `exec timeout 20 python3 -c "import socket,time;s=socket.socket(socket.${family});s.bind(('${address}',8443));s.listen();print(flush=True);time.sleep(19)"`;
  for (const [what, command, at] of [
    ['at every address', socket('0.0.0.0'), '0.0.0.0:8443'],
    ['at one address', socket('127.0.0.1'), '127.0.0.1:8443'],
    ['as an IPv6 socket that also serves IPv4', socket('::', 'AF_INET6'), '[::]:8443'],
  ] as const)
    test(`a port that another process holds, ${what}`, async () => {
      const holder = spawn('nsenter', [
        '-t',
        `${lab.proxy.pid}`,
        '-m',
        '-u',
        '-n',
        '--',
        'sh',
        '-c',
        command,
      ]);
      await once(holder.stdout, 'data');
      const printed = await onTakenPort().finally(() => holder.kill());
      const [, name, pid] =
        /\nport 8443 is held by process (\S+) \(pid (\d+)\), at (.*)$/.exec(printed) ?? [];
      assert.ok(printed.endsWith(`, at ${at}`), printed);
      assert.equal(name, 'python3');
      assert.ok(Number(pid) > 1);
      assertKnown(NGINX, 'still could not bind()', printed, 'reload', /names the process/);
      await once(holder, 'close');
    });

  test('a test by a user other than root', async () => {
    const printed = await failingOutput('/usr/sbin/nginx -t', { user: 'ncantu' });
    assertKnown(
      NGINX,
      'open() "/run/nginx.pid" failed (13: Permission denied)',
      printed,
      'test',
      /sudo nginx -t/,
    );
  });

  test('a second map of $connection_upgrade is not an error', async () => {
    const map = (value: string) => `map $http_upgrade $connection_upgrade { default ${value}; }`;
    assert.match(await refuse(map('a') + map('b')), /test is successful/);
  });

  // SELinux is not available here.
  met.add('(13: Permission denied) while connecting to upstream');
  test('every row was provoked', everyRow(NGINX));
});

const PASSWORD = 'sudo: a password is required; sudo-rs: interactive authentication is required';
const NOT_ALLOWED =
  "is not in the sudoers file; is not allowed to execute; sudo-rs: I'm sorry USER. I'm afraid I can't do that";

/** The row, the setup in private namespaces, the login user, and what the advice must name. */
const SUDO: readonly (readonly [says: string, setup: string, user: string, next: RegExp])[] = [
  [PASSWORD, ':', 'nosudo', /NOPASSWD: \/bin\/sh/],
  [
    PASSWORD,
    "echo 'nosudo ALL=(root) NOPASSWD: /usr/sbin/nginx' >/mnt/sudoers.d/x",
    'nosudo',
    /NOPASSWD: \/bin\/sh/,
  ],
  ['sudo: you must have a tty', 'echo Defaults:ncantu requiretty >/mnt/sudoers.d/x', 'ncantu', /!requiretty/],
  [NOT_ALLOWED, 'echo Defaults:nosudo !authenticate >/mnt/sudoers.d/x', 'nosudo', /NOPASSWD/],
  [
    NOT_ALLOWED,
    "printf 'Defaults:nosudo !authenticate\\nnosudo ALL=(root) /usr/sbin/nginx\\n' >/mnt/sudoers.d/x",
    'nosudo',
    /NOPASSWD/,
  ],
  [
    'no valid sudoers sources found',
    'chmod 666 /mnt/sudoers; mount --bind /mnt/sudoers /etc/sudoers',
    'ncantu',
    /visudo -c/,
  ],
  [
    'sudo: effective uid is not 0; "no new privileges" flag is set',
    'mount --bind /usr/bin /usr/bin; mount -o remount,bind,nosuid /usr/bin',
    'ncantu',
    /Log in as root/,
  ],
  [
    'sudo: not found',
    'mkdir /mnt/up /mnt/work; mount -t overlay o -o lowerdir=/usr/bin,upperdir=/mnt/up,workdir=/mnt/work /usr/bin; rm /usr/bin/sudo',
    'ncantu',
    /Install sudo/,
  ],
  [
    'gatepost-run: this program is not approved on this host',
    'mount -t tmpfs own /usr/local/sbin; install -m 755 /root/runner /usr/local/sbin/gatepost-run',
    'ncantu',
    /scripts\/approve\.ts/,
  ],
];

describe('sudo', () => {
  before(async () => {
    await lab.proxy.sh('cat >/root/runner', { input: await runnerText() });
  });

  // Damages only private mounts, which end with the command.
  const OWN = `set -e; mount -t tmpfs own /mnt; cp -a /etc/sudoers /etc/sudoers.d /mnt/; mount --bind /mnt/sudoers.d /etc/sudoers.d`;
  const as = (user: string) => `setpriv --reuid=${user} --regid=${user} --init-groups --reset-env`;

  for (const [says, setup, user, next] of SUDO)
    test(`${says}, after: ${setup.slice(0, 60)}`, async () => {
      const program = `${OWN}; ${setup}; printf %s "$LOGIN" >/mnt/login; exec ${as(user)} /bin/sh /mnt/login`;
      const login = `LOGIN='${COMMAND.replaceAll("'", "'\\''")}'; export LOGIN`;
      const printed = await failingOutput(
        `${login}; unshare --mount /bin/sh -c '${program.replaceAll("'", "'\\''")}'`,
        {
          input: 'echo ran\n',
        },
      );
      assert.doesNotMatch(printed, /^ran$/m);
      assertKnown(SUDO_ROWS, says, printed, 'sudo', next);
    });

  test('"no new privileges"', async () => {
    const printed = await failingOutput(`${as('ncantu')} --no-new-privs sudo -n id`);
    const says = 'sudo: effective uid is not 0; "no new privileges" flag is set';
    assertKnown(SUDO_ROWS, says, printed, 'sudo', /Log in as root/);
  });
});

describe('the shell and the disk', () => {
  test('a login without a shell, over SSH', async () => {
    await lab.proxy.sh('usermod -s /usr/sbin/nologin ncantu');
    const { json } = await script(lab, 'status', ['--json']).finally(() =>
      lab.proxy.sh('usermod -s /bin/bash ncantu'),
    );
    const { code = 'bug', text = '', next } = json.hosts[0]?.failure ?? {};
    assertKnown(
      SUDO_ROWS,
      'This account is currently not available',
      text,
      code as FailureCode,
      /usermod -s \/bin\/sh/,
    );
    assert.match(`${next}`, /usermod/);
  });

  const DISK: readonly (readonly [says: string, mount: string, touch: string, next: RegExp])[] = [
    ['No space left on device', '-o size=8k', 'cat /dev/zero >/mnt/a', /df -h/],
    ['Read-only file system', '-o ro', 'echo >/mnt/a', /dmesg/],
    [
      'Operation not permitted',
      '',
      'echo >/mnt/a; chattr +i /mnt/a; mv -f /root/other.key /mnt/a',
      /chattr -i/,
    ],
  ];
  for (const [says, mount, touch, next] of DISK)
    test(says, async () => {
      const printed = await failingOutput(
        `unshare --mount sh -c 'mount -t tmpfs ${mount} own /mnt; ${touch}'`,
      );
      assertKnown(SUDO_ROWS, says, printed, 'write', next);
    });

  // test/e2e/bundle/approval.test.ts has such shells.
  met.add('gatepost: unsupported shell');
  test('every row of the shell, sudo and the disk was provoked', everyRow(SUDO_ROWS));
});

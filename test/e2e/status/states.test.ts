/** status.ts on a proxy in each of its states, all of them real. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { faultsOf } from '../../../lib/commands/views/status-view.ts';
import { statusProgram } from '../../../lib/program/history-programs.ts';
import { type Status, statusOf } from '../../../lib/remote/status.ts';
import { clientFileText } from '../../lab/actors/client-files.ts';
import * as deploys from '../../lab/actors/deploys.ts';
import * as programs from '../../lab/actors/programs.ts';
import { caConfig, validityArgs } from '../../lab/certificates/openssl-ca.ts';
import { type Host, type Lab, startLab } from '../../lab/namespaces/lab.ts';
import { bootstrap, WITH_TOKEN } from '../certificates/bootstrap-lab.ts';
import { script } from '../clients/clients-lab.ts';

let lab: Lab;
let first: Host;
let second: Host;
before(async () => {
  lab = await startLab({ proxies: 2, certificate: 'none' });
  await lab.startAcme();
  [first, second] = lab.proxies as [Host, Host];
});
after(() => lab.stop());

/** The current status of a host, from the script's program. */
async function currentStatus(host = first): Promise<Status> {
  const result = await programs.execute(host, await statusProgram(programs.site, 'everything'));
  assert.equal(result.verdict, 'unchanged', result.stdout + result.stderr);
  assert.equal(result.stderr, '');
  return statusOf(result, programs.site, new Date().toISOString());
}
const root = async (command: string, host = first) => {
  const { status, stderr } = await host.sh(`set -e; ${command}`);
  assert.equal(status, 0, stderr);
};
/** The vhost's errors go to stderr: nginx keeps the stderr that it was started with. */
const START = 'nginx 2>/dev/null';
const about = (status: Status) => faultsOf(status).map((fault) => fault.about);

test('nothing deployed: no vhost, no certificate, no fault', async () => {
  const status = await currentStatus();
  const { vhost, certificate, upgrade, releases, backends } = status;
  assert.deepEqual([vhost, certificate, upgrade, releases, backends], [undefined, undefined, [], [], []]);
  assert.deepEqual(about(status), []);
});

test('a bootstrap without a certificate: the HTTP-only vhost, and the command to run', async () => {
  const { status: exit } = await bootstrap(lab, [], {
    env: { ...WITH_TOKEN, ACME_DIRECTORY_URL: 'https://ca.gatepost.test:9/dir' },
  });
  assert.equal(exit, 1);
  const status = await currentStatus();
  assert.equal(status.vhost, 'http-only');
  assert.equal(status.releases[0]?.kind, 'HTTP-only vhost');
  assert.deepEqual(about(status), ['TLS']);
  assert.match(faultsOf(status)[0]?.text ?? '', /without a certificate.*bootstrap-tls/);
});

test('the full site with a CA certificate that certbot renews', async () => {
  const { status: exit, stderr } = await bootstrap(lab, ['--no-verify'], { env: WITH_TOKEN });
  assert.equal(exit, 0, stderr);
  const status = await currentStatus();
  assert.equal(status.vhost, 'tls');
  assert.equal(status.certificate?.kind, 'ca');
  assert.equal(status.certificate?.names, deploys.SITE);
  assert.deepEqual(status.renewal, {
    by: 'certbot',
    authenticator: 'webroot',
    webroot: '/var/www/certbot',
    schedule: 'timer',
    hook: true,
  });
  assert.deepEqual(status.upgrade, [deploys.WEBSOCKET]);
  assert.deepEqual(about(status), []);
});

const HOOK = '/etc/letsencrypt/renewal-hooks/deploy/gatepost-reload-nginx';
const RENEWAL = `/etc/letsencrypt/renewal/${deploys.SITE}.conf`;
const SYSTEMCTL = '/usr/local/bin/systemctl';
const CHAIN = `/etc/letsencrypt/live/${deploys.SITE}/fullchain.pem`;
const BEARERS = '/etc/nginx/ia-enso-bearers';
const JOURNAL = `/var/lib/gatepost/${deploys.SITE}/journal`;
const keep = (file: string) => `rm -rf /root/kept; cp -a ${file} /root/kept`;
const back = (file: string) => `rm -f ${file}; cp -a /root/kept ${file}`;
const noTimer = `mv ${SYSTEMCTL} /root/kept; printf '#!/bin/sh\\necho inactive\\nexit 3\\n' >${SYSTEMCTL}; chmod 755 ${SYSTEMCTL}`;

/** Replaces the site's certificate with one for the same key that expires in this many days. */
const newCertificate = (days: number) =>
  `cp -P ${CHAIN} /root/kept; rm ${CHAIN}; cd /root/ca; : >index; key=${CHAIN.replace('fullchain', 'privkey')}
  openssl req -new -key $key -subj /CN=x -out request
  openssl ca -batch -selfsign -notext -config config -keyfile $key -in request -out ${CHAIN} ${validityArgs(days - 89.5, days + 0.5).join(' ')}`;

/** The fault, how to cause and undo it, the subjects of the findings, and words of the first one. */
const FAULTS: readonly (readonly [string, spoil: string, mend: string, about: string[], says: RegExp])[] = [
  [
    'no renewal hook',
    `mv ${HOOK} /root/kept`,
    back(HOOK),
    ['renewal'],
    /renewal hook of gatepost is missing or changed/,
  ],
  [
    'a hook that was edited by hand',
    `${keep(HOOK)}; echo : >>${HOOK}`,
    back(HOOK),
    ['renewal'],
    /renewal hook of gatepost/,
  ],
  [
    'a hook that is not executable',
    `${keep(HOOK)}; chmod 644 ${HOOK}`,
    back(HOOK),
    ['renewal'],
    /renewal hook of gatepost/,
  ],
  [
    'certbot’s timer is off, and Debian’s cron line leaves renewal to systemd',
    `${noTimer}; mkdir -p /run/systemd/system`,
    `${back(SYSTEMCTL)}; rm -r /run/systemd`,
    ['renewal'],
    /enable --now certbot\.timer/,
  ],
  ['no timer and no systemd, but Debian’s cron line', noTimer, back(SYSTEMCTL), [], /./],
  [
    'a certificate that certbot does not manage',
    `mv ${RENEWAL} /root/kept`,
    back(RENEWAL),
    ['renewal'],
    /will not be renewed.*--force-renewal/,
  ],
  [
    'renewal by another authenticator',
    `${keep(RENEWAL)}; sed -i 's/^authenticator.*/authenticator = standalone/' ${RENEWAL}`,
    back(RENEWAL),
    ['renewal'],
    /renews it with standalone.*--force-renewal/,
  ],
  [
    'renewal by another webroot',
    `${keep(RENEWAL)}; sed -i 's,= /var/www/certbot,= /var/www/html,' ${RENEWAL}`,
    back(RENEWAL),
    ['renewal'],
    /\/var\/www\/html, which this site may not serve/,
  ],
  [
    'a self-signed certificate, which nothing renews',
    `cp -P ${CHAIN} /root/kept; rm ${CHAIN}; openssl req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN=x -keyout /root/x -out ${CHAIN} 2>/dev/null`,
    `rm ${CHAIN}; cp -P /root/kept ${CHAIN}`,
    [],
    /./,
  ],
  [
    'another file that defines $connection_upgrade as well',
    `echo 'map $http_upgrade $connection_upgrade { default close; }' >/etc/nginx/conf.d/zz.conf`,
    'rm /etc/nginx/conf.d/zz.conf',
    ['WebSocket'],
    /defined 2 times.*last one applies.*websocket-connection-map\.conf, \/etc\/nginx\/conf\.d\/zz\.conf/,
  ],
  ['etckeeper', 'mkdir /etc/.git', 'rm -r /etc/.git', ['tokens'], /history.*\.gitignore/],
];

/** The state, how to cause and undo it, and what needs attention. */
const EXITS: readonly (readonly [what: string, spoil: string, fix: string, about: string[], exit: number])[] =
  [
    ['everything is healthy', ':', ':', [], 0],
    [
      'sudo records what the programs read',
      "echo 'Defaults log_input' >/etc/sudoers.d/record; chmod 440 /etc/sudoers.d/record",
      'rm -r /etc/sudoers.d/record /var/log/sudo-io',
      ['tokens'],
      3,
    ],
    [
      'sudo records the programs of others only',
      "printf 'Defaults log_input\\nDefaults:ncantu !log_input\\n' >/etc/sudoers.d/record; chmod 440 /etc/sudoers.d/record",
      'rm /etc/sudoers.d/record; [ ! -e /var/log/sudo-io ]',
      [],
      0,
    ],
    [
      'a file was changed by hand',
      `${keep(deploys.VHOST)}; echo '#' >>${deploys.VHOST}`,
      back(deploys.VHOST),
      ['files'],
      3,
    ],
    [
      'a file was removed by hand',
      `mv ${deploys.WEBSOCKET} /root/kept`,
      back(deploys.WEBSOCKET),
      ['nginx', 'files'],
      3,
    ],
    ['nginx is stopped', 'nginx -s stop; sleep 0.5', START, ['nginx'], 3],
    ['the certificate is missing', `mv ${CHAIN} /root/kept`, back(CHAIN), ['nginx', 'the certificate'], 3],
    ['the certificate has expired', newCertificate(-3), back(CHAIN), ['the certificate'], 3],
    ['the certificate expires in a week', newCertificate(6), back(CHAIN), ['the certificate'], 3],
    ['the certificate expires in three weeks', newCertificate(20), back(CHAIN), ['the certificate'], 3],
    [
      'no client is left',
      `rm -rf /root/kept; mv ${BEARERS} /root/kept`,
      `mv /root/kept ${BEARERS}`,
      ['clients'],
      3,
    ],
    [
      'others can read the client files',
      `chmod 755 ${BEARERS}; chmod 604 ${deploys.CLIENT}`,
      `chmod 700 ${BEARERS}; chmod 600 ${deploys.CLIENT}`,
      ['tokens'],
      3,
    ],
    ['others can add client files', `chown 33 ${BEARERS}`, `chown 0 ${BEARERS}`, ['tokens'], 3],
    [
      'others can see the names of clients only',
      `chmod 755 ${BEARERS}; chmod 640 ${deploys.CLIENT}`,
      `chmod 700 ${BEARERS}; chmod 600 ${deploys.CLIENT}`,
      [],
      0,
    ],
    [
      'an earlier run was interrupted',
      `mkdir ${JOURNAL}; echo 'RUN of mallory@desk' >${JOURNAL}/run; : >${JOURNAL}/before`,
      `rm -r ${JOURNAL}`,
      ['an interrupted run'],
      3,
    ],
    [
      'a backend does not answer',
      'ip route add unreachable 192.168.1.164/32',
      'ip route del unreachable 192.168.1.164/32',
      ['a backend'],
      3,
    ],
  ];

describe('the exit status when', () => {
  before(async () => {
    await root('mkdir /root/ca');
    await deploys.put(first, '/root/ca/config', caConfig('/root/ca'));
  });

  interface Judged {
    readonly verdict: string;
    readonly attention: readonly { readonly about: string; readonly text: string }[];
  }
  for (const [what, spoil, fix, about, exit] of EXITS)
    test(`${what} is ${exit}`, async () => {
      await root(spoil);
      const hosts = ['--host', '192.168.1.100'];
      const result = await script(lab, 'status', ['--json', ...hosts]).finally(() => root(fix));
      const host = result.json.hosts[0] as unknown as Judged;
      assert.equal(result.status, exit, result.all);
      assert.deepEqual([...new Set(host.attention.map((each) => each.about))], about, result.all);
      assert.equal(host.verdict, exit === 0 ? 'healthy' : 'needs attention');
      assert.doesNotMatch(result.stderr, /-\d+ days/);
    });

  test('a host is unreachable is 1, with no other finding', async () => {
    const result = await script(lab, 'status', ['--json', '--host', '192.168.1.250']);
    const [away] = result.json.hosts;
    assert.deepEqual([result.status, away?.verdict, away?.nginx], [1, 'not checked', undefined], result.all);
  });

  test('one of several hosts needs attention: only that one is not healthy', async () => {
    await root('nginx -s stop; sleep 0.5');
    const { status: exit, stdout } = await lab
      .run('status', ['--host', '192.168.1.100,192.168.1.101'])
      .finally(() => root(START));
    assert.equal(exit, 3, stdout);
    assert.match(stdout, /✗ 192\.168\.1\.100 .*needs attention: nginx/);
    assert.match(stdout, /✓ 192\.168\.1\.101 .*not deployed/);
  });
});

describe('a latent fault', () => {
  for (const [what, spoil, repair, faults, says] of FAULTS)
    test(what, async () => {
      await root(spoil);
      const status = await currentStatus().finally(() => root(repair));
      assert.deepEqual(about(status), faults, JSON.stringify(faultsOf(status)));
      for (const { text } of faultsOf(status).slice(0, 1)) assert.match(text, says);
    });

  test('all of them were undone', async () => assert.deepEqual(about(await currentStatus()), []));
});

describe('a backend', () => {
  const ip = (command: string) => `ip ${command}`;
  const dropped = 'neigh replace 192.168.1.164 lladdr 02:00:00:00:00:99 dev eth1 nud permanent';
  const vhost = (sed: string) => `${keep(deploys.VHOST)}; sed -i '${sed}' ${deploys.VHOST}`;
  const states: readonly (readonly [string, spoil: string, mend: string, address: string, state: string])[] =
    [
      ['that answers', ':', ':', '192.168.1.164:11434', 'open'],
      ['whose port is closed', vhost('s/:11434/:9/'), back(deploys.VHOST), '192.168.1.164:9', 'closed'],
      [
        'whose firewall drops packets',
        ip(dropped),
        ip('neigh del 192.168.1.164 dev eth1'),
        '192.168.1.164:11434',
        'silent',
      ],
      [
        'without a route to it',
        ip('route add unreachable 192.168.1.164/32'),
        ip('route del unreachable 192.168.1.164/32'),
        '192.168.1.164:11434',
        'unreachable',
      ],
      [
        'whose address is wrong: the active one is shown',
        vhost('s/192.168.1.164:11434/192.168.1.199:11434/'),
        back(deploys.VHOST),
        '192.168.1.199:11434',
        'unreachable',
      ],
    ];
  for (const [what, spoil, undo, wanted, state] of states)
    test(`${what}: ${state}`, async () => {
      await root(spoil);
      const start = performance.now();
      const { backends } = await currentStatus().finally(() => root(undo));
      const seen = backends.map(({ address, port, state }) => `${address}:${port} ${state}`);
      assert.ok(seen.includes(`${wanted} ${state}`), seen.join());
      assert.ok(performance.now() - start < 9000, 'the response took too long');
    });
});

test('a vhost installed manually: reports its backends and certificate, and no release', async () => {
  const { stdout } = await first.sh(`cat ${deploys.VHOST}`);
  await deploys.put(second, '/etc/nginx/conf.d/ia.enso.4nkweb.com.conf', stdout);
  const status = await currentStatus(second).finally(() =>
    root('rm /etc/nginx/conf.d/ia.enso.4nkweb.com.conf', second),
  );
  assert.deepEqual([status.releases, status.vhost, status.nginx.healthy], [[], 'tls', false]);
  assert.equal(status.certificate?.ends, 'missing');
  assert.equal(status.backends.length, 2);
  assert.deepEqual(about(status), ['the vhost']);
});

describe('the script', () => {
  const HISTORY = `${deploys.RELEASES}`;

  before(async () => {
    const maps = Array.from({ length: 30 }, (_, i) => {
      const name = `client-${i}`;
      const tokens = [`${name}-${'x'.repeat(48)}`];
      return [name, clientFileText({ name, scope: 'inference', tokens }).text] as const;
    });
    for (const [name, text] of maps) await deploys.put(first, `/etc/nginx/ia-enso-bearers/${name}.map`, text);
    const copy = `cd ${HISTORY}; last=$(ls | tail -n 1); for n in $(seq 101 110); do cp -a "$last" "000$n.\${last#*.}$n"; done`;
    await root(copy);
    // As if nginx were not installed: hides its program, keeps the rest of the host.
    await root(
      'mount -t tmpfs own /mnt && mkdir /mnt/up /mnt/work && mount -t overlay own -o lowerdir=/usr/sbin,upperdir=/mnt/up,workdir=/mnt/work /usr/sbin && rm /usr/sbin/nginx',
      second,
    );
  });
  after(() => root('umount -l /usr/sbin', second));

  const hosts = ['--host', '192.168.1.100,192.168.1.101,192.168.1.250'];

  test('reports thirty clients and ten releases on one host, a second without nginx, a third unreachable', async () => {
    const { status, json, all } = await script(lab, 'status', ['--json', ...hosts]);
    assert.equal(status, 1, all);
    const [full, bare, away] = json.hosts as unknown as readonly (Status & { failure?: { code: string } })[];
    assert.equal(full?.clients?.length, 31);
    assert.ok((full?.releases.length ?? 0) >= 10);
    assert.equal(bare?.nginx.version, 'absent');
    assert.equal(away?.failure?.code, 'ssh');
    assert.ok(!all.includes('x'.repeat(48)), 'a token');
  });

  test('prints the same as text, each host by its name, with the fix for each fault', async () => {
    await root(`rm -rf /root/kept; mv ${HOOK} /root/kept`);
    const { stdout } = await lab.run('status', hosts).finally(() => root(back(HOOK)));
    for (const words of [
      /client-29/,
      /nginx: not installed on this host/,
      /192\.168\.1\.250/,
      /certificate: \d+ days left/,
      /! nginx is not reloaded after renewals.*bootstrap-tls/,
      /needs attention: .*renewal/,
    ])
      assert.match(stdout, words);
  });

  test('reports thirty clients within seconds', async () => {
    const times: number[] = [];
    // The fastest of three, because this machine may be busy.
    while (times.length < 3 && !times.some((time) => time < 3000)) {
      const start = performance.now();
      await currentStatus();
      times.push(performance.now() - start);
    }
    assert.ok(Math.min(...times) < 3000, times.join());
  });
});

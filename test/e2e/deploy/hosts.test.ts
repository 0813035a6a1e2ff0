/** Kinds of proxies: layouts, other sites' maps, shells, sudo, IPv6. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { after, before, beforeEach, describe, test } from 'node:test';
import * as deploys from '../../lab/actors/deploys.ts';
import * as programs from '../../lab/actors/programs.ts';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';
import { finished, local, typescript } from '../../lab/namespaces/process.ts';

let lab: Lab;
before(async () => {
  lab = await startLab({ relays: ['jump', 'proxy'] });
});
after(() => lab.stop());

const root = (command: string) => lab.proxy.sh(`set -e; ${command}`);
const CONF = '/etc/nginx/nginx.conf';

describe('the layout', () => {
  beforeEach(() => deploys.reset(lab.proxy));

  test('without sites-enabled, the vhost goes into conf.d', async () => {
    await root(`cp ${CONF} /root/; sed -i '/sites-enabled/d' ${CONF}; nginx -s reload`);
    const deployed = await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
    await root(`cp /root/nginx.conf ${CONF}`);
    assert.deepEqual([deployed.exit, deployed.outcome], [0, 'applied'], deployed.stderr);
    assert.equal((await root(`stat -c '%a %U' /etc/nginx/conf.d/${deploys.SITE}.conf`)).stdout, '644 root\n');
    assert.equal((await lab.proxy.sh(`ls ${deploys.VHOST} ${deploys.LINK}`)).stdout, '');
    assert.equal(await deploys.gate(deploys.TOKEN), 200);
  });

  test('without conf.d is refused with the line to add', async () => {
    await root(`cp ${CONF} /root/; sed -i 's/.*conf.d/#&/' ${CONF}`);
    const tree = await deploys.tree(lab.proxy, '/etc/nginx');
    const deployed = await deploys.deploy(lab);
    assert.deepEqual([deployed.exit, deployed.outcome, deployed.failure?.code], [1, 'refused', 'layout']);
    assert.match(deployed.stderr, /include \/etc\/nginx\/conf.d\/\*.conf;/);
    assert.equal(await deploys.tree(lab.proxy, '/etc/nginx'), tree);
    await root(`cp /root/nginx.conf ${CONF}`);
  });

  test('without nginx is refused', async () => {
    const { id, text } = await programs.deployProgram();
    const result = await programs.execute(lab.proxy, {
      id,
      text: text.replace(':/usr/sbin:/usr/bin:/sbin:/bin', ':/usr/bin:/bin'),
    });
    assert.deepEqual(
      [result.status, result.verdict, result.failure?.code],
      [1, 'refused', 'nginx-absent'],
      result.stdout,
    );
  });

  test('with our vhost installed manually is adopted, and kept as the previous state', async () => {
    const { stdout } = await programs.apply(lab.proxy, { token: deploys.TOKEN });
    assert.match(stdout, /applied/);
    await root('rm -rf /var/lib/gatepost');
    const tree = await deploys.config(lab.proxy);
    const pids = await deploys.workers(lab.proxy);
    const deployed = await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
    assert.deepEqual([deployed.exit, deployed.outcome], [0, 'applied'], deployed.stderr);
    assert.equal(await deploys.config(lab.proxy), tree);
    assert.notEqual(await deploys.workers(lab.proxy), pids);
    assert.deepEqual(await deploys.releases(lab.proxy), ['found', 'apply']);
    assert.equal((await root(`ls ${deploys.RELEASES}/*`)).stdout.match(/before$|reload|run$/m), null);
    assert.equal((await deploys.deploy(lab)).outcome, 'unchanged');
  });
});

describe('without IPv6', () => {
  const ipv6 = (off: number) => root(`echo ${off} >/proc/sys/net/ipv6/conf/all/disable_ipv6`);
  const listens = async () =>
    (await root(`grep -c 'listen \\[::\\]' ${deploys.VHOST} || true`)).stdout.trim();

  test('the vhost has no IPv6 listeners; with IPv6 it has', async () => {
    await deploys.reset(lab.proxy);
    assert.equal((await programs.apply(lab.proxy)).verdict, 'applied');
    assert.equal(await listens(), '2');
    await deploys.reset(lab.proxy);
    await root(`sed -i.bak '/\\[::\\]/d' /etc/nginx/sites-available/default; nginx -s reload`);
    await ipv6(1);
    const result = await programs.apply(lab.proxy);
    await ipv6(0);
    await root('mv /etc/nginx/sites-available/default.bak /etc/nginx/sites-available/default');
    assert.equal(result.verdict, 'applied', result.stdout + result.stderr);
    assert.equal(await listens(), '0');
  });
});

describe("another site's $connection_upgrade", () => {
  beforeEach(() => deploys.reset(lab.proxy));
  const otherMap = 'map $http_upgrade $connection_upgrade { default their-upgrade; "" their-close; }\n';
  const probe = 'server { listen 8099; location / { return 200 "$connection_upgrade\\n"; } }\n';
  // A reload may take some time on a busy machine.
  const curl = 'curl -s --retry 10 --retry-delay 1 --retry-all-errors';
  const inEffect = async () =>
    (await root(`${curl} localhost:8099; ${curl} -H "Upgrade: websocket" localhost:8099`)).stdout;

  for (const name of ['00-before', 'zz-after']) {
    for (const text of [otherMap, otherMap.replace(' {', ' # theirs\n{')]) {
      test(`in ${name}.conf stays in effect (${text.split('\n')[0]?.slice(-12)}), and ours is left out`, async () => {
        await deploys.put(lab.proxy, `/etc/nginx/conf.d/${name}.conf`, text + probe);
        await root('nginx -s reload; sleep 0.4');
        const before = await inEffect();
        const result = await programs.apply(lab.proxy, { token: deploys.TOKEN });
        assert.equal(result.verdict, 'applied', result.stdout + result.stderr);
        assert.equal(before, 'their-close\ntheir-upgrade\n');
        assert.equal(await inEffect(), before);
        assert.equal((await lab.proxy.sh(`ls ${deploys.WEBSOCKET}`)).stdout, '');
        assert.match(result.notes.join('\n'), /is already defined in/);
        assert.equal(await deploys.gate(deploys.TOKEN), 200);
      });
    }
  }

  test("missing: ours is installed; another file's map_hash_bucket_size stays", async () => {
    await deploys.put(lab.proxy, '/etc/nginx/conf.d/00-hash.conf', 'map_hash_bucket_size 256;\n');
    await root('nginx -s reload');
    const result = await programs.apply(lab.proxy, { token: deploys.TOKEN });
    assert.equal(result.verdict, 'applied', result.stdout + result.stderr);
    await deploys.put(lab.proxy, '/etc/nginx/conf.d/zz-probe.conf', probe);
    await root('nginx -s reload; sleep 0.4');
    assert.equal(await inEffect(), '\nupgrade\n');
  });

  test('rejected as a duplicate by a build: ours is left out, and reported', async () => {
    await deploys.put(
      lab.proxy,
      '/usr/local/sbin/nginx',
      `#!/bin/sh
[ "$1" != -t ] || [ ! -e ${deploys.WEBSOCKET} ] || {
  echo 'nginx: [emerg] duplicate "connection_upgrade" variable in ${deploys.WEBSOCKET}:21' >&2; exit 1; }
exec /usr/sbin/nginx "$@"
`,
    );
    await root('chmod 755 /usr/local/sbin/nginx');
    await deploys.put(lab.proxy, '/etc/nginx/hidden.conf', otherMap);
    const edit = ({ role, content }: { role: string; content: string }) =>
      role === 'map' ? `${content}include /etc/nginx/hidden.conf;\n` : content;
    const result = await programs.apply(lab.proxy, { token: deploys.TOKEN, edit });
    assert.equal(result.verdict, 'applied', result.stdout + result.stderr);
    assert.match(
      result.notes.join('\n'),
      /deployed without \/etc\/nginx\/conf.d\/websocket-connection-map.conf/,
    );
    assert.equal((await lab.proxy.sh(`ls ${deploys.WEBSOCKET}`)).stdout, '');
    assert.equal(await deploys.gate(deploys.TOKEN), 200);
    await root('rm /etc/nginx/hidden.conf');
  });
});

describe('an account', () => {
  beforeEach(() => deploys.reset(lab.proxy));
  const noise = 'echo "*** Welcome, @all ***"; echo authorised use only >&2';

  for (const shell of ['/usr/bin/fish', '/usr/bin/tcsh', '/bin/dash']) {
    test(`whose login shell is ${shell} deploys`, async () => {
      await root(`echo ${shell} >>/etc/shells; usermod -s ${shell} ncantu`);
      const deployed = await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
      await root('usermod -s /bin/bash ncantu');
      assert.deepEqual([deployed.exit, deployed.outcome], [0, 'applied'], deployed.stderr);
    });
  }

  test('with a banner in its start files, noise from sudo, and another language deploys', async () => {
    await root(`for f in .bashrc .profile .bash_profile; do echo '${noise}' >~ncantu/$f; done`);
    await root(`sed -i '/127.0.1.1/d' /etc/hosts; echo other >/proc/sys/kernel/hostname`);
    const deployed = await deploys.deploy(lab, {
      ...deploys.withToken(deploys.TOKEN),
      LANG: 'de_DE.UTF-8',
      LC_ALL: 'de_DE.UTF-8',
    });
    await root(
      `echo proxy >/proc/sys/kernel/hostname; rm ~ncantu/.bash_profile; for f in .bashrc .profile; do : >~ncantu/$f; done`,
    );
    assert.deepEqual([deployed.exit, deployed.outcome], [0, 'applied'], deployed.stderr);
    assert.equal(await deploys.gate(deploys.TOKEN), 200);
  });

  test('for which sudo requires a password is refused with the sudoers line', async () => {
    const tree = await deploys.tree(lab.proxy);
    const deployed = await deploys.deploy(lab, { IA_ENSO_PROXY_USER: 'nosudo' });
    assert.deepEqual([deployed.exit, deployed.outcome, deployed.failure?.code], [1, 'refused', 'sudo']);
    assert.match(deployed.stderr, /NOPASSWD: \/bin\/sh/);
    assert.equal(await deploys.tree(lab.proxy), tree);
  });

  test("with a German locale deploys, and sudo's errors are still diagnosed", async () => {
    const german = '/usr/lib/locale/de_DE.UTF-8';
    await root(`cp -a /usr/lib/locale /root/; mount -t tmpfs own /usr/lib/locale; cp -a /root/locale/. /usr/lib/locale
      localedef -i de_DE -f UTF-8 ${german}; cp /etc/ssh/sshd_config /root/
      echo 'SetEnv LANG=de_DE.UTF-8' >>/etc/ssh/sshd_config; kill -HUP "$(cat /run/sshd.pid)"; sleep 0.3`);
    const { stderr } = await lab.proxy.sh('LANG=de_DE.UTF-8 exec sudo -n true', { user: 'nosudo' });
    if (existsSync('/usr/share/locale/de/LC_MESSAGES/sudo.mo')) assert.match(stderr, /Passwort/);
    const deployed = await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
    const refused = await deploys.deploy(lab, { IA_ENSO_PROXY_USER: 'nosudo' });
    await root(`cp /root/sshd_config /etc/ssh/; kill -HUP "$(cat /run/sshd.pid)"; umount /usr/lib/locale`);
    assert.deepEqual([deployed.exit, deployed.outcome], [0, 'applied'], deployed.stderr);
    assert.deepEqual([refused.exit, refused.failure?.code], [1, 'sudo'], refused.stderr);
    assert.match(`${refused.failure?.text}`, /a password is required/);
    assert.match(refused.stderr, /NOPASSWD: \/bin\/sh/);
  });

  test('of root needs no sudo', async () => {
    await root('mv /etc/sudoers /etc/sudoers.away');
    const deployed = await deploys.deploy(lab, { IA_ENSO_PROXY_USER: 'root' });
    await root('mv /etc/sudoers.away /etc/sudoers');
    assert.deepEqual([deployed.exit, deployed.outcome], [0, 'applied'], deployed.stderr);
  });
});

describe('a clock that is years off', () => {
  const runs = '/var/lib/gatepost/runs';
  // Files from runs in the future: logs, and a release by a fast clock; with future modification times.
  const future = `for n in $(seq 10 34); do echo x >${runs}/20991122T0000\${n}Z-abcdef; done
    find /var/lib/gatepost /etc/nginx/conf.d /etc/nginx/ia-enso-bearers -type f -exec touch -d 2090-01-01 {} +`;
  const operatorIn = (year: number) => {
    const shift = (year - new Date().getFullYear()) * 365.25 * 86_400_000;
    const clock = `const Real = Date; globalThis.Date = class extends Real {
      constructor(...of) { if (of.length) super(...of); else super(Real.now() + ${shift}); }
      static now() { return Real.now() + ${shift}; } }`;
    return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(clock)}` };
  };

  before(async () => {
    await deploys.reset(lab.proxy);
    assert.equal((await programs.apply(lab.proxy, { token: deploys.TOKEN, year: 2098 })).verdict, 'applied');
    await root(future);
  });

  test("keeps a run's own log, and its outcome even if others delete the log", async () => {
    const late = await programs.deployProgram({ token: deploys.OTHER_TOKEN, year: 1970 });
    const result = await programs.execute(lab.proxy, late);
    assert.equal(result.verdict, 'applied', result.stdout + result.stderr);
    assert.equal((await root(`cat ${runs}/${late.id}`)).stdout, result.stdout);
    const query = await programs.execute(lab.proxy, await programs.outcomeQuery(late));
    assert.deepEqual([query.verdict, query.outcome], ['asked', 'applied'], query.stdout);
    await root(future);
    assert.equal(
      (await programs.apply(lab.proxy, { token: deploys.OTHER_TOKEN, year: 1971 })).verdict,
      'unchanged',
    );
    assert.equal((await root(`ls ${runs} | grep -c ${late.id} || true`)).stdout, '0\n');
    const again = await programs.execute(lab.proxy, await programs.outcomeQuery(late));
    assert.deepEqual([again.verdict, again.outcome], ['asked', 'applied'], again.stdout);
    assert.deepEqual(await deploys.releases(lab.proxy), ['apply', 'apply']);
  });

  test('on both sides does not affect a deploy, its history, or the outcome query after a lost connection', async () => {
    await root(future);
    for (const [year, token] of [
      [1995, deploys.TOKEN],
      [2080, deploys.OTHER_TOKEN],
    ] as const) {
      const deployed = await deploys.deploy(lab, { ...deploys.withToken(token), ...operatorIn(year) });
      assert.deepEqual([deployed.exit, deployed.outcome], [0, 'applied'], deployed.stderr);
      assert.match(`${deployed.release}`, new RegExp(`^${year}`));
      assert.equal(await deploys.gate(token), 200);
    }
    const { stdout } = await root(`ls ${deploys.RELEASES}`);
    assert.match(stdout, /000001\.2098.*\n000002\.1970.*\n000003\.1995.*\n000004\.2080/);
  });
});

describe('a program that exceeds its time limit with --local', () => {
  test('is left to finish, and its outcome is queried', async () => {
    await deploys.reset(lab.proxy);
    await deploys.put(
      lab.proxy,
      '/usr/local/sbin/sync',
      '#!/bin/sh\n! mkdir /run/slept 2>/dev/null || sleep 2.5\nexec /usr/bin/sync "$@"\n',
    );
    await root('chmod 755 /usr/local/sbin/sync');
    const limit =
      'const real = setTimeout; globalThis.setTimeout = (act, ms, ...more) => real(act, ms === 180000 ? 1500 : ms, ...more)';
    const env = {
      ...lab.env,
      IA_ENSO_PROXY_HOST: undefined,
      HOME: '/tmp',
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(limit)}`,
    };
    const set = Object.entries(env).flatMap(([name, value]) => (value ? [`'${name}=${value}'`] : []));
    const command = [process.execPath, ...typescript('scripts/deploy.ts', ['--local', '--no-verify'])];
    const { status, stdout } = await lab.proxy.sh(
      `cd /tmp && touch .env && env -i ${set.join(' ')} ${command.join(' ')}`,
      {
        user: 'ncantu',
      },
    );
    assert.equal(status, 0, stdout);
    assert.match(stdout, /not finished within 180 s; querying the outcome/);
    assert.match(stdout, /localhost: live/);
    assert.equal(await deploys.gate(/\b[0-9a-f]{64}\b/.exec(stdout)?.[0]), 200);
  });
});

describe('while others use the proxy', () => {
  before(async () => {
    await deploys.reset(lab.proxy);
    await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
  });

  test('a long stream is not cut, and no request on a new connection fails, during three deploys', async () => {
    const url = `https://${deploys.SITE}/ollama/api/tags`;
    const bearer = `Authorization: Bearer ${deploys.TOKEN}`;
    let failed = 0;
    let answered = 0;
    let busy = true;
    // HTTP/1.1: to nginx, an HTTP/2 connection without a request is idle, and a reload closes idle connections.
    const load = async () => {
      while (busy) {
        const { stdout } = await local({
          nothrow: true,
        })`curl -sk --http1.1 -m 10 -o /dev/null -w ${'%{http_code}'} -H ${bearer} ${url}`;
        if (stdout === '200') answered += 1;
        else failed += 1;
      }
    };
    const body = JSON.stringify({ model: 'llama3.2:1b', prompt: 'x' });
    const long = `https://${deploys.SITE}/ollama/api/generate?pieces=40&every=100`;
    const stream = finished(spawn('curl', ['-skN', '-m', '60', '-H', bearer, '-d', body, long]));
    const loads = [load(), load()];
    for (const backend of ['192.168.1.164', '192.168.1.164', '192.168.1.164']) {
      const result = await programs.apply(lab.proxy, {
        backend,
        token: deploys.TOKEN,
        edit: programs.inVhost((text) => `${text}# ${Math.random()}\n`),
      });
      assert.equal(result.verdict, 'applied', result.stdout);
    }
    busy = false;
    await Promise.all(loads);
    assert.deepEqual([failed, answered > 5], [0, true], `${answered} answered`);
    const { status, stdout } = await stream;
    assert.equal(status, 0);
    assert.match(stdout.trim().split('\n').at(-1) ?? '', /"done":true/);
  });
});

describe('a deploy', () => {
  const connections = async () => [lab.relay.connections, lab.proxyRelays[0]?.connections ?? 0] as const;

  test('takes one connection to the jump host, one to the proxy, one command', async () => {
    await deploys.reset(lab.proxy);
    const sudos = async () => Number((await root('grep -c COMMAND= /var/log/sudo.log || true')).stdout);
    const [jump, proxy] = await connections();
    const commands = await sudos();
    assert.equal((await deploys.deploy(lab, deploys.withToken(deploys.TOKEN))).exit, 0);
    assert.deepEqual(await connections(), [jump + 1, proxy + 1]);
    assert.equal(await sudos(), commands + 1);
  });
});

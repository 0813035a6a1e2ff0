/** A change that nginx, the disk or another run prevents is refused, or rolled back completely. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { takingOver } from '../../../lib/program/program.ts';
import { clientFileText } from '../../lab/actors/client-files.ts';
import * as deploys from '../../lab/actors/deploys.ts';
import * as programs from '../../lab/actors/programs.ts';
import { A, applyState, assertState, B, lab, RESPONSES, serving, trees } from './two-states.ts';

describe('a change that cannot be made', () => {
  before(async () => {
    await deploys.reset(lab.proxy);
    await programs.apply(lab.proxy, A);
    trees.A = await deploys.config(lab.proxy);
  });

  const certificate = `/etc/letsencrypt/live/${deploys.SITE}`;
  /** Errors that nginx reports, and edits of a template that cause them. */
  const refusals: readonly (readonly [RegExp, (text: string) => string])[] = [
    [/unknown directive "nonsense"/, (text) => `${text}nonsense;\n`],
    [/unexpected end of file/, (text) => `${text}server {\n`],
    [
      /directive .* is not terminated by ";"|invalid number of arguments/,
      (text) => text.replace('absolute_redirect off;', 'absolute_redirect off'),
    ],
    [
      /cannot load certificate "\/nowhere.pem": BIO_new_file\(\) failed/,
      (text) => text.replace(`${certificate}/fullchain.pem`, '/nowhere.pem'),
    ],
    [
      /cannot load certificate key .*PEM_read_bio|PEM_read_bio/,
      (text) => text.replace(`${certificate}/fullchain.pem`, '/etc/hostname'),
    ],
    [
      /host not found in upstream "nowhere.invalid"/,
      (text) => text.replace('http://ia_enso_ollama/', 'http://nowhere.invalid/'),
    ],
    [
      /duplicate upstream "ia_enso_ollama"/,
      (text) => `${text}upstream ia_enso_ollama { server 127.0.0.1; }\n`,
    ],
    [/invalid port in upstream/, (text) => text.replace('192.168.1.164:3001', '192.168.1.164:99999')],
    [/duplicate default server/, (text) => text.replace('listen 80;', 'listen 80 default_server;')],
    [/"map_hash_bucket_size" directive is duplicate/, (text) => `${text}map_hash_bucket_size 128;\n`],
    [/could not build map_hash/, (text) => `${text}map $uri $long { "${'k'.repeat(80)}" 1; }\n`],
    [/duplicate "request_uri" variable/, (text) => `${text}map $uri $request_uri { default 1; }\n`],
    [/key values mismatch/, (text) => text.replace(`${certificate}/privkey.pem`, '/etc/nginx/other.key')],
  ];
  for (const [words, edit] of refusals) {
    test(`is rolled back when nginx reports ${words.source.split('|')[0]}`, async () => {
      await lab.proxy.sh('openssl ecparam -name prime256v1 -genkey -noout -out /etc/nginx/other.key');
      const tree = await deploys.config(lab.proxy);
      const pids = await deploys.workers(lab.proxy);
      const result = await programs.apply(lab.proxy, {
        token: deploys.OTHER_TOKEN,
        edit: programs.inVhost(edit),
      });
      assert.deepEqual(
        [result.status, result.verdict, result.failure?.code],
        [1, 'rolled-back', 'test'],
        result.stdout + result.stderr,
      );
      assert.match(result.failure?.text ?? '', words);
      assert.equal(await deploys.config(lab.proxy), tree);
      assert.equal(await deploys.leftovers(lab.proxy), '');
      assert.equal(await serving(), RESPONSES.A);
      assert.equal(await deploys.workers(lab.proxy), pids);
      await lab.proxy.sh('rm /etc/nginx/other.key');
    });
  }

  test('is rolled back within seconds if the reload does not take effect', async () => {
    const taken = lab.proxy.sh(
      'exec timeout 30 python3 -c "import socket,time;s=socket.socket();s.bind((\'\',8443));s.listen();time.sleep(30)"',
    );
    await sleep(300);
    const start = performance.now();
    const result = await programs.apply(lab.proxy, {
      token: deploys.OTHER_TOKEN,
      edit: programs.inVhost((text) => text.replace('listen 80;', 'listen 80;\n    listen 8443;')),
    });
    const elapsed = performance.now() - start;
    assert.deepEqual(
      [result.status, result.verdict, result.failure?.code],
      [1, 'rolled-back', 'reload'],
      result.stdout + result.stderr,
    );
    assert.match(result.failure?.text ?? '', /still could not bind/);
    assert.ok(elapsed < 6000, `${elapsed} ms`);
    await assertState('A', 'after a reload without effect');
    await lab.proxy.sh('pkill -f time.sleep.30');
    await taken;
  });

  test('fails if another vhost has our name', async () => {
    const vhost = `server { listen 80; listen 443 ssl; server_name ${deploys.SITE};
      ssl_certificate ${certificate}/fullchain.pem; ssl_certificate_key ${certificate}/privkey.pem; return 444; }\n`;
    await deploys.put(lab.proxy, '/etc/nginx/sites-enabled/zz-other', vhost);
    const deployed = await deploys.deploy(lab, deploys.withToken(deploys.OTHER_TOKEN));
    assert.deepEqual([deployed.exit, deployed.outcome], [1, 'rolled-back'], deployed.stderr);
    assert.match(deployed.stderr, /conflicting server name "ia.enso.4nkweb.com"/);
    assert.match(deployed.stderr, /Another vhost on this proxy already has this server_name/);
    await lab.proxy.sh('rm /etc/nginx/sites-enabled/zz-other');
    await assertState('A', 'after a name conflict');
  });

  test('is refused first if another file breaks nginx', async () => {
    await deploys.put(lab.proxy, '/etc/nginx/conf.d/zz-theirs.conf', 'their_nonsense on;\n');
    const tree = await deploys.tree(lab.proxy, '/etc/nginx', deploys.RELEASES);
    const deployed = await deploys.deploy(lab, deploys.withToken(deploys.OTHER_TOKEN));
    assert.deepEqual([deployed.exit, deployed.outcome, deployed.failure?.code], [1, 'refused', 'sick']);
    assert.match(
      deployed.stderr,
      /unknown directive "their_nonsense" in \/etc\/nginx\/conf.d\/zz-theirs.conf:1/,
    );
    assert.equal(await deploys.tree(lab.proxy, '/etc/nginx', deploys.RELEASES), tree);
    await lab.proxy.sh('rm /etc/nginx/conf.d/zz-theirs.conf');
    await assertState('A', 'after a broken nginx');
  });

  const dead = 'm=$(cat /run/nginx.pid); kill -KILL "$m" $(pgrep -P "$m")';
  const stopped = [
    ['deploy', 'nginx is stopped', 'nginx -s stop'],
    ['deploy', 'nginx was killed and left its pid file', dead],
    ['remove', 'nginx was killed and left its pid file', dead],
  ] as const;
  for (const [name, when, stop] of stopped) {
    test(`is refused when ${when}: ${name}.ts names the fix`, async () => {
      await lab.proxy.sh(`${stop}; sleep 0.2`);
      const { status, stdout, stderr } = await lab.run(
        name,
        ['--json', name === 'deploy' ? '--no-verify' : '--yes'],
        {
          env: deploys.withToken(deploys.OTHER_TOKEN),
        },
      );
      await lab.proxy.sh('nginx');
      const [host] = JSON.parse(stdout).hosts;
      assert.deepEqual([status, host.outcome, host.failure.code], [1, 'refused', 'nginx-stopped'], stderr);
      assert.match(stderr, /nginx is not running \(no master process by \/run\/nginx\.pid\)/);
      assert.match(stderr, /systemctl start nginx/);
      await assertState('A', when);
    });
  }

  test('is refused if its token belongs to another client', async () => {
    await applyState(B);
    const bob = deploys.CLIENT.replace('default', 'bob');
    const { text } = clientFileText({ name: 'bob', scope: 'inference', tokens: [deploys.TOKEN] });
    await deploys.put(lab.proxy, bob, text);
    await lab.proxy.sh('nginx -s reload; sleep 0.3');
    const [files, pids] = [await deploys.config(lab.proxy), await deploys.workers(lab.proxy)];
    for (const deployOptions of [A, { ...A, verb: 'plan' } as const]) {
      const result = await programs.apply(lab.proxy, deployOptions);
      assert.deepEqual(
        [result.status, result.verdict, result.failure?.code],
        [1, 'refused', 'same-token'],
        result.stdout,
      );
      assert.equal(result.failure?.text, 'the new token is already used by the client bob');
    }
    assert.deepEqual([await deploys.config(lab.proxy), await deploys.workers(lab.proxy)], [files, pids]);
    assert.equal(await deploys.leftovers(lab.proxy), '');
    await lab.proxy.sh(`rm ${bob}; nginx -s reload`);
    await applyState();
    await assertState('A', "after another client's token");
  });

  const kept = '/etc/nginx/conf.d/ia-enso-http-maps.conf';
  const changeMaps = {
    ...B,
    edit: ({ role, content }: Parameters<NonNullable<programs.DeployOptions['edit']>>[0]) =>
      role === 'map' ? `${content}# more\n` : content,
  };
  /** Mounts a separate file system over a folder, with the same content. */
  const mountOver = (folder: string, options: string) =>
    `cp -a ${folder} /root/own && mount -t tmpfs -o ${options} own ${folder} && cp -a /root/own/. ${folder}`;
  const unmount = (folder: string) => `umount ${folder} && rm -r /root/own`;
  /** Runs a command when `command` is called after the new files are in place. */
  const inPlaceAt = (
    command: string,
    what: string,
  ) => `cat >/usr/local/sbin/${command} <<'END' && chmod 755 /usr/local/sbin/${command}
#!/bin/sh
[ ! -d /var/lib/gatepost/${deploys.SITE}/journal ] || ${what}
PATH=/usr/sbin:/usr/bin:/sbin:/bin exec ${command} "$@"
END`;
  const targets = [
    [
      'a symbolic link',
      `mv ${kept} /root/maps && ln -s /root/maps ${kept}`,
      `rm ${kept} && mv /root/maps ${kept}`,
      'target',
      /is a symbolic link to \/root\/maps/,
    ],
    [
      'a directory',
      `mv ${kept} /root/maps && mkdir ${kept}`,
      `rmdir ${kept} && mv /root/maps ${kept}`,
      'target',
      /is a directory/,
    ],
    [
      'on a read-only file system',
      'mount --bind /etc/nginx/conf.d /etc/nginx/conf.d && mount -o remount,ro,bind /etc/nginx/conf.d',
      'umount /etc/nginx/conf.d',
      'write',
      /Read-only file system/,
    ],
    [
      'with a read-only history',
      'mount --bind /var/lib/gatepost /var/lib/gatepost && mount -o remount,ro,bind /var/lib/gatepost',
      'umount /var/lib/gatepost',
      'store',
      /Read-only file system/,
    ],
    [
      'on a full disk',
      `cp -a /etc/nginx/conf.d /root/conf.d && mount -t tmpfs -o size=64k,mode=755 full /etc/nginx/conf.d && cp -a /root/conf.d/. /etc/nginx/conf.d && { cat /dev/zero >/etc/nginx/conf.d/fill 2>/dev/null || true; }`,
      'umount /etc/nginx/conf.d && rm -r /root/conf.d',
      'write',
      /No space left on device/,
    ],
    [
      'with a history on a full disk',
      `cp -a /var/lib/gatepost /root/history && mount -t tmpfs -o size=1m,mode=700 full /var/lib/gatepost && cp -a /root/history/. /var/lib/gatepost && { cat /dev/zero >/var/lib/gatepost/fill 2>/dev/null || true; }`,
      'umount /var/lib/gatepost && rm -r /root/history',
      'write|store',
      /No space left on device/,
    ],
    [
      'with a history whose disk fills up once the files are in place',
      `${mountOver('/var/lib/gatepost', 'size=1m,mode=700')} && ${inPlaceAt('wc', 'cat /dev/zero >/var/lib/gatepost/fill 2>/dev/null')}`,
      `rm /usr/local/sbin/wc; ${unmount('/var/lib/gatepost')}`,
      'write',
      /No space left on device/,
    ],
    ...[kept, '/etc/nginx/conf.d', deploys.VHOST, deploys.CLIENT].map((path) => {
      const folder = path.replace(/\/[^/]*\.(conf|map)$/, '');
      return [
        `immutable: ${path}`,
        `${mountOver(folder, 'mode=755')} && chattr +i ${path}`,
        `chattr -i ${path}; ${unmount(folder)}`,
        'write',
        /Operation not permitted/,
      ] as const;
    }),
  ] as const;
  for (const [name, spoil, repair, code, words] of targets) {
    test(`is refused or rolled back when a file is ${name}`, async () => {
      await deploys.reset(lab.proxy);
      await programs.apply(lab.proxy, A);
      trees.A = await deploys.config(lab.proxy);
      const spoiledFiles = await lab.proxy.sh(`set -e; ${spoil}`);
      assert.equal(spoiledFiles.status, 0, spoiledFiles.stderr);
      try {
        const result = await programs.apply(lab.proxy, changeMaps);
        assert.equal(result.status, 1, result.stdout + result.stderr);
        assert.ok(['refused', 'rolled-back'].includes(result.verdict ?? ''), result.stdout + result.stderr);
        assert.match(result.failure?.code ?? '', new RegExp(`^(${code})$`));
        assert.match(`${result.failure?.text}${result.stderr}`, words);
        assert.equal(await serving(), RESPONSES.A);
      } finally {
        assert.equal((await lab.proxy.sh(`set -e; ${repair}; nginx -t`)).status, 0);
      }
      await assertState('A', name);
      assert.equal(
        (await lab.proxy.sh(`find /etc/nginx /var/lib/gatepost -name "*gatepost*" -size 0`)).stdout,
        '',
      );
      const next = await programs.apply(lab.proxy, B);
      assert.equal(next.verdict, 'applied', next.stdout + next.stderr);
    });
  }

  test('cannot be rolled back if a file has become immutable: the reported steps fix it', async () => {
    await deploys.reset(lab.proxy);
    await programs.apply(lab.proxy, A);
    trees.A = await deploys.config(lab.proxy);
    await programs.forbidNamespaces(lab.proxy);
    await lab.proxy.sh(
      `${mountOver('/etc/nginx/conf.d', 'mode=755')} && ${inPlaceAt('nginx', `chattr +i ${kept}`)}`,
    );
    const edit: programs.DeployOptions['edit'] = (file) =>
      file.role === 'vhost' ? `${file.content}nonsense;\n` : changeMaps.edit(file);
    const result = await programs.apply(lab.proxy, { ...changeMaps, edit });
    assert.deepEqual(
      [result.status, result.verdict, result.failure?.code],
      [5, 'restore-failed', 'restore'],
      result.stdout,
    );
    assert.match(
      `${result.failure?.text}${result.stderr}`,
      /cannot restore .*maps\.conf.*Operation not permitted/s,
    );
    assert.equal(await serving(), RESPONSES.A);
    const typed = await lab.proxy.sh(
      `rm /usr/local/sbin/nginx; chattr -i ${kept}; set -e\n${result.todo?.join('\n')}`,
    );
    assert.equal(typed.status, 0, typed.stderr);
    assert.equal(await deploys.config(lab.proxy), trees.A);
    assert.equal(await serving(), RESPONSES.A);
    const next = await programs.apply(lab.proxy, B);
    assert.equal(next.verdict, 'applied', next.stdout + next.stderr);
    assert.equal(await serving(), RESPONSES.B);
    assert.equal(await deploys.leftovers(lab.proxy), '');
    await lab.proxy.sh(unmount('/etc/nginx/conf.d'));
  });
});

/** ROUNDS=20 tries more often. */
const ROUNDS = Number(process.env.ROUNDS ?? 5);

describe('two changes at once', () => {
  before(() => deploys.reset(lab.proxy));

  test('one is applied, then the other; never a mix', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      await applyState();
      const both = await Promise.all([
        programs.apply(lab.proxy, { ...A, token: deploys.OTHER_TOKEN, who: 'alice@lab' }),
        programs.apply(lab.proxy, { ...B, token: deploys.TOKEN, who: 'bob@lab' }),
      ]);
      for (const result of both) assert.equal(result.verdict, 'applied', result.stdout + result.stderr);
      assert.match(
        both.map(({ stdout }) => stdout).join(''),
        /waiting for the run of (alice|bob)@lab \(site ia.enso.4nkweb.com, run \S+, process \d+\)/,
      );
      assert.ok(['A 401 200', 'B 200 401'].includes(await serving()));
      assert.equal(await deploys.leftovers(lab.proxy), '');
    }
  });

  test('a deploy and a rotation: the second reports the holder of the lock, and its token is live', async () => {
    await applyState();
    const slow = '#!/bin/sh\n! mkdir /run/slept 2>/dev/null || sleep 1.5\nexec /usr/bin/sync "$@"\n';
    await deploys.put(lab.proxy, '/usr/local/sbin/sync', slow);
    await lab.proxy.sh('rm -rf /run/slept; chmod 755 /usr/local/sbin/sync');
    const [deployed, rotated] = await Promise.all([
      deploys.deploy(lab, deploys.withToken(deploys.OTHER_TOKEN)),
      lab.run('rotate-bearer', ['--json', '--no-verify']),
    ]);
    await lab.proxy.sh('rm /usr/local/sbin/sync');
    assert.deepEqual(
      [deployed.exit, deployed.outcome, rotated.status],
      [0, 'applied', 0],
      deployed.stderr + rotated.stderr,
    );
    const waits = /waiting for the run of \S+@\S+ \(site ia\.enso\.4nkweb\.com, run \S+, process \d+\)/;
    const isSecond = [deployed.stderr, rotated.stderr].map((reports) => waits.test(reports));
    assert.deepEqual(isSecond.toSorted(), [false, true], deployed.stderr + rotated.stderr);
    const { token } = JSON.parse(rotated.stdout);
    assert.deepEqual(
      [await deploys.gate(deploys.OTHER_TOKEN), await deploys.gate(token)],
      isSecond[0] ? [200, 401] : [401, 200],
    );
  });

  /** Starts a change by alice that is stopped at its ninth call; it ends when it is continued or killed. */
  async function stopOne(): Promise<Promise<programs.ProgramResult>> {
    await programs.installShims(lab.proxy);
    await lab.proxy.sh('echo 0 >/run/shim/count; echo 9 before STOP >/run/shim/plan');
    const stopped = programs.apply(lab.proxy, { ...B, who: 'alice@lab' });
    await lab.proxy.sh(
      'for try in $(seq 300); do [ "$(cat /run/shim/count)" -lt 9 ] || break; /bin/sleep 0.1; done; /bin/rm /run/shim/plan',
    );
    return stopped;
  }
  const HOLDER = '$(sed -n "s/.*process \\([0-9]*\\)).*/\\1/p" /var/lib/gatepost/lock)';
  const impatient = async (edit = (text: string) => text) => {
    const program = await programs.deployProgram({ ...A, who: 'bob@lab' });
    return programs.execute(lab.proxy, {
      ...program,
      text: edit(program.text.replace('LOCK_WAIT=30', 'LOCK_WAIT=1')),
    });
  };

  test('a stopped one makes the other give up after the time limit and name it', async () => {
    await applyState();
    const stopped = stopOne();
    await sleep(1500);
    const result = await impatient();
    assert.deepEqual(
      [result.status, result.verdict, result.failure?.code],
      [1, 'refused', 'locked'],
      result.stdout,
    );
    assert.match(
      result.failure?.text ?? '',
      /^alice@lab \(site .*, process \d+\) has held the lock for \d+ s$/,
    );
    await lab.proxy.sh(`kill -CONT "${HOLDER}"`);
    assert.equal((await stopped).verdict, 'applied');
    assert.equal(await serving(), RESPONSES.B);
  });

  test('one that has been stopped for ten minutes can be taken over, and does nothing when it is continued', async () => {
    await applyState();
    trees.A = await deploys.config(lab.proxy);
    const stopped = stopOne();
    await sleep(1500);
    const takeOver = (text: string) => takingOver({ id: '', text }).text;
    const early = await impatient(takeOver);
    assert.deepEqual([early.verdict, early.failure?.code], ['refused', 'locked'], early.stdout);
    const { stdout: holder } = await lab.proxy.sh(`
      touch -d '-12 minutes' /var/lib/gatepost/lock /var/lib/gatepost/runs/*; echo "${HOLDER}"`);
    const { status, stdout } = await lab.run('status', ['--json']);
    const [host] = JSON.parse(stdout).hosts;
    assert.match(host.busy, new RegExp(`^alice@lab .* process ${holder.trim()}\\), for 12 min$`));
    assert.deepEqual([status, host.stalled], [3, 'stalled for 12 min']);
    const result = await impatient();
    assert.deepEqual([result.verdict, result.failure?.code], ['refused', 'lock-stalled'], result.stdout);
    const deployed = await deploys.deploy(lab, deploys.withToken(deploys.TOKEN), ['--take-over-lock']);
    assert.equal(deployed.exit, 0, deployed.stderr);
    assert.match(deployed.stderr, /ending the run of alice@lab/);
    assert.equal((await stopped).verdict, undefined);
    const tree = await deploys.config(lab.proxy);
    await lab.proxy.sh(`kill -CONT ${holder.trim()}; sleep 1`);
    assert.equal(await deploys.config(lab.proxy), tree);
    assert.equal(await deploys.leftovers(lab.proxy), '');
  });

  test('a process that it leaves running does not hold the lock', async () => {
    await applyState();
    const script = '#!/bin/sh\nsleep 60 <&- >/dev/null 2>&1 &\nexec /usr/bin/sync "$@"\n';
    await lab.proxy.sh('rm -f /usr/local/sbin/*');
    await deploys.put(lab.proxy, '/usr/local/sbin/sync', script);
    await lab.proxy.sh('chmod 755 /usr/local/sbin/sync');
    for (const deployOptions of [B, A]) {
      const result = await programs.apply(lab.proxy, deployOptions);
      assert.equal(result.verdict, 'applied', result.stdout);
      assert.doesNotMatch(result.stdout, /\tstep\twait/);
    }
    assert.equal(
      (
        await lab.proxy.sh(
          'rm /usr/local/sbin/sync; pkill -x -f "sleep 60"; flock -n /var/lib/gatepost/lock true',
        )
      ).status,
      0,
    );
  });
});

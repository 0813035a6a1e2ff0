/** A login user who may run only approved programs as root. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { COMMAND } from '../../../lib/program/program.ts';
import * as deploys from '../../lab/actors/deploys.ts';
import { deployProgram, execute } from '../../lab/actors/programs.ts';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';
import { script } from '../clients/clients-lab.ts';

let lab: Lab;
let approval: string;
const root = (text: string, input = '') => lab.proxy.sh(text, { input });
const env = deploys.withToken(deploys.TOKEN);
const run = (name: string, args: readonly string[] = [], more = {}) =>
  script(lab, name, [...args, '--json'], { env: { ...env, ...more } });

/** Runs a text as the login user, with the command that the suite sends. */
const asUser = (text: string) =>
  root(`cat >/tmp/text; su -s /bin/sh ncantu -c "$(cat /root/command)" </tmp/text`, text);

before(async () => {
  lab = await startLab();
  const file = `${lab.directory}/approve.sh`;
  const { status, stdout, stderr } = await lab.run('approve', ['--bundle', file]);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /on each proxy, as root: `sh approve\.sh`/);
  approval = await readFile(file, 'utf8');
  await root('rm /etc/sudoers.d/*; cat >/root/command', COMMAND);
});
after(() => lab.stop());

describe('the file for root', () => {
  test('does nothing if it is truncated', async () => {
    for (let cut = 0; cut < approval.length - 2; cut += 3997) await root('sh -s', approval.slice(0, cut));
    assert.equal((await root('ls /etc/gatepost /usr/local/sbin/gatepost-run')).status, 2);
  });

  test('warns as long as a root shell is allowed, and only then', async () => {
    await root("echo 'ncantu ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/ncantu; chmod 440 /etc/sudoers.d/*");
    assert.match((await root('sh -s', approval)).stdout, /a shell as root too/);
    await root('rm /etc/sudoers.d/ncantu');
    assert.doesNotMatch((await root('sh -s', approval)).stdout, /a shell/);
  });

  test('allows one sudo command, with files that only root may write', async () => {
    const { stdout } = await root('sudo -l -U ncantu | grep NOPASSWD; stat -c "%a %U %n" /usr/local/sbin/*');
    assert.equal(
      stdout.trim().replace(/ +/g, ' '),
      '(root) NOPASSWD: /usr/local/sbin/gatepost-run ""\n755 root /usr/local/sbin/gatepost-run',
    );
    assert.notEqual((await root("su ncantu -c 'sudo -n /bin/sh -c id'")).status, 0);
    assert.notEqual((await root("su ncantu -c 'sudo -n /usr/local/sbin/gatepost-run mask'")).status, 0);
  });
});

describe('every script works with it', () => {
  const runs: readonly (readonly [name: string, args: readonly string[], outcome: string])[] = [
    ['deploy', ['--dry-run'], 'planned'],
    ['deploy', [], 'applied'],
    ['deploy', [], 'unchanged'],
    ['bearers', ['add', 'bob', '--limit', '60'], 'applied'],
    ['bearers', ['list'], 'unchanged'],
    ['rotate-bearer', ['--client', 'bob', '--keep-previous'], 'applied'],
    ['rotate-bearer', ['--client', 'bob', '--revoke-previous'], 'applied'],
    ['bearers', ['revoke', 'bob'], 'applied'],
    ['status', [], 'unchanged'],
    ['bootstrap-tls', ['--no-verify'], 'unchanged'],
    ['remove', ['--yes'], 'applied'],
    ['rollback', ['--no-verify'], 'applied'],
  ];
  for (const [name, args, outcome] of runs)
    test(`${name} ${args.join(' ')}`.trim(), async () => {
      const { json, all } = await run(name, args);
      assert.equal(json.hosts[0]?.outcome, outcome, all);
    });

  test('a first deploy that generates its token', async () => {
    await run('remove', ['--yes']);
    await root('rm -r /var/lib/gatepost');
    const { json, all } = await run('deploy', ['--no-verify'], { IA_ENSO_OLLAMA_BEARER_TOKEN: undefined });
    assert.equal(json.hosts[0]?.outcome, 'applied', all);
    assert.equal(await deploys.gate(json.token), 200);
  });
});

/** The line of a program with its token in quotes. */
const TOKEN = /^(content_\d+\(\) \{ printf %s ')[!-&(-~]+('; \})$/m;

describe('a program that root has not approved', () => {
  test('with other settings is refused with the next step', async () => {
    const { json, status } = await run('deploy', [], { IA_ENSO_BACKEND_IP: '192.168.1.165' });
    assert.equal(status, 1);
    assert.equal(json.hosts[0]?.outcome, 'refused');
    assert.match(`${json.hosts[0]?.failure?.text}`, /this program is not approved on this host/);
    assert.match(`${json.hosts[0]?.failure?.next}`, /scripts\/approve\.ts --bundle/);
  });

  const attacks: Readonly<Record<string, (text: string) => string>> = {
    'a command before it': (text) => `touch /root/hacked\n${text}`,
    'a command after it': (text) => `${text}touch /root/hacked\n`,
    'a command instead of its verb': (text) => text.replace(/\napply\nexit/, '\ntouch /root/hacked\nexit'),
    'a command in a value': (text) => text.replace(/^WHO='.*'$/m, "WHO='x';touch /root/hacked;:'y'"),
    'a substitution in a value': (text) => text.replace(/^WHO='.*'$/m, 'WHO="$(touch /root/hacked)"'),
    'a value with a line break': (text) => text.replace(/^WHO='.*'$/m, "WHO='x'\ntouch /root/hacked"),
    'a line that looks masked': (text) => text.replace(/^WHO='.*'$/m, '?WHO'),
    'a mask that is a command': (text) => text.replace(/^RUN='.*'$/m, '=?RUN'),
    'another path in a constant': (text) => text.replace(/^SITE='.*'$/m, "SITE='../../root'"),
    'a parent folder in a name': (text) => text.replace(/^RUN='.*'$/m, "RUN='../../../root/hacked'"),
    'a log that nginx writes as root': (text) =>
      text.replace(/access_log \S+/, 'access_log /etc/cron.d/hacked'),
    'a token that closes its quotes': (text) => text.replace(TOKEN, "$1x'; touch /root/hacked; : 'y$2"),
    'a token with a bare quote': (text) => text.replace(TOKEN, "$1A'B$2"),
    'a token with a line break': (text) => text.replace(TOKEN, '$1x\ntouch /root/hacked\n$2'),
    'another file': (text) => text.replace(/want map '[^']*'/, "want map '../../cron.d/hacked'"),
    'carriage returns': (text) => text.replaceAll('\n', '\r\n'),
    nothing: () => '',
    'just a shell line': () => 'touch /root/hacked\n',
  };
  let before: string;
  test('can still be sent', async () => {
    before = await deploys.config(lab.proxy);
  });
  for (const [what, attack] of Object.entries(attacks))
    test(`${what}: none of it runs`, async () => {
      const { text } = await deployProgram({ token: deploys.TOKEN });
      const bad = attack(text);
      assert.notEqual(bad, text, 'the test changes something');
      const { status, stderr } = await asUser(bad);
      assert.equal(status, 77, stderr);
      assert.match(stderr, /not approved/);
    });

  test('leaves nothing behind', async () => {
    assert.equal((await root('ls /root/hacked /etc/cron.d/hacked 2>/dev/null')).stdout, '');
    assert.equal(await deploys.config(lab.proxy), before);
  });

  test('while the approved program runs', async () => {
    const { text } = await deployProgram({ token: deploys.TOKEN });
    const { status, stdout, stderr } = await asUser(text);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /\toutcome\t(applied|unchanged)\t/);
  });
});

describe('the approved program', () => {
  test('gets nothing from the environment that sudo keeps for the login user', async () => {
    await root(`echo 'Defaults env_keep += "HOME XDG_CONFIG_HOME OPENSSL_CONF GATEPOST_X"' >/etc/sudoers.d/keep
      chmod 440 /etc/sudoers.d/keep
      printf '#!/bin/sh\\nenv >>/root/environment\\nexec /usr/sbin/nginx "$@"\\n' >/usr/local/sbin/nginx
      printf '#!/bin/sh\\nenv >>/root/environment\\nexec /usr/bin/sha256sum "$@"\\n' >/usr/local/sbin/sha256sum
      chmod 755 /usr/local/sbin/nginx /usr/local/sbin/sha256sum`);
    const hostile = 'HOME=/tmp/evil XDG_CONFIG_HOME=/tmp/evil OPENSSL_CONF=/tmp/evil GATEPOST_X=1';
    const { text } = await deployProgram({ token: deploys.TOKEN });
    const { stdout } = await root(
      `cat >/tmp/text; su -s /bin/sh ncantu -c "export ${hostile}; $(cat /root/command)" </tmp/text`,
      text,
    );
    assert.match(stdout, /\toutcome\t(applied|unchanged)\t/);
    const names = (
      await root(
        `sed 's/=.*//' /root/environment | sort -u; rm /usr/local/sbin/nginx /usr/local/sbin/sha256sum`,
      )
    ).stdout
      .trim()
      .split('\n');
    assert.deepEqual(
      names.filter(
        (name) => !['HOME', 'LC_ALL', 'MALLOC_TOP_PAD_', 'PATH', 'PWD', 'SHLVL', '_'].includes(name),
      ),
      [],
    );
    assert.doesNotMatch((await root('cat /root/environment')).stdout, /evil/);
  });

  for (const shell of ['mksh', 'ksh93'])
    test(`is refused by ${shell}, by name, before it does anything`, async () => {
      const tree = await deploys.tree(lab.proxy);
      const result = await execute(lab.proxy, await deployProgram({ token: deploys.OTHER_TOKEN }), shell);
      assert.equal(result.stdout, '');
      assert.notEqual(result.status, 0);
      assert.match(result.stderr, /unsupported shell: \/bin\/sh is .*(MIRBSD KSH|93u)|ksh93: .*syntax error/);
      assert.equal(await deploys.tree(lab.proxy), tree);
    });
});

/** The same program without SSH: as a file that Ansible copies to the hosts, and on the host itself. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { inParallel } from '../../../lib/util/parallel.ts';
import * as deploys from '../../lab/actors/deploys.ts';
import { finished, type Lab, type Result, startLab } from '../../lab/namespaces/lab.ts';
import { typescript } from '../../lab/namespaces/process.ts';

/** One in this many bytes around the program is damaged, different ones each run; DAMAGES=all damages each. */
const EVERY = process.env.DAMAGES === 'all' ? 1 : 8;
const SEED = Number(process.env.FC_SEED ?? Date.now() % 1e9);
const DONE = /^gatepost: ia\.enso\.4nkweb\.com on \S+: (.*)$/m;
let lab: Lab;
before(async () => {
  lab = await startLab({ proxies: 2, relays: ['jump'] });
});
after(() => lab.stop());
beforeEach(() => Promise.all(lab.proxies.map(deploys.reset)));

const write = (args: readonly string[] = [], env = {}) =>
  lab.run('deploy', ['--bundle', 'site.sh', ...args], { env });
const bundle = () => readFile(join(lab.directory, 'site.sh'));
const outcome = ({ stdout }: Result) => DONE.exec(stdout)?.[1];

/** Runs a bundle as root on the first proxy. */
const run = (file: Uint8Array, how = 'sh "$file" </dev/null'): Promise<Result> =>
  lab.proxy.sh(
    `file=$(mktemp) && cd "$(mktemp -d)" && base64 -d >"$file" && ${how}; s=$?; rm -f "$file"; exit $s`,
    {
      input: Buffer.from(file).toString('base64'),
    },
  );

describe('--bundle', () => {
  test('writes a file of mode 0600 with the token in it, shows a new token once, and makes no connection', async () => {
    const before = lab.relay.connections;
    const { status, stdout, stderr } = await write();
    assert.deepEqual([status, lab.relay.connections - before], [0, 0], stderr);
    assert.equal((await stat(join(lab.directory, 'site.sh'))).mode & 0o777, 0o600);
    const tokens = (stdout + stderr).match(/[0-9a-f]{64}/g) ?? [];
    assert.equal(tokens.length, 1);
    assert.ok((await bundle()).includes(tokens[0] as string));
  });

  test('does not show a token from the settings', async () => {
    const { status, stdout, stderr } = await write(['--json'], deploys.withToken(deploys.OTHER_TOKEN));
    assert.equal(status, 0);
    assert.ok(!(stdout + stderr).includes(deploys.OTHER_TOKEN));
    assert.match(stderr, /contains a bearer token/);
    assert.equal(JSON.parse(stdout).bundle, join(lab.directory, 'site.sh'));
  });

  test('replaces an earlier bundle, and no other file', async () => {
    assert.equal((await write()).status, 0);
    await writeFile(join(lab.directory, 'notes'), 'mine');
    for (const file of ['notes', '.', '/dev/null']) {
      const { status, stderr } = await lab.run('deploy', ['--bundle', file, '--json']);
      assert.equal(status, 2, file);
      assert.match(stderr, /is not such a bundle/);
    }
    assert.equal(await readFile(join(lab.directory, 'notes'), 'utf8'), 'mine');
  });

  for (const flag of ['--local', '--dry-run', '--canary', '--parallel=2', '--host=10.0.0.1'])
    test(`is rejected together with ${flag}`, async () => {
      assert.equal((await write([flag])).status, 2);
    });
});

describe('a bundle', () => {
  let bundleFile: Buffer;
  before(async () => {
    await write([], deploys.withToken(deploys.TOKEN));
    bundleFile = await bundle();
  });

  test('run as root is applied, then unchanged, in every way to run it', async () => {
    const first = await run(bundleFile);
    assert.deepEqual([first.status, outcome(first)], [0, 'applied'], first.stdout + first.stderr);
    assert.equal(await deploys.gate(deploys.TOKEN), 200);
    for (const how of [
      'sh "$file"',
      'bash "$file"',
      'chmod 700 "$file" && "$file"',
      'sh <"$file"',
      'cat "$file" | bash',
    ]) {
      const again = await run(bundleFile, how);
      assert.deepEqual(
        [again.status, outcome(again)],
        [0, 'unchanged'],
        `${how}: ${again.stdout}${again.stderr}`,
      );
      assert.ok(!(again.stdout + again.stderr).includes(deploys.TOKEN));
    }
    assert.deepEqual(await deploys.releases(lab.proxy), ['apply']);
  });

  const withArguments = (words: string) =>
    [`sh "$file" ${words}`, `chmod 700 "$file" && "$file" ${words}`, `sh -s -- ${words} <"$file"`] as const;

  test('with --dry-run shows the diff without tokens and changes nothing, in every way to run it', async () => {
    const empty = await deploys.tree(lab.proxy);
    for (const how of withArguments('--dry-run')) {
      const planned = await run(bundleFile, how);
      assert.deepEqual(
        [planned.status, outcome(planned)],
        [0, 'planned; nothing was changed'],
        planned.stdout,
      );
      assert.match(planned.stdout, /^ {2}new \/etc\/nginx\/sites-available\/ia\.enso\.4nkweb\.com\.conf$/m);
      assert.match(planned.stdout, /^\+.*server_name ia\.enso\.4nkweb\.com;$/m);
      assert.match(planned.stdout, /^\+"=<key>" "<sha256:[0-9a-f]{12}> full:default\.[\w-]+:-:-:-:-";$/m);
      assert.ok(!planned.stdout.includes('Alpha'), planned.stdout);
      assert.equal(planned.stderr, '');
    }
    assert.equal(await deploys.tree(lab.proxy), empty);
    await run(bundleFile);
    const same = await run(bundleFile, 'sh "$file" --dry-run');
    assert.deepEqual([same.status, outcome(same)], [0, 'unchanged'], same.stdout);
    await lab.proxy.sh(`sed -i 's/server_tokens off;/server_tokens on;/' ${deploys.VHOST}`);
    const before = await deploys.tree(lab.proxy);
    const drifted = await run(bundleFile, 'sh "$file" --dry-run');
    assert.match(drifted.stdout, /^-\s+server_tokens on;\n\+\s+server_tokens off;$/m);
    assert.match(drifted.stdout, /was changed by hand/);
    assert.equal(await deploys.tree(lab.proxy), before);
  });

  test('with --dry-run lists the files on a machine without diff', async () => {
    await lab.proxy.sh('mount --bind /dev/null /usr/bin/diff');
    const planned = await run(bundleFile, 'sh "$file" --dry-run').finally(() =>
      lab.proxy.sh('umount /usr/bin/diff'),
    );
    assert.deepEqual([planned.status, outcome(planned)], [0, 'planned; nothing was changed'], planned.stderr);
    assert.match(planned.stdout, /^ {2}new .*\.conf$/m);
    assert.doesNotMatch(planned.stdout, /^\+/m);
  });

  test('with --help prints its usage, and with any other argument does nothing and exits with 2', async () => {
    const empty = await deploys.tree(lab.proxy);
    for (const how of withArguments('--help')) {
      const { status, stdout } = await run(bundleFile, how);
      assert.equal(status, 0, stdout);
      assert.match(stdout, /--dry-run/);
      assert.match(stdout, /ia\.enso\.4nkweb\.com/);
    }
    for (const words of ['--dryrun', 'now', "''", '--dry-run --verbose', '--help x', '-n'])
      for (const how of withArguments(words)) {
        const { status, stdout, stderr } = await run(bundleFile, how);
        assert.deepEqual([status, stdout], [2, ''], `${how}: ${stderr}`);
        assert.match(stderr, /nothing was done/);
      }
    assert.equal(await deploys.tree(lab.proxy), empty);
  });

  test('that is refused reports why and fails', async () => {
    await deploys.put(lab.proxy, '/etc/nginx/conf.d/broken.conf', 'nonsense;\n');
    const refused = await run(bundleFile);
    assert.deepEqual([refused.status, outcome(refused)], [1, 'refused']);
    assert.match(refused.stdout, /unknown directive "nonsense"/);
  });

  test('of a configuration that nginx rejects is rolled back and fails', async () => {
    await lab.proxy.sh('mv /etc/letsencrypt /etc/letsencrypt.away');
    const back = await run(bundleFile);
    await lab.proxy.sh('mv /etc/letsencrypt.away /etc/letsencrypt');
    assert.deepEqual([back.status, outcome(back)], [1, 'rolled-back'], back.stdout);
    assert.match(back.stdout, /cannot load certificate/);
    assert.equal((await lab.proxy.sh(`ls ${deploys.VHOST}`)).stdout, '');
  });

  test('run by a user other than root does nothing and fails', async () => {
    const { status, stderr } = await run(
      bundleFile,
      'chmod 644 "$file" && setpriv --reuid=ncantu --clear-groups sh "$file"',
    );
    assert.equal(status, 1);
    assert.match(stderr, /must be run as root/);
  });

  test('that was truncated or changed anywhere does nothing', async () => {
    const inner = [bundleFile.indexOf("trap ''"), bundleFile.indexOf('END_OF_BUNDLE\n}\nif [')] as const;
    const all = [...bundleFile.keys()];
    const frame = all
      .filter((i) => i < inner[0] || i >= inner[1])
      .filter((_, i) => i % EVERY === SEED % EVERY);
    const sampled = all.filter((i) => i % 1999 === SEED % 1999);
    const damaged = [
      ...[...frame, ...sampled].map(
        (at) =>
          [
            `bit of byte ${at}`,
            bundleFile.map((byte, i) => (i === at ? byte ^ (1 << (at % 8)) : byte)),
          ] as const,
      ),
      ...[...sampled, ...all.slice(-12)].map((at) => [`cut at ${at}`, bundleFile.subarray(0, at)] as const),
    ];
    await inParallel(damaged, 4, async ([name, file]) => {
      const { status, stdout } = await run(file, 'timeout 10 sh "$file" </dev/null');
      assert.ok(!DONE.test(stdout) && status !== 124, `${name}: ${status} ${stdout}`);
    });
    assert.equal(
      (await lab.proxy.sh('ls -A /etc/nginx/conf.d /var/lib/gatepost')).stdout,
      '/etc/nginx/conf.d:\n',
    );
  });
});

describe('Ansible', () => {
  const PLAYBOOK = `
- hosts: all
  gather_facts: false
  become: true
  tasks:
    - ansible.builtin.script: site.sh
      register: gatepost
      changed_when: "': applied' in gatepost.stdout"
    - ansible.builtin.debug:
        var: gatepost.stdout_lines
`;
  const play = (...flags: string[]) =>
    finished(
      spawn(
        'ansible-playbook',
        ['-i', `${lab.proxies.map(({ address }) => address).join(',')},`, 'site.yml', ...flags],
        {
          cwd: lab.directory,
          env: {
            ...lab.env,
            ANSIBLE_HOME: join(lab.directory, 'ansible'),
            ANSIBLE_REMOTE_USER: 'ncantu',
            ANSIBLE_NOCOLOR: '1',
            ANSIBLE_SSH_ARGS: `-o ControlMaster=no -o ProxyJump=ncantu@${lab.env.DEPLOY_SSH_PROXY_HOST}:${lab.env.DEPLOY_SSH_PROXY_PORT}`,
          },
        },
      ),
    );
  const recap = ({ stdout }: Result) =>
    [...stdout.matchAll(/^(192\S+) .*changed=(\d).*unreachable=(\d).*failed=(\d)/gm)].map((found) =>
      found.slice(1).join(' '),
    );

  test('applies it on two hosts through the jump host; the second run changes nothing', async () => {
    await write([], deploys.withToken(deploys.TOKEN));
    await writeFile(join(lab.directory, 'site.yml'), PLAYBOOK);
    const first = await play();
    assert.deepEqual(
      [first.status, recap(first)],
      [0, ['192.168.1.100 1 0 0', '192.168.1.101 1 0 0']],
      first.stdout + first.stderr,
    );
    const again = await play();
    assert.deepEqual(
      [again.status, recap(again)],
      [0, ['192.168.1.100 0 0 0', '192.168.1.101 0 0 0']],
      again.stdout,
    );
    assert.match(again.stdout, /on proxy2: unchanged/);
    assert.ok(!(first.stdout + again.stdout).includes(deploys.TOKEN));
    for (const host of lab.proxies)
      assert.match((await host.sh(`cat ${deploys.CLIENT}`)).stdout, /full:default/);
  });

  test('with --check makes a dry run if the playbook passes it on', async () => {
    const [before] = await Promise.all(lab.proxies.map((host) => deploys.tree(host)));
    const playbook = PLAYBOOK.replace(
      'script: site.sh\n',
      "script: site.sh {{ '--dry-run' if ansible_check_mode else '' }}\n      check_mode: false\n",
    ).replace("': applied' in gatepost.stdout", "gatepost.stdout is search(': applied|: planned')");
    await writeFile(join(lab.directory, 'site.yml'), playbook);
    const checked = await play('--check');
    assert.deepEqual(
      [checked.status, recap(checked)],
      [0, ['192.168.1.100 1 0 0', '192.168.1.101 1 0 0']],
      checked.stdout + checked.stderr,
    );
    assert.match(checked.stdout, /on proxy2: planned/);
    assert.equal(await deploys.tree(lab.proxy), before);
    const input = await bundle();
    for (const host of lab.proxies) await host.sh('exec sh -s', { input: `${input}` });
    const again = await play('--check');
    assert.deepEqual(recap(again), ['192.168.1.100 0 0 0', '192.168.1.101 0 0 0'], again.stdout);
    await writeFile(join(lab.directory, 'site.yml'), PLAYBOOK);
  });

  test('fails only on the host that refuses it', async () => {
    await lab.proxies[1]?.sh("echo 'nonsense;' >/etc/nginx/conf.d/broken.conf");
    const result = await play();
    assert.deepEqual(
      [result.status, recap(result)],
      [2, ['192.168.1.100 1 0 0', '192.168.1.101 0 0 1']],
      result.stdout,
    );
  });
});

describe('--local', () => {
  const local = (args: readonly string[] = [], user?: string) => {
    const env = {
      ...lab.env,
      IA_ENSO_PROXY_HOST: undefined,
      HOME: '/tmp',
      NODE_EXTRA_CA_CERTS: '/usr/local/share/ca-certificates/gatepost-lab.crt',
    };
    const set = Object.entries(env).flatMap(([name, value]) => (value ? [`'${name}=${value}'`] : []));
    const command = [process.execPath, ...typescript('scripts/deploy.ts', ['--local', ...args])];
    return lab.proxy.sh(
      `cd /tmp && { [ -e .env ] || touch .env; } && env -i ${set.join(' ')} ${command.join(' ')}`,
      user ? { user } : {},
    );
  };

  test('deploys on the host itself without SSH, and checks its services', async () => {
    const sessions = async () => (await lab.proxy.sh('grep -c Accepted /var/log/sshd.log')).stdout;
    const before = await sessions();
    const { status, stdout, stderr } = await local(['--json']);
    const { hosts, token } = JSON.parse(stdout);
    assert.deepEqual([status, hosts[0].host, hosts[0].outcome], [0, 'localhost', 'applied'], stderr);
    assert.ok(
      hosts[0].checks.some(
        ({ name, status }: Record<string, string>) => name === 'bearer gate opens' && status === 'passed',
      ),
    );
    assert.equal(await deploys.gate(token), 200);
    assert.equal(await sessions(), before);
  });

  test('again is unchanged, also with sudo', async () => {
    await local();
    const { status, stdout } = await local(['--no-verify'], 'ncantu');
    assert.equal(status, 0);
    assert.match(stdout, /localhost: unchanged/);
  });

  test('is refused if sudo requires a password', async () => {
    const { status, stdout } = await local([], 'nosudo');
    assert.equal(status, 1);
    assert.match(stdout, /NOPASSWD: \/bin\/sh/);
  });

  test('--dry-run writes nothing', async () => {
    const before = await deploys.tree(lab.proxy);
    const { status, stdout } = await local(['--dry-run']);
    assert.equal(status, 0);
    assert.match(stdout, /localhost: planned/);
    assert.equal(await deploys.tree(lab.proxy), before);
  });
});

/**
 * A gate without a live client rejects everybody: deploy, verify and status report it and exit with 3; rollback warns.
 */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import * as deploys from '../../lab/actors/deploys.ts';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';
import { script } from './clients-lab.ts';

const FOLDER = '/etc/nginx/ia-enso-bearers';
const ADVICE = /ia-enso-bearers.*401.*bearers\.ts add NAME/s;

/** How the clients get lost, as a command on the proxy. */
const LOSSES: readonly (readonly [what: string, command: string])[] = [
  ['the folder is gone', `rm -r ${FOLDER}`],
  ['the folder is empty', `rm ${FOLDER}/*`],
  [
    'its files contain no token line',
    `for f in ${FOLDER}/*.map; do printf '# kept\\n\\n  # too\\n' >$f; done`,
  ],
];

let lab: Lab;
const root = async (command: string) => {
  const { status, stderr } = await lab.proxy.sh(`set -e; ${command}`);
  assert.equal(status, 0, stderr);
};
const run = (name: string, args: readonly string[] = [], env = {}) =>
  script(lab, name, ['--json', ...args], { env });
/** The texts about clients that need attention, on the only host. */
const lost = ({ json }: Awaited<ReturnType<typeof run>>): readonly string[] => {
  const attention = (json.hosts[0]?.attention ?? []) as readonly { about: string; text: string }[];
  return attention.flatMap(({ about, text }) => (about === 'clients' ? [text] : []));
};

before(async () => {
  lab = await startLab();
});
after(() => lab.stop());
beforeEach(async () => {
  await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
});

for (const [what, command] of LOSSES)
  describe(`where ${what}`, () => {
    beforeEach(() => root(`${command}; nginx -s reload; sleep 0.5`));

    test('status needs attention', async () => {
      const result = await run('status');
      assert.equal(result.status, 3, result.all);
      assert.match(lost(result).join(), ADVICE);
      assert.equal(result.json.hosts[0]?.verdict, 'needs attention');
      const { stdout } = await lab.run('status');
      assert.match(stdout, /✗ .*ia-enso-bearers/);
      assert.match(stdout, /needs attention: .*clients/);
    });

    test('a deploy without a token reports it, and creates no client', async () => {
      const result = await run('deploy', ['--no-verify']);
      assert.deepEqual(
        [result.status, result.json.hosts[0]?.outcome, result.json.token],
        [3, 'unchanged', undefined],
      );
      assert.match(lost(result).join(), ADVICE);
      assert.match(result.stderr, /^ {2}! .*ia-enso-bearers/m);
      assert.match(result.stderr, /unchanged; needs attention: clients/);
      assert.equal(await deploys.gate(deploys.TOKEN), 401);
    });

    test('a deploy that changes something else reports it, too', async () => {
      const result = await run('deploy', ['--no-verify'], { IA_ENSO_BACKEND_IP: '192.168.1.165' });
      assert.deepEqual([result.status, result.json.hosts[0]?.outcome], [3, 'applied'], result.all);
      assert.match(lost(result).join(), ADVICE);
      const back = await run('rollback', ['--no-verify']);
      assert.deepEqual([back.status, back.json.hosts[0]?.outcome], [0, 'applied'], back.all);
      assert.match(back.stderr, /^ {2}! .*ia-enso-bearers/m);
    });

    test('verify through SSH queries the proxy', async () => {
      const result = await run('verify', ['--via-ssh', '--only', 'gate']);
      assert.equal(result.status, 3, result.all);
      const check = result.json.hosts[0]?.checks.find(({ name }) => name === 'gate clients');
      assert.equal(check?.status, 'failed');
      assert.match(check?.detail ?? '', ADVICE);
    });

    test('verify with a token gets 401; without one, from outside, it names the command to run', async () => {
      const known = await run('verify', ['--only', 'gate'], deploys.withToken(deploys.TOKEN));
      assert.equal(known.status, 3, known.all);
      const { json } = await run('verify', ['--only', 'gate opens']);
      const [check] = json.hosts[0]?.checks ?? [];
      assert.equal(check?.status, 'skipped');
      assert.match(check?.detail ?? '', /status\.ts/);
    });

    test('a deploy with the token restores the client', async () => {
      const result = await run('deploy', ['--no-verify'], deploys.withToken(deploys.TOKEN));
      assert.deepEqual([result.status, lost(result)], [0, []], result.all);
      assert.equal(await deploys.gate(deploys.TOKEN), 200);
    });
  });

describe('a dry run', () => {
  test('warns about it, and stays a dry run', async () => {
    await root(`rm -r ${FOLDER}`);
    const result = await run('deploy', ['--dry-run']);
    assert.equal(result.status, 0);
    assert.match(result.stderr, /! .*ia-enso-bearers/);
    const given = await run('deploy', ['--dry-run'], deploys.withToken(deploys.TOKEN));
    assert.doesNotMatch(given.stderr, /fails closed/);
  });
});

describe('a bundle', () => {
  const file = '/root/site.sh';
  test('reports it, and exits with 3', async () => {
    const made = await lab.run('deploy', ['--bundle', `${lab.directory}/site.sh`]);
    assert.equal(made.status, 0, made.stdout);
    const { readFile } = await import('node:fs/promises');
    await deploys.put(lab.proxy, file, await readFile(`${lab.directory}/site.sh`, 'utf8'));
    assert.equal((await lab.proxy.sh(`sh ${file}`)).status, 0);
    await root(`rm ${FOLDER}/*`);
    const { status, stdout } = await lab.proxy.sh(`sh ${file}`);
    assert.equal(status, 3, stdout);
    assert.match(stdout, /ia-enso-bearers.*401/);
  });
});

describe('where there is a client', () => {
  test('nothing is reported', async () => {
    for (const [name, args] of [
      ['deploy', ['--no-verify']],
      ['verify', ['--via-ssh', '--only', 'gate']],
    ] as const) {
      const result = await run(name, args);
      assert.deepEqual([result.status, lost(result)], [0, []], result.all);
    }
    assert.deepEqual(lost(await run('status')), []);
  });

  test('nothing is reported for a handwritten client', async () => {
    const line = `"~^:own-0123456789abcdef\\\\z" full:own.1:-:-:-:-;`;
    await root(`rm ${FOLDER}/*; printf '${line}\\n' >${FOLDER}/own.map; touch /etc/nginx/ia-enso-live/own.1`);
    assert.deepEqual(lost(await run('status')), []);
  });

  test('an unreachable proxy skips the check', async () => {
    await root('mkdir -p /mnt/s; cp -a /etc/sudoers /mnt/s/; : >/etc/sudoers');
    const result = await run('verify', ['--via-ssh', '--only', 'gate clients']).finally(() =>
      root('cat /mnt/s/sudoers >/etc/sudoers'),
    );
    const [check] = result.json.hosts[0]?.checks ?? [];
    assert.deepEqual([result.status, check?.status], [0, 'skipped'], result.all);
    assert.match(check?.detail ?? '', /sudo/);
  });
});

describe('without a gate on the proxy', () => {
  test('a site that was never deployed, or was removed, reports no lost clients', async () => {
    await run('remove', ['--yes']);
    const removed = await run('status');
    assert.deepEqual([removed.status, removed.json.hosts[0]?.verdict], [0, 'not deployed'], removed.all);
    await deploys.reset(lab.proxy);
    const never = await run('status');
    assert.deepEqual([never.status, never.json.hosts[0]?.verdict], [0, 'not deployed'], never.all);
    const { stdout } = await lab.run('status');
    assert.match(stdout, /: not deployed$/m);
    assert.doesNotMatch(stdout, /healthy|client/);
  });

  test('revoking the last client keeps its note and its exit status', async () => {
    const { status, stdout } = await lab.run('bearers', ['revoke', 'default', '--no-verify']);
    assert.equal(status, 0, stdout);
    assert.match(stdout, /default is the last client/);
    assert.equal((await run('status')).status, 3);
  });
});

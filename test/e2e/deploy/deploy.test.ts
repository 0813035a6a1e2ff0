/** Ordinary deploys: the first, a repeated one, a changed setting, drift, a dry run. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import * as deploys from '../../lab/actors/deploys.ts';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';

let lab: Lab;
before(async () => {
  lab = await startLab();
});
after(() => lab.stop());

const stat = async (path: string) => (await lab.proxy.sh(`stat -c '%F %a %U:%G' ${path}`)).stdout.trim();
const changed = ({ files }: deploys.DeployResult) =>
  files.filter((file) => file.changed).map(({ path }) => path);

describe('a first deploy', () => {
  let first: deploys.DeployResult;
  before(async () => {
    await deploys.reset(lab.proxy);
    first = await deploys.deploy(lab);
  });

  test('installs every file with its mode, owned by root', async () => {
    assert.equal(first.exit, 0, first.stderr);
    assert.equal(first.outcome, 'applied');
    assert.equal(await stat(deploys.MAPS), 'regular file 600 root:root');
    assert.equal(await stat(deploys.WEBSOCKET), 'regular file 644 root:root');
    assert.equal(await stat(deploys.VHOST), 'regular file 644 root:root');
    assert.equal(await stat(deploys.LINK), 'symbolic link 777 root:root');
    assert.equal(await stat('/etc/nginx/ia-enso-bearers'), 'directory 700 root:root');
    assert.equal(await stat(deploys.CLIENT), 'regular file 600 root:root');
    assert.equal((await lab.proxy.sh(`readlink ${deploys.LINK}`)).stdout.trim(), deploys.VHOST);
    assert.equal(await deploys.leftovers(lab.proxy), '');
  });

  test('shows its generated token once, and the gate accepts it', async () => {
    const { token = '' } = first;
    assert.match(token, /^[0-9a-f]{64}$/);
    assert.equal((first.stdout + first.stderr).match(/[0-9a-f]{64}/g)?.length, 1);
    assert.equal(await deploys.gate(token), 200);
    assert.equal(await deploys.gate(), 401);
    assert.equal(await deploys.gate(`${token}x`), 401);
  });

  test('stores one release, readable by root only', async () => {
    assert.deepEqual(await deploys.releases(lab.proxy), ['apply']);
    assert.equal(await stat('/var/lib/gatepost'), 'directory 700 root:root');
    const { stdout } = await lab.proxy.sh(`cat ${deploys.RELEASES}/*/meta`);
    assert.match(stdout, new RegExp(`^id ${first.release}$`, 'm'));
    assert.match(stdout, /^when \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/m);
    assert.match(stdout, /^who \S+@\S+$/m);
    assert.match(stdout, /^gatepost \d+\.\d+\.\d+$/m);
  });

  test('again is unchanged: no reload, no file touched, no token shown', async () => {
    const [files, pids] = [
      await deploys.tree(lab.proxy, '/etc/nginx', deploys.RELEASES),
      await deploys.workers(lab.proxy),
    ];
    const again = await deploys.deploy(lab);
    assert.deepEqual([again.exit, again.outcome, again.token], [0, 'unchanged', undefined]);
    assert.equal(await deploys.tree(lab.proxy, '/etc/nginx', deploys.RELEASES), files);
    assert.equal(await deploys.workers(lab.proxy), pids);
  });

  test('with a changed setting is applied, and changes the vhost only', async () => {
    const hook = join(lab.directory, 'hook');
    await writeFile(hook, `#!/bin/sh\ncat >>${hook}.log\nexit 9\n`, { mode: 0o755 });
    const other = await deploys.deploy(lab, { IA_ENSO_BACKEND_IP: '192.168.1.165', GATEPOST_HOOK: hook });
    assert.deepEqual([other.exit, other.outcome, changed(other)], [0, 'applied', [deploys.VHOST]]);
    assert.match(other.stderr, /GATEPOST_HOOK/);
    const deployed = JSON.parse(await readFile(`${hook}.log`, 'utf8'));
    assert.deepEqual(
      [deployed.script, deployed.outcome, deployed.release],
      ['deploy', 'applied', other.release],
    );
    assert.equal(await deploys.gate(first.token), 502);
    const restored = await deploys.deploy(lab);
    assert.deepEqual([restored.exit, restored.outcome], [0, 'applied']);
    assert.equal(await deploys.gate(first.token), 200);
  });
});

describe('a token in the settings', () => {
  const created = async () => (await lab.proxy.sh(`grep '^# created' ${deploys.CLIENT}`)).stdout;
  before(() => deploys.reset(lab.proxy));

  test('becomes the only token of `default` in the same change, with any characters', async () => {
    const { token: generated } = await deploys.deploy(lab);
    const made = await created();
    await lab.proxy.sh(`sed -i 's/^# created .*/# created 2020-01-02T03:04:05Z/' ${deploys.CLIENT}`);
    const given = await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
    assert.deepEqual(
      [given.exit, given.outcome, changed(given)],
      [0, 'applied', [deploys.CLIENT]],
      given.stderr,
    );
    assert.deepEqual([await deploys.gate(deploys.TOKEN), await deploys.gate(generated)], [200, 401]);
    assert.equal(await deploys.gate(deploys.TOKEN.toLowerCase()), 401);
    assert.match(made, /^# created 20\d\d-/);
    assert.equal(await created(), '# created 2020-01-02T03:04:05Z\n');
    assert.ok(!(given.stdout + given.stderr).includes(deploys.TOKEN));
  });

  test('that is already live changes nothing', async () => {
    assert.equal((await deploys.deploy(lab, deploys.withToken(deploys.TOKEN))).outcome, 'unchanged');
  });

  test('removed from the settings keeps the clients', async () => {
    const before = await deploys.tree(lab.proxy, '/etc/nginx/ia-enso-bearers');
    assert.equal((await deploys.deploy(lab)).outcome, 'unchanged');
    assert.equal(await deploys.tree(lab.proxy, '/etc/nginx/ia-enso-bearers'), before);
  });

  test('changes together with the address', async () => {
    const both = await deploys.deploy(lab, {
      ...deploys.withToken(deploys.OTHER_TOKEN),
      IA_ENSO_BACKEND_IP: '192.168.1.165',
    });
    assert.deepEqual(changed(both), [deploys.VHOST, deploys.CLIENT]);
    assert.deepEqual(
      [await deploys.gate(deploys.OTHER_TOKEN), await deploys.gate(deploys.TOKEN)],
      [502, 401],
    );
  });
});

describe('a change made by hand', () => {
  before(async () => {
    await deploys.reset(lab.proxy);
    await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
  });

  const drifts = [
    [
      'a changed vhost',
      `sed -i 's/server_tokens off;/server_tokens on;/' ${deploys.VHOST}`,
      deploys.VHOST,
      'changed',
    ],
    ['a vhost that nginx rejects', `echo nonsense >>${deploys.VHOST}`, deploys.VHOST, 'changed'],
    ['a removed vhost', `rm ${deploys.VHOST} ${deploys.LINK} && nginx -s reload`, deploys.VHOST, 'removed'],
    ['a removed link', `rm ${deploys.LINK} && nginx -s reload`, deploys.LINK, 'removed'],
    ['a removed map', `rm ${deploys.LINK} ${deploys.MAPS} && nginx -s reload`, deploys.MAPS, 'removed'],
    ['another mode', `chmod 666 ${deploys.MAPS}`, deploys.MAPS, 'changed'],
    ['another owner', `chown ncantu ${deploys.VHOST}`, deploys.VHOST, 'changed'],
    [
      'a link replaced by a file',
      `sed -i 's/server_tokens off;/server_tokens on;/' ${deploys.LINK}`,
      deploys.LINK,
      'changed',
    ],
    ['a link with another target', `ln -sfn default ${deploys.LINK}`, deploys.LINK, 'changed'],
  ] as const;

  for (const [name, command, path, how] of drifts) {
    test(`${name}: reported, backed up, overwritten`, async () => {
      const before = await deploys.config(lab.proxy);
      assert.equal((await lab.proxy.sh(command)).status, 0);
      const { stdout: byHand } = await lab.proxy.sh(`cat ${deploys.VHOST}`);
      const repaired = await deploys.deploy(lab);
      assert.deepEqual([repaired.exit, repaired.outcome], [0, 'applied'], repaired.stderr);
      assert.ok(
        repaired.drift.some((one) => one.path === path && one.how === how),
        repaired.stdout,
      );
      assert.match(repaired.stderr, new RegExp(`${path} was ${how} by hand`));
      assert.equal(await deploys.config(lab.proxy), before);
      assert.equal(await deploys.gate(deploys.TOKEN), 200);
      if (how === 'changed') {
        assert.equal((await deploys.releases(lab.proxy)).at(-2), 'found');
        const kept = `cat "$(ls -d ${deploys.RELEASES}/*-before | tail -n 1)/files/:etc:nginx:sites-available:${deploys.SITE}.conf"`;
        if (path === deploys.VHOST) assert.equal((await lab.proxy.sh(kept)).stdout, byHand);
      }
    });
  }

  test('at most ten releases are kept', async () => {
    assert.equal((await deploys.releases(lab.proxy)).length, 10);
  });
});

describe('a dry run', () => {
  beforeEach(() => deploys.reset(lab.proxy));

  test('on a stock proxy writes nothing and lists every file', async () => {
    await lab.proxy.sh('sleep 0.5'); // the workers from before the reset exit
    const before = await deploys.tree(lab.proxy);
    const pids = await deploys.workers(lab.proxy);
    const plan = await deploys.deploy(lab, deploys.withToken(deploys.TOKEN), ['--dry-run']);
    assert.deepEqual([plan.exit, plan.outcome, changed(plan).length], [0, 'planned', 5], plan.stderr);
    assert.equal(await deploys.tree(lab.proxy), before);
    assert.equal(await deploys.workers(lab.proxy), pids);
    assert.match(plan.stderr, /^\+.*sha256:[0-9a-f]{12}/m);
    assert.ok(!(plan.stdout + plan.stderr).includes(deploys.TOKEN));
    const diffs = new Map(plan.diff?.map(({ path, diff }) => [path, diff]));
    assert.match(diffs.get(deploys.VHOST) ?? '', /^\+.*server_name ia\.enso\.4nkweb\.com;$/m);
    assert.match(diffs.get(deploys.CLIENT) ?? '', /^\+.*sha256:[0-9a-f]{12}/m);
  });

  test('with --exit-code exits with 3 when changes are pending, with 0 when there are none', async () => {
    const args = ['--dry-run', '--exit-code'];
    assert.equal((await deploys.deploy(lab, {}, args)).exit, 3);
    await deploys.deploy(lab);
    const same = await deploys.deploy(lab, {}, args);
    assert.deepEqual([same.exit, same.diff], [0, []], same.stderr);
    const other = await deploys.deploy(lab, { IA_ENSO_BACKEND_IP: '192.168.1.165' }, args);
    assert.deepEqual([other.exit, other.diff?.map(({ path }) => path)], [3, [deploys.VHOST]]);
  });

  test('shows both sides of a change as fingerprints', async () => {
    await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
    const before = await deploys.tree(lab.proxy);
    const plan = await deploys.deploy(
      lab,
      { ...deploys.withToken(deploys.OTHER_TOKEN), IA_ENSO_BACKEND_IP: '192.168.1.165' },
      ['--dry-run'],
    );
    assert.equal(await deploys.tree(lab.proxy), before);
    assert.match(plan.stderr, /^-.*server 192.168.1.164:11434;$/m);
    assert.match(plan.stderr, /^\+.*server 192.168.1.165:11434;$/m);
    const { createHash } = await import('node:crypto');
    const sha = (token: string) => createHash('sha256').update(token).digest('hex').slice(0, 12);
    assert.ok(
      plan.stderr.includes(sha(deploys.TOKEN)) && plan.stderr.includes(sha(deploys.OTHER_TOKEN)),
      plan.stderr,
    );
    for (const token of [deploys.TOKEN, deploys.OTHER_TOKEN]) {
      assert.ok(!(plan.stdout + plan.stderr).replaceAll('\\', '').includes(token));
    }
  });

  test('never shows a line of a handwritten map', async () => {
    const secrets = [
      'SECRET-of-old-1',
      'sssecret+two',
      '+three*secret',
      "four'secret",
      'five',
      'six-six-six',
    ];
    await deploys.put(
      lab.proxy,
      deploys.MAPS,
      `# was: Bearer Commented-Secret-of-16
map $http_authorization $old_gate {
    default 0;
    "Bearer SECRET-of-old-1" 1;
    "~^Bearer\\s+sssecret\\+two$" 1;
    "~*^bearer +\\+three\\*secret\\z" 1; "Bearer five" 1; 'Bearer six-six-six' 1;
    "Bearer four'secret" 1;
}
`,
    );
    const plan = await deploys.deploy(lab, {}, ['--dry-run']);
    assert.equal(plan.outcome, 'planned', plan.stderr);
    assert.match(plan.stderr, /^-\[unrecognized line hidden: \d+ characters\]$/m);
    const text = (plan.stdout + plan.stderr).replaceAll('\\', '');
    for (const secret of [...secrets, 'Commented-Secret']) assert.ok(!text.includes(secret), secret);
  });

  test('does not show the token of a handwritten map that nginx quotes', async () => {
    await deploys.put(
      lab.proxy,
      '/etc/nginx/conf.d/old.conf',
      'map $uri $x { "Bearer hidden-words" 1; "Bearer hidden-words" 2; }',
    );
    const refused = await deploys.deploy(lab);
    assert.deepEqual(
      [refused.exit, refused.outcome, refused.failure?.code],
      [1, 'refused', 'sick'],
      refused.stderr,
    );
    assert.match(refused.failure?.text ?? '', /conflicting parameter/);
    assert.ok(!(refused.stdout + refused.stderr).includes('hidden-words'));
  });
});

/** Files that an administrator edits during a change, or between a killed one and its recovery, are never lost. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { before, beforeEach, describe, test } from 'node:test';
import { rollbackProgram } from '../../../lib/program/history-programs.ts';
import * as deploys from '../../lab/actors/deploys.ts';
import * as programs from '../../lab/actors/programs.ts';
import { A, applyState, B, lab, RESPONSES, serving } from './two-states.ts';

const sh = async (script: string): Promise<string> => {
  const { status, stdout, stderr } = await lab.proxy.sh(script);
  assert.equal(status, 0, `${script}\n${stderr}`);
  return stdout;
};

/** The same change of vhost, maps and client, from state A. */
const change: programs.DeployOptions = {
  ...B,
  edit: (file) => (file.role === 'map' ? `${file.content}# more\n` : (B.edit?.(file) ?? '')),
};

const found = () => sh(`grep -lx 'kind found' ${deploys.RELEASES}/*/meta | tail -n 1`);

/** Kills the change once its files are in place. */
async function killInPlace(): Promise<programs.Program> {
  const program = await programs.deployProgram(change);
  const { result } = await programs.runWithPlan(lab.proxy, program, `${inPlace} before KILL`);
  assert.equal(result.verdict, undefined, result.stdout);
  return program;
}

let inPlace = 0;

describe('a file edited by hand between a killed change and its recovery', () => {
  before(async () => {
    await programs.installShims(lab.proxy);
    await applyState();
    const { calls } = await programs.runWithPlan(lab.proxy, await programs.deployProgram(change), '');
    inPlace = calls.findIndex((line) => / wc -c/.test(line)) + 1;
    assert.ok(inPlace > 0, calls.join('\n'));
  });
  beforeEach(() => applyState());

  const edits: Readonly<Record<string, (path: string) => string>> = {
    'in place': (path) => `echo '# by hand' >>${path}`,
    'as a new file': (path) =>
      `cp -p ${path} /root/new && echo '# by hand' >>/root/new && mv /root/new ${path}`,
  };
  for (const [how, edit] of Object.entries(edits))
    for (const path of [deploys.VHOST, deploys.MAPS, deploys.CLIENT])
      test(`${how} is kept by the recovery: ${path}`, async () => {
        const program = await killInPlace();
        await sh(edit(path));
        const edited = await sh(`cat ${path}`);
        const response = await programs.execute(lab.proxy, await programs.outcomeQuery(program));
        assert.deepEqual([response.verdict, response.outcome], ['asked', 'rolled-back'], response.stdout);
        assert.equal(await sh(`cat ${path}`), edited);
        assert.equal(await deploys.leftovers(lab.proxy), '');
        // The other files are restored.
        const others = [deploys.VHOST, deploys.MAPS, deploys.CLIENT].filter((other) => other !== path);
        assert.doesNotMatch(await sh(`cat ${others.join(' ')}`), /return 200 B|# more|0f1e2d3c/);
      });

  for (const path of [deploys.VHOST, deploys.MAPS])
    test(`is drift for the next deploy, and kept as the previous state: ${path}`, async () => {
      await killInPlace();
      await sh(`echo '# by hand' >>${path}`);
      const edited = await sh(`cat ${path}`);
      const next = await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
      assert.deepEqual([next.exit, next.outcome], [0, 'applied'], next.stderr);
      assert.deepEqual(next.drift, [{ path, how: 'changed' }]);
      const kept = path.replaceAll('/', ':');
      assert.equal(await sh(`cat ${(await found()).trim().replace(/meta$/, '')}files/${kept}`), edited);
      assert.doesNotMatch(await sh(`cat ${path}`), /by hand/);
    });

  test('is reported if no release has it: the file of a client', async () => {
    await killInPlace();
    await sh(`echo '# by hand' >>${deploys.CLIENT}`);
    const next = await programs.apply(lab.proxy, A);
    assert.equal(next.verdict, 'applied', next.stdout + next.stderr);
    assert.deepEqual(next.drift, [{ path: deploys.CLIENT, how: 'changed' }]);
    assert.equal(await serving(), RESPONSES.A);
  });

  test('stays deleted if it was deleted', async () => {
    const program = await killInPlace();
    await sh(`rm ${deploys.VHOST} ${deploys.LINK} ${deploys.CLIENT}`);
    const response = await programs.execute(lab.proxy, await programs.outcomeQuery(program));
    assert.equal(response.outcome, 'rolled-back', response.stdout);
    await sh(`nginx -t && ! ls ${deploys.VHOST} ${deploys.CLIENT} 2>/dev/null`);
    assert.equal(await deploys.leftovers(lab.proxy), '');
    const next = await programs.apply(lab.proxy, A);
    assert.equal(next.verdict, 'applied', next.stdout + next.stderr);
    assert.ok(next.drift.some(({ path, how }) => path === deploys.VHOST && how === 'removed'));
    assert.equal(await serving(), RESPONSES.A);
  });

  test('is moved aside if nginx would not start with it and the restored files', async () => {
    const program = await killInPlace();
    await sh(`sed -i '1i nonsense;' ${deploys.VHOST}`);
    const response = await programs.execute(lab.proxy, await programs.outcomeQuery(program));
    assert.equal(response.outcome, 'rolled-back', response.stdout);
    await sh('nginx -t');
    assert.equal(await serving(), RESPONSES.A);
    assert.match(await sh(`cat /var/lib/gatepost/${deploys.SITE}/edited-*/*`), /^nonsense;/);
  });
});

/** Edits a file once, when the new files are staged and are being synced. */
const whileStaging = (edit: string) =>
  sh(`rm -f /usr/local/sbin/*; touch /run/next; cat >/usr/local/sbin/sync <<'END' && chmod 755 /usr/local/sbin/sync
#!/bin/sh
case $* in *gatepost-new*) [ ! -e /run/next ] || { rm /run/next; ${edit}; } ;; esac
exec /usr/bin/sync "$@"
END`);

describe('a file edited by hand while the change is being staged', () => {
  beforeEach(async () => {
    await sh('rm -f /usr/local/sbin/*');
    await applyState();
  });
  for (const [path, act] of [
    [deploys.VHOST, `echo '# by hand' >>${deploys.VHOST}`],
    [deploys.MAPS, `sed -i '$a # by hand' ${deploys.MAPS}`],
    [deploys.CLIENT, `echo '# by hand' >>${deploys.CLIENT}`],
    [deploys.VHOST, `rm ${deploys.VHOST}; echo '# by hand' >${deploys.VHOST}`],
  ] as const)
    test(`is noticed before anything is replaced: ${act}`, async () => {
      await whileStaging(act);
      const run = await programs.apply(lab.proxy, change);
      assert.deepEqual([run.status, run.verdict, run.failure?.code], [1, 'refused', 'edited'], run.stdout);
      assert.match(await sh(`cat ${path}`), /# by hand/);
      assert.equal(await deploys.leftovers(lab.proxy), '');
      assert.equal(await serving(), RESPONSES.A);
      const next = await programs.apply(lab.proxy, change);
      assert.equal(next.verdict, 'applied', next.stdout);
      if (path !== deploys.CLIENT) assert.deepEqual(next.drift, [{ path, how: 'changed' }]);
    });
});

describe('the WebSocket map', () => {
  const handmadeMap = "map $http_upgrade $connection_upgrade { default upgrade; '' keep-alive; }";
  const OTHER_SITE = '/etc/nginx/conf.d/zz-other.conf';
  const uses =
    'server { listen 127.0.0.1:8099; location / { proxy_set_header Connection $connection_upgrade; proxy_pass http://127.0.0.1:1; } }';
  const keptMap = async () =>
    sh(`cat ${(await found()).trim().replace(/meta$/, '')}files/${deploys.WEBSOCKET.replaceAll('/', ':')}`);
  beforeEach(async () => {
    await deploys.reset(lab.proxy);
    await sh(`rm -f ${OTHER_SITE}`);
  });

  test('edited by hand is drift, kept as the previous state, and repaired', async () => {
    await applyState();
    await sh(`echo "${handmadeMap.replaceAll('$', '\\$')}" >${deploys.WEBSOCKET}`);
    const next = await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
    assert.deepEqual([next.exit, next.outcome], [0, 'applied'], next.stderr);
    assert.ok(
      next.drift.some(({ path, how }) => path === deploys.WEBSOCKET && how === 'changed'),
      next.stdout,
    );
    assert.match(await keptMap(), /keep-alive/);
    assert.doesNotMatch(await sh(`cat ${deploys.WEBSOCKET}`), /keep-alive/);
  });

  test('made by hand and used by another site stays as it is, and is reported', async () => {
    await sh(
      `echo "${handmadeMap.replaceAll('$', '\\$')}" >${deploys.WEBSOCKET}; echo '${uses}' >${OTHER_SITE}; nginx -t`,
    );
    for (const report of ['applied', 'unchanged']) {
      const run = await programs.apply(lab.proxy, A);
      assert.equal(run.verdict, report, run.stdout);
      assert.match(
        run.notes.join(),
        /websocket-connection-map\.conf was made or edited by hand, and \S*zz-other/,
      );
      assert.match(await sh(`cat ${deploys.WEBSOCKET}`), /keep-alive/);
    }
    await sh(`rm ${OTHER_SITE}; nginx -s reload`);
  });
});

describe('a plain file in sites-enabled', () => {
  test('is kept as a file, and can be rolled back to', async () => {
    await deploys.reset(lab.proxy);
    await applyState();
    await sh(
      `rm ${deploys.LINK}; sed 's/return 200 A/return 200 plain/' ${deploys.VHOST} >${deploys.LINK}; nginx -s reload; sleep 0.3`,
    );
    const plain = await sh(`cat ${deploys.LINK}`);
    const next = await programs.apply(lab.proxy, A);
    assert.equal(next.verdict, 'applied', next.stdout);
    await sh(`[ -L ${deploys.LINK} ]`);
    const id = (
      await sh(
        `sed -n 's/^id //p' ${(await found()).trim()}; basename "$(dirname ${(await found()).trim()})"`,
      )
    ).trim();
    const to = (id.split('\n')[1] ?? '').replace(/^\d+\./, '');
    const back = await programs.execute(lab.proxy, await rollbackProgram(programs.context, to));
    assert.equal(back.verdict, 'applied', back.stdout + back.stderr);
    await sh(`[ ! -L ${deploys.LINK} ] && nginx -t`);
    assert.equal(await sh(`cat ${deploys.LINK}`), plain);
    assert.match(await serving(), /^plain/);
  });
});

describe('a damaged journal', () => {
  const journal = `/var/lib/gatepost/${deploys.SITE}/journal`;
  for (const [damage, act] of [
    ['is empty', `mkdir ${journal}`],
    ['holds something else', `mkdir ${journal}; echo 'nonsense here' >${journal}/before`],
    [
      'names folders that are gone',
      `mkdir ${journal}; printf 'link /nowhere/x /y\\nfile /nowhere/z\\nabsent /nowhere/a\\n' >${journal}/before`,
    ],
  ] as const)
    test(`that ${damage} stops no change`, async () => {
      await deploys.reset(lab.proxy);
      await applyState();
      await sh(act);
      const run = await programs.apply(lab.proxy, B);
      assert.equal(run.verdict, 'applied', run.stdout + run.stderr);
      assert.match(run.notes.join(), /damaged|did not finish/);
      assert.equal(await deploys.leftovers(lab.proxy), '');
      assert.equal((await programs.apply(lab.proxy, B)).notes.join(), '');
    });
});

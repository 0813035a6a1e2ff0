/** Files that an administrator edits while a change is under way, or between one that was killed and its recovery: never lost. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { before, beforeEach, describe, test } from 'node:test';
import * as deploys from '../../lab/actors/deploys.ts';
import * as programs from '../../lab/actors/programs.ts';
import { A, B, lab, serving, settle, WHOLE } from './two-states.ts';

const sh = async (script: string): Promise<string> => {
  const { status, stdout, stderr } = await lab.proxy.sh(script);
  assert.equal(status, 0, `${script}\n${stderr}`);
  return stdout;
};

/** The same change of vhost, maps and client, from the state A. */
const change: programs.Wanted = {
  ...B,
  edit: (file) => (file.role === 'map' ? `${file.content}# more\n` : (B.edit?.(file) ?? '')),
};

const found = () => sh(`grep -lx 'kind found' ${deploys.RELEASES}/*/meta | tail -n 1`);

/** Kills the change once its files are in place. */
async function killInPlace(): Promise<programs.Program> {
  const program = await programs.deployProgram(change);
  const { ran } = await programs.underPlan(lab.proxy, program, `${inPlace} before KILL`);
  assert.equal(ran.verdict, undefined, ran.stdout);
  return program;
}

let inPlace = 0;

describe('a file edited by hand between a killed change and its recovery', () => {
  before(async () => {
    await programs.installShims(lab.proxy);
    await settle();
    const { calls } = await programs.underPlan(lab.proxy, await programs.deployProgram(change), '');
    inPlace = calls.findIndex((line) => / wc -c/.test(line)) + 1;
    assert.ok(inPlace > 0, calls.join('\n'));
  });
  beforeEach(() => settle());

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
        const answer = await programs.execute(lab.proxy, await programs.question(program.run));
        assert.deepEqual([answer.verdict, answer.outcome], ['asked', 'rolled-back'], answer.stdout);
        assert.equal(await sh(`cat ${path}`), edited);
        assert.equal(await deploys.leftovers(lab.proxy), '');
        // The others are what they were.
        const others = [deploys.VHOST, deploys.MAPS, deploys.CLIENT].filter((other) => other !== path);
        assert.doesNotMatch(await sh(`cat ${others.join(' ')}`), /return 200 B|# more|0f1e2d3c/);
      });

  for (const path of [deploys.VHOST, deploys.MAPS])
    test(`is drift for the next deploy, and kept as the state before: ${path}`, async () => {
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

  test('is reported where no release has it: the file of a client', async () => {
    await killInPlace();
    await sh(`echo '# by hand' >>${deploys.CLIENT}`);
    const next = await programs.apply(lab.proxy, A);
    assert.equal(next.verdict, 'applied', next.stdout + next.stderr);
    assert.deepEqual(next.drift, [{ path: deploys.CLIENT, how: 'changed' }]);
    assert.equal(await serving(), WHOLE.A);
  });

  test('and deleted stays deleted', async () => {
    const program = await killInPlace();
    await sh(`rm ${deploys.VHOST} ${deploys.LINK} ${deploys.CLIENT}`);
    const answer = await programs.execute(lab.proxy, await programs.question(program.run));
    assert.equal(answer.outcome, 'rolled-back', answer.stdout);
    await sh(`nginx -t && ! ls ${deploys.VHOST} ${deploys.CLIENT} 2>/dev/null`);
    assert.equal(await deploys.leftovers(lab.proxy), '');
    const next = await programs.apply(lab.proxy, A);
    assert.equal(next.verdict, 'applied', next.stdout + next.stderr);
    assert.ok(next.drift.some(({ path, how }) => path === deploys.VHOST && how === 'removed'));
    assert.equal(await serving(), WHOLE.A);
  });

  test('is moved aside where nginx would not start with it and the restored files', async () => {
    const program = await killInPlace();
    await sh(`sed -i '1i nonsense;' ${deploys.VHOST}`);
    const answer = await programs.execute(lab.proxy, await programs.question(program.run));
    assert.equal(answer.outcome, 'rolled-back', answer.stdout);
    await sh('nginx -t');
    assert.equal(await serving(), WHOLE.A);
    assert.match(await sh(`cat /var/lib/gatepost/${deploys.SITE}/edited-*/*`), /^nonsense;/);
  });
});

/** A deploy killed at any system call leaves the old or the new state, and the next run recovers it. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import * as deploys from '../../lab/actors/deploys.ts';
import * as programs from '../../lab/actors/programs.ts';
import { callNumbers, signalBefore } from '../../lab/faults/killed.ts';
import { applyState, assertReportedState, assertState, B, lab, sweep, trees } from './two-states.ts';

describe('a change that is killed', () => {
  let calls: readonly string[];
  /** The first call after the new files are in place. */
  const IN_PLACE = / wc -c/;
  /** The number of the first call that matches. */
  const call = (pattern: RegExp) => calls.findIndex((line) => pattern.test(line)) + 1;
  const broken = { ...B, edit: programs.inVhost((text) => `${text}nonsense;\n`) };

  before(async () => {
    await programs.installShims(lab.proxy);
    await applyState(B);
    trees.B = await deploys.config(lab.proxy);
    await applyState();
    trees.A = await deploys.config(lab.proxy);
    ({ calls } = await programs.runWithPlan(lab.proxy, await programs.deployProgram(B), ''));
    assert.ok(calls.length > 20, calls.join('\n'));
    await applyState();
  });

  test('by KILL before any call leaves the old or the new state', async () => {
    const count = await sweep(callNumbers(calls.length).map(signalBefore('KILL')));
    assert.ok(count.A > 15 && count.B > 0, JSON.stringify(count));
  });

  test('by TERM during any call leaves the old or the new state, and reports which', async () => {
    const count = await sweep(
      callNumbers(calls.length, call(/mkdir .*journal.new/), 2).map(signalBefore('TERM')),
    );
    assert.ok(count.A > 5 && count.B > 0, JSON.stringify(count));
  });

  for (const signal of ['HUP', 'PIPE']) {
    test(`by ${signal} runs to its end`, async () => {
      const count = await sweep(callNumbers(calls.length, 6, 9).map(signalBefore(signal)));
      assert.equal(count.A, 0);
    });
  }

  test('by KILL during the rollback of what nginx rejected leaves the old state', async () => {
    await programs.forbidNamespaces(lab.proxy);
    const program = await programs.deployProgram(broken);
    const failed = await programs.runWithPlan(lab.proxy, program, '');
    assert.equal(failed.result.verdict, 'rolled-back');
    const first = failed.calls.findIndex((line) => / nginx -t/.test(line)) + 1;
    const count = await sweep(callNumbers(failed.calls.length, first).map(signalBefore('KILL')), broken);
    await programs.allowNamespaces(lab.proxy);
    assert.ok(count.B === 0 && count.A > 5, JSON.stringify(count));
  });

  test('by KILL during the rollback of what is already live leaves the old state', async () => {
    const reload = call(/ sleep /);
    const term = `${reload} before TERM`;
    const whole = await programs.runWithPlan(lab.proxy, await programs.deployProgram(B), term);
    const plans = callNumbers(whole.calls.length, reload + 1).map((n) => `${term}\n${n} before KILL`);
    assert.ok(plans.length > 5, whole.calls.join('\n'));
    assert.deepEqual(await sweep(plans), { A: plans.length, B: 0 });
  });

  test('and whose recovery is killed at any call ends in the old state', async () => {
    const swap = call(/ mv .*gatepost-new .*sites-available/) + 1;
    const recovery = async (plan: string) => {
      const program = await programs.deployProgram(B);
      await programs.runWithPlan(lab.proxy, program, `${swap} before KILL`);
      const { result, calls: made } = await programs.runWithPlan(
        lab.proxy,
        await programs.outcomeQuery(program),
        plan,
      );
      await assertReportedState(program, result, `recovery killed before ${made.at(-1)}`);
      await assertState('A', plan);
      return made;
    };
    const whole = await recovery('');
    assert.ok(whole.length > 7, whole.join('\n'));
    for (const n of callNumbers(whole.length, 2)) await recovery(`${n} before KILL`);
  });

  test('and whose files another reload makes live ends in the old state', async () => {
    const program = await programs.deployProgram(B);
    const { result } = await programs.runWithPlan(lab.proxy, program, `${call(IN_PLACE)} before KILL`);
    const pids = await deploys.workers(lab.proxy);
    await lab.proxy.sh('nginx -s reload; sleep 0.5');
    assert.notEqual(await deploys.workers(lab.proxy), pids);
    assert.equal(await assertReportedState(program, result, 'reloaded by hand'), 'A');
  });

  test('is recovered by the next deploy, which reports it', async () => {
    await programs.runWithPlan(lab.proxy, await programs.deployProgram(B), `${call(IN_PLACE)} before KILL`);
    const next = await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
    assert.deepEqual([next.exit, next.outcome], [0, 'applied'], next.stderr);
    assert.match(
      next.stderr,
      /an earlier run \(.* of tester@lab\) did not finish; its changes were rolled back/,
    );
    assert.deepEqual(
      [await deploys.gate(deploys.TOKEN), await deploys.gate(deploys.OTHER_TOKEN)],
      [200, 401],
    );
    await applyState();
  });

  const overSsh = [
    ['KILL during the reload', / sleep /, 'KILL', 'rolled-back', 1],
    ['TERM during the reload', / sleep /, 'TERM', 'rolled-back', 1],
    ['TERM during the reload, over the ssh program', / sleep /, 'TERM', 'rolled-back', 1, 'openssh'],
    ['KILL after the commit', / rm .*gatepost-old/, 'KILL', 'applied', 0],
    ['TERM after the commit', / rm .*gatepost-old/, 'TERM', 'applied', 0],
    ['KILL after the commit, over the ssh program', / rm .*gatepost-old/, 'KILL', 'applied', 0, 'openssh'],
    ['KILL before the change began', / nginx -T/, 'KILL', 'rolled-back', 1],
  ] as const;
  for (const [name, where, signal, outcome, exit, transport = 'auto'] of overSsh) {
    test(`${name}: the script reports the outcome, and a new token is not lost`, async () => {
      await deploys.reset(lab.proxy);
      await programs.installShims(lab.proxy);
      // Run twice: the second run starts in the same state as the deploy, and so makes the same calls.
      const count = async () => {
        const { calls } = await programs.runWithPlan(
          lab.proxy,
          await programs.deployProgram({ token: deploys.TOKEN }),
          '',
        );
        await lab.proxy.sh('rm -rf /var/lib/gatepost /etc/nginx/ia-enso-bearers');
        return calls;
      };
      await count();
      const all = await count();
      const at = all.findIndex((line) => where.test(line)) + 1;
      await lab.proxy.sh(
        `: >/run/shim/calls; echo 0 >/run/shim/count; echo ${at} before ${signal} >/run/shim/plan`,
      );
      const deployed = await deploys
        .deploy(lab, { SSH_TRANSPORT: transport })
        .finally(() => lab.proxy.sh('/bin/rm /run/shim/plan'));
      assert.deepEqual([deployed.exit, deployed.outcome], [exit, outcome], deployed.stderr);
      assert.equal(Boolean(deployed.token), outcome === 'applied');
      if (deployed.token) assert.equal(await deploys.gate(deployed.token), 200);
    });
  }
});

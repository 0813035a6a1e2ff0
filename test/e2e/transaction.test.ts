/** A change killed at any call that it makes is wholly there or wholly not, and the next run settles it. */
import '../lab/enter.ts';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import * as d from '../lab/deploys.ts';
import { type Lab, startLab } from '../lab/lab.ts';
import * as p from '../lab/programs.ts';

let lab: Lab;
before(async () => {
  lab = await startLab();
});
after(() => lab.stop());

/** A state of the proxy: a vhost that tells its name, and one token. */
const state = (name: string, token: string, more = ''): p.Wanted => ({
  token,
  edit: p.inVhost((text) =>
    text.replace(
      '    absolute_redirect off;\n',
      (line) => `${line}    location = /state { return 200 ${name}; }\n${more}`,
    ),
  ),
});
const A = state('A', d.TOKEN);
const B = state('B', d.OTHER);
const WHOLE = { A: 'A 200 401', B: 'B 401 200' };

let probes = 0;
/** What the proxy serves: its vhost's name, and its answers to both tokens. From a new address: failures are counted by it. */
async function serving(): Promise<string> {
  const from = `127.1.${probes >> 8}.${probes++ & 255}`;
  const curl = `-sk -m 5 --interface ${from} --resolve ${d.SITE}:443:127.0.0.1`;
  const ask = (token: string) =>
    `--next ${curl} -o /dev/null -w ' %{http_code}' -H 'Authorization: Bearer ${token}' https://${d.SITE}/ollama/v1/models`;
  const { stdout } = await lab.proxy.sh(
    `curl ${curl} https://${d.SITE}/state ${ask(d.TOKEN)} ${ask(d.OTHER)}`,
  );
  return stdout;
}

const trees: Record<string, string> = {};

async function settle(wanted = A): Promise<void> {
  const back = await p.apply(lab.proxy, wanted);
  assert.ok(back.verdict === 'applied' || back.verdict === 'unchanged', back.stdout + back.stderr);
}

/** The proxy is whole, nothing lies about, and files and service agree. */
async function isWholly(is: 'A' | 'B', where: string): Promise<void> {
  assert.equal(await serving(), WHOLE[is], where);
  assert.equal(await d.config(lab.proxy), trees[is], where);
  assert.equal(await d.leftovers(lab.proxy), '', where);
}

/** After a run that was killed: it is what it is said to be. */
async function judge(program: p.Program, ran: p.Ran, where: string): Promise<'A' | 'B'> {
  // A reload that is under way takes a moment from the first new answer to the last old one.
  if (!Object.values(WHOLE).includes(await serving())) await sleep(500);
  const now = await serving();
  assert.ok(Object.values(WHOLE).includes(now), `mixed: ${now}: ${where}`);
  const answer = await p.execute(lab.proxy, await p.question(program.run));
  const told = `${where}\n${ran.stdout}${ran.stderr}${answer.stdout}${answer.stderr}`;
  assert.ok(['asked', 'cancelled'].includes(answer.verdict ?? ''), told);
  if (ran.verdict && answer.verdict === 'asked') assert.equal(answer.outcome, ran.outcome, told);
  const is = answer.outcome === 'applied' ? 'B' : 'A';
  await isWholly(is, told);
  return is;
}

/** Runs the change from A to B under each plan, and tells how often which state came of it. */
async function sweep(plans: readonly string[], wanted = B): Promise<Record<'A' | 'B', number>> {
  const count = { A: 0, B: 0 };
  for (const plan of plans) {
    const program = await p.deployProgram(wanted);
    const { ran, calls } = await p.underPlan(lab.proxy, program, plan);
    const is = await judge(program, ran, `${plan.replace('\n', ', ')}: ${calls.at(-1)}`);
    count[is] += 1;
    if (is === 'B') await settle();
  }
  return count;
}

const upTo = (last: number, first = 1, step = 1) =>
  Array.from({ length: Math.ceil((last - first + 1) / step) }, (_, i) => first + i * step);
const before_ = (signal: string) => (call: number) => `${call} before ${signal}`;

describe('a change that is killed', () => {
  let calls: readonly string[];
  /** The numbers of the first calls that match. */
  const call = (pattern: RegExp) => calls.findIndex((line) => pattern.test(line)) + 1;
  const broken = { ...B, edit: p.inVhost((text) => `${text}nonsense;\n`) };

  before(async () => {
    await p.installShims(lab.proxy);
    await settle(B);
    trees.B = await d.config(lab.proxy);
    await settle();
    trees.A = await d.config(lab.proxy);
    ({ calls } = await p.underPlan(lab.proxy, await p.deployProgram(B), ''));
    assert.ok(calls.length > 25, calls.join('\n'));
    await settle();
  });

  test('by KILL before any call is wholly old or wholly new', async () => {
    const count = await sweep(upTo(calls.length).map(before_('KILL')));
    assert.ok(count.A > 20 && count.B > 0, JSON.stringify(count));
  });

  test('by TERM during any call, too, and says which by itself', async () => {
    const count = await sweep(upTo(calls.length, call(/mkdir .*journal.new/), 2).map(before_('TERM')));
    assert.ok(count.A > 5 && count.B > 0, JSON.stringify(count));
  });

  for (const signal of ['HUP', 'PIPE']) {
    test(`by ${signal} goes on to its end`, async () => {
      const count = await sweep(upTo(calls.length, 8, 12).map(before_(signal)));
      assert.equal(count.A, 0);
    });
  }

  test('by KILL while it puts back what nginx refused is wholly old', async () => {
    const program = await p.deployProgram(broken);
    const failed = await p.underPlan(lab.proxy, program, '');
    assert.equal(failed.ran.verdict, 'rolled-back');
    const first = failed.calls.findIndex((line) => / nginx -t/.test(line)) + 1;
    const count = await sweep(upTo(failed.calls.length, first).map(before_('KILL')), broken);
    assert.ok(count.B === 0 && count.A > 5, JSON.stringify(count));
  });

  test('by KILL while it puts back what is live already is wholly old', async () => {
    const reload = call(/ sleep /);
    const plans = upTo(reload + 12, reload + 1).map((n) => `${reload} before TERM\n${n} before KILL`);
    assert.deepEqual(await sweep(plans), { A: plans.length, B: 0 });
  });

  test('and whose recovery is killed, at any call, is wholly old in the end', async () => {
    const swap = call(/ mv .*sites-available/) + 1;
    for (const n of upTo(14, 3)) {
      const program = await p.deployProgram(B);
      await p.underPlan(lab.proxy, program, `${swap} before KILL`);
      const { ran, calls: made } = await p.underPlan(
        lab.proxy,
        await p.question(program.run),
        `${n} before KILL`,
      );
      await judge(program, ran, `recovery killed before ${made.at(-1)}`);
      await isWholly('A', `${n}`);
    }
  });

  test('and whose files somebody else makes live meanwhile is wholly old in the end', async () => {
    const program = await p.deployProgram(B);
    const { ran } = await p.underPlan(lab.proxy, program, `${call(/ nginx -t/)} before KILL`);
    const pids = await d.workers(lab.proxy);
    await lab.proxy.sh('nginx -s reload; sleep 0.5');
    assert.notEqual(await d.workers(lab.proxy), pids);
    assert.equal(await judge(program, ran, 'reloaded by hand'), 'A');
  });

  test('is settled by the next deploy, which says so', async () => {
    await p.underPlan(lab.proxy, await p.deployProgram(B), `${call(/ nginx -t/)} before KILL`);
    const next = await d.deploy(lab, d.withToken(d.TOKEN));
    assert.deepEqual([next.exit, next.outcome], [0, 'applied'], next.stderr);
    assert.match(
      next.stderr,
      /an earlier run \(.* of tester@lab\) did not finish; what it had changed is put back/,
    );
    assert.deepEqual([await d.gate(d.TOKEN), await d.gate(d.OTHER)], [200, 401]);
    await settle();
  });

  const overSsh = [
    ['KILL during the reload', / sleep /, 'KILL', 'rolled-back', 1],
    ['TERM during the reload', / sleep /, 'TERM', 'rolled-back', 1],
    ['KILL after the commit', / rm .*gatepost-old/, 'KILL', 'applied', 0],
    ['TERM after the commit', / rm .*gatepost-old/, 'TERM', 'applied', 0],
    ['KILL before anything was begun', / nginx -T/, 'KILL', 'rolled-back', 1],
  ] as const;
  for (const [name, where, signal, outcome, exit] of overSsh) {
    test(`${name}: the script says what came of it, and a new token is not lost`, async () => {
      await d.reset(lab.proxy);
      await p.installShims(lab.proxy);
      const all = (await p.underPlan(lab.proxy, await p.deployProgram(A), '')).calls;
      await lab.proxy.sh('rm -rf /var/lib/gatepost /etc/nginx/ia-enso-bearers');
      const at = all.findIndex((line) => where.test(line)) + 1;
      await lab.proxy.sh(`echo 0 >/run/shim/count; echo ${at} before ${signal} >/run/shim/plan`);
      const deployed = await d.deploy(lab).finally(() => lab.proxy.sh('/bin/rm /run/shim/plan'));
      assert.deepEqual([deployed.exit, deployed.outcome], [exit, outcome], deployed.stderr);
      assert.equal(Boolean(deployed.token), outcome === 'applied');
      if (deployed.token) assert.equal(await d.gate(deployed.token), 200);
    });
  }
});

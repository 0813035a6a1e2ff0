/**
 * Somebody else stops, restarts or upgrades nginx during a change: all of it is applied or none, and the result is
 * reported.
 */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { clientProgram } from '../../../lib/program/client-program.ts';
import * as deploys from '../../lab/actors/deploys.ts';
import * as programs from '../../lab/actors/programs.ts';
import { A, applyState, assertState, B, lab, RESPONSES, serving, trees } from './two-states.ts';

const sh = async (script: string): Promise<string> => {
  const { status, stdout, stderr } = await lab.proxy.sh(script);
  assert.equal(status, 0, `${script}\n${stderr}`);
  return stdout;
};

/** A shell command that waits for a condition, five seconds at most. */
const until = (condition: string) =>
  `for _ in $(seq 250); do if ${condition}; then break; fi; /bin/sleep 0.02; done`;
/** Started like an init system does: by its path, which a binary upgrade needs, and without this test's pipes. */
const START = `/usr/sbin/nginx </dev/null >/dev/null 2>&1; ${until('[ -s /run/nginx.pid ]')}`;
const STOP = `/usr/sbin/nginx -s stop; ${until('[ ! -e /run/nginx.pid ]')}`;
const UPGRADE = `kill -USR2 "$(cat /run/nginx.pid)"
  ${until('[ -s /run/nginx.pid ] && [ -s /run/nginx.pid.oldbin ]')}; /bin/sleep 0.2`;
const FINISH = `kill -QUIT "$(cat /run/nginx.pid.oldbin)"; ${until('[ ! -e /run/nginx.pid.oldbin ]')}`;

/** The program wrote its PID to the lock. */
const KILL = `read -r holder </var/lib/gatepost/lock; p=\${holder##*process }; kill -KILL "\${p%)}"`;

interface Judged {
  readonly verdict: string;
  readonly attention: readonly { readonly about: string; readonly text: string }[];
}

/** Runs a command once, before the next call of `command` for which `when` holds. */
const atNext = (command: string, when: string, action: string) =>
  sh(`touch /run/next; cat >/usr/local/sbin/${command} <<'END' && chmod 755 /usr/local/sbin/${command}
#!/bin/sh
if [ -e /run/next ] && ${when}; then
  rm /run/next
  { ${action}
  } </dev/null >/dev/null 2>&1
fi
PATH=/usr/sbin:/usr/bin:/sbin:/bin exec ${command} "$@"
END`);
const IN_PLACE = `[ -d /var/lib/gatepost/${deploys.SITE}/journal ]`;
/** Before the reload, with the new files in place; and while waiting for the reload. */
const BEFORE_RELOAD = ['wc', IN_PLACE] as const;
const DURING_RELOAD = ['sleep', IN_PLACE] as const;
const DURING_TEST = ['nginx', '[ "$1" = -t ]'] as const;

/** Runs a program with a different wait for an upgrade to end, in seconds. */
function executeWithWait({ id, text }: programs.Program, wait = 2): Promise<programs.ProgramResult> {
  assert.match(text, /^UPGRADE_WAIT=10 /m);
  return programs.execute(lab.proxy, { id, text: text.replace('UPGRADE_WAIT=10', `UPGRADE_WAIT=${wait}`) });
}

const change = async (wait?: number) => executeWithWait(await programs.deployProgram(B), wait);

/** Repeats requests until the workers of every master have answered. */
async function servedByAll(): Promise<ReadonlySet<string>> {
  const seen = new Set<string>();
  for (let i = 0; i < 12; i++) seen.add(await serving());
  return seen;
}

beforeEach(async () => {
  await deploys.reset(lab.proxy);
  await sh(`[ ! -e /run/nginx.pid.oldbin ] || { ${FINISH}; }; ${STOP}; ${START}`);
  await applyState(A);
  trees.A ??= await deploys.config(lab.proxy);
  await lab.proxy.sh('rm -f /run/next');
});

describe('a binary upgrade of nginx', () => {
  test('that is in progress: the change is refused, and reports which process still serves; status, too', async () => {
    await sh(UPGRADE);
    const result = await change();
    const status = await lab.run('status', ['--json']);
    await sh(FINISH);
    const { verdict, attention } = JSON.parse(status.stdout).hosts[0] as Judged;
    assert.deepEqual([status.status, verdict], [3, 'needs attention'], status.stderr);
    const text = attention.find(({ about }) => about === 'nginx')?.text ?? '';
    assert.match(text, /old master .*process \d+, \/run\/nginx\.pid\.oldbin.*kill -QUIT/);
    assert.deepEqual(
      [result.status, result.verdict, result.failure?.code],
      [1, 'refused', 'upgrading'],
      result.stdout,
    );
    assert.match(result.failure?.text ?? '', /process \d+, \/run\/nginx\.pid\.oldbin/);
    await assertState('A', 'after the upgrade');
    assert.equal((await change()).verdict, 'applied');
  });

  test('that follows a killed run: its files are rolled back, and the next change is refused until it ends', async () => {
    await atNext(...DURING_RELOAD, KILL);
    assert.equal((await change()).verdict, undefined);
    await sh(UPGRADE);
    const result = await change();
    assert.deepEqual([result.verdict, result.failure?.code], ['refused', 'upgrading'], result.stdout);
    await sh(FINISH);
    await assertState('A', 'after the upgrade');
    assert.equal((await change()).verdict, 'applied');
    assert.deepEqual(await servedByAll(), new Set([RESPONSES.B]));
  });

  for (const when of ['is in progress', 'begins'] as const)
    test(`that ${when} while a client is revoked: no process accepts its token`, async () => {
      await (when === 'begins' ? atNext(...BEFORE_RELOAD, UPGRADE) : sh(UPGRADE));
      const revoke = { verb: 'revoke_client', client: 'default' } as const;
      const result = await executeWithWait(await clientProgram(programs.context, revoke, false));
      assert.deepEqual([result.failure?.code, result.facts.ended], ['upgrading', 'yes'], result.stdout);
      assert.deepEqual(await servedByAll(), new Set(['A 401 401']));
      await sh(FINISH);
      assert.equal(await serving(), 'A 401 401');
    });

  test('that ends meanwhile is waited for', async () => {
    await sh(UPGRADE);
    const ending = lab.proxy.sh(`sleep 1; ${FINISH}`);
    const result = await change(10);
    await ending;
    assert.equal(result.verdict, 'applied', result.stdout);
    assert.deepEqual(await servedByAll(), new Set([RESPONSES.B]));
  });

  for (const [when, [command, condition]] of [
    ['during the test', DURING_TEST],
    ['before the reload', BEFORE_RELOAD],
  ] as const) {
    test(`that begins ${when} and goes on: rolled back, by both masters`, async () => {
      await atNext(command, condition, UPGRADE);
      const result = await change();
      assert.deepEqual(
        [result.status, result.verdict, result.failure?.code],
        [1, 'rolled-back', 'upgrading'],
        result.stdout,
      );
      assert.deepEqual(await servedByAll(), new Set([RESPONSES.A]));
      await sh(FINISH);
      await assertState('A', when);
    });

    test(`that begins ${when} and ends: applied, and nothing else is served`, async () => {
      await atNext(command, condition, `${UPGRADE}; { sleep 1; ${FINISH}; } &`);
      const result = await change(10);
      assert.equal(result.verdict, 'applied', result.stdout);
      assert.deepEqual(await servedByAll(), new Set([RESPONSES.B]));
    });
  }

  test('that begins during the reload: both masters serve the reported state', async () => {
    await atNext(...DURING_RELOAD, UPGRADE);
    const result = await change();
    const is = result.verdict === 'applied' ? 'B' : 'A';
    assert.deepEqual(await servedByAll(), new Set([RESPONSES[is]]), result.stdout);
    await sh(FINISH);
    assert.equal(await serving(), RESPONSES[is]);
  });
});

describe('a restart of nginx', () => {
  for (const [when, [command, condition]] of [
    ['during the test', DURING_TEST],
    ['before the reload', BEFORE_RELOAD],
    ['during the reload', DURING_RELOAD],
  ] as const)
    test(`${when}: applied`, async () => {
      await atNext(command, condition, `${STOP}; { /bin/sleep 1; ${START}; } &`);
      const result = await change();
      assert.equal(result.verdict, 'applied', result.stdout);
      assert.equal(await serving(), RESPONSES.B);
      assert.equal(await deploys.leftovers(lab.proxy), '');
    });
});

describe('nginx is stopped', () => {
  for (const [when, [command, condition]] of [
    ['before the reload', BEFORE_RELOAD],
    ['during the reload', DURING_RELOAD],
  ] as const)
    test(`${when}: the files are rolled back, and it starts with them`, async () => {
      await atNext(command, condition, `systemctl stop nginx; ${until('[ ! -e /run/nginx.pid ]')}`);
      const deployed = await deploys.deploy(lab, deploys.withToken(deploys.OTHER_TOKEN));
      assert.deepEqual(
        [deployed.exit, deployed.outcome, deployed.failure?.code],
        [1, 'rolled-back', 'nginx-stopped'],
        deployed.stderr,
      );
      assert.match(deployed.stderr, /systemctl start nginx/);
      assert.equal(await deploys.config(lab.proxy), trees.A);
      await sh(START);
      await assertState('A', when);
      const next = await programs.apply(lab.proxy, B);
      assert.equal(next.verdict, 'applied', next.stdout + next.stderr);
      assert.equal(await sh('find /var/lib/gatepost -name reload-due'), '');
    });
});

/**
 * A hostile backend and a hostile root on the proxy: runs are bounded in time, memory and output, and can be
 * interrupted within two seconds.
 */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CheckResult } from '../../../lib/model/check.ts';
import * as deploys from '../../lab/actors/deploys.ts';
import { CTRL_C, onTerminal } from '../../lab/actors/terminal.ts';
import { finished, type Lab, onceOutput, startLab } from '../../lab/namespaces/lab.ts';
import { BACKEND } from '../../lab/namespaces/network.ts';
import { CHECKOUT, local, PATH, ready, spawnProcess, typescript } from '../../lab/namespaces/process.ts';

const RUNNER = '/usr/local/sbin/gatepost-run';
let lab: Lab;

before(async () => {
  lab = await startLab({ backends: false });
  const { outcome } = await deploys.deploy(lab, deploys.withToken(deploys.TOKEN));
  assert.equal(outcome, 'applied');
});
after(() => lab.stop());

/** Sets how the proxy's root answers. */
const answerWith = (mode: string) => deploys.put(lab.proxy, '/run/hostile', mode);

/** The environment of a script that records its resource usage. */
const probed = () => ({
  ...deploys.withToken(deploys.TOKEN),
  NODE_OPTIONS: `--import=${CHECKOUT}/test/lab/probes/own-usage.mjs`,
  USAGE: join(lab.directory, 'usage'),
});

/** The resource usage of the last script, in megabytes and seconds of CPU time. */
async function usage(): Promise<{ readonly megabytes: number; readonly cpu: number }> {
  const text = await readFile(join(lab.directory, 'usage'), 'utf8');
  const { maxRSS, userCPUTime, systemCPUTime } = JSON.parse(text) as NodeJS.ResourceUsage;
  return { megabytes: maxRSS / 1024, cpu: (userCPUTime + systemCPUTime) / 1e6 };
}

/** Runs a script; returns its result, duration and resource usage. */
async function measured(script: string, args: readonly string[]) {
  const start = performance.now();
  const result = await lab.run(script, args, { env: probed() });
  const seconds = (performance.now() - start) / 1000;
  const figures = { seconds, printed: result.stdout.length + result.stderr.length, ...(await usage()) };
  return { ran: result, ...figures, seen: JSON.stringify({ status: result.status, ...figures }) };
}

test('a backend with endless or oversized responses: verify ends with its checks, 16 requests at a time', async () => {
  const file = join(lab.directory, 'most');
  const args = [`--net=/run/netns/${BACKEND.name}`, process.execPath];
  const standIn = typescript('test/lab/stand-ins/hostile-backend.ts', [`${BACKEND.lan}`, file]);
  const backend = spawnProcess({ env: { PATH }, stdio: ['ignore', 'pipe', 'pipe'] }, 'nsenter', [
    ...args,
    ...standIn,
  ]);
  await ready(backend, 'hostile backend');
  const { ran, seen, megabytes, cpu } = await measured('verify', ['--json']);
  backend.kill();
  const checks: readonly CheckResult[] = JSON.parse(ran.stdout).hosts[0].checks;
  const failed = checks.filter(({ ok }) => !ok).map(({ name }) => name);
  assert.deepEqual(
    [ran.status, failed],
    [3, ['bearer gate opens', 'WebSocket', 'web interface']],
    ran.stdout,
  );
  const most = Number(await readFile(file, 'utf8'));
  const longest = Math.max(...checks.map(({ milliseconds }) => milliseconds));
  // The limit is 15 s; a busy machine notices it later.
  assert.ok(
    longest < 20_000 && most > 4 && most <= 16 && megabytes < 300 && cpu < 8,
    `${seen}, ${most} at once, ${longest} ms`,
  );
});

describe('a proxy whose root answers with', () => {
  before(async () => {
    const text = await readFile(`${CHECKOUT}/test/lab/stand-ins/hostile-root.sh`, 'utf8');
    await deploys.put(lab.proxy, RUNNER, text);
    await lab.proxy.sh(`chmod 755 ${RUNNER}`);
  });

  const DEPLOY = ['deploy', '--no-verify'] as const;
  const PLAN = ['deploy', '--dry-run', '--json'] as const;
  // The script's exit status, and the maximum size of its output.
  const cases = [
    ['endless bytes', 'bytes', ['bearers', 'list'], 1, 2_000],
    ['endless lines', 'lines', ['status'], 1, 2_000],
    ['endless errors', 'stderr', ['status', '--json'], 1, 3_000],
    ['endless notes and long steps', 'notes', DEPLOY, 4, 200_000],
    ['50,000 clients', 'clients', ['bearers', 'list'], 0, 3_000_000],
    ['50,000 releases', 'releases', ['status', '--json'], 3, 5_000_000],
    ['50,000 drifted files', 'drift', DEPLOY, 0, 200_000],
    ['24,000 files', 'files', PLAN, 0, 3_000_000],
    ['20,000 differing lines', 'diff', PLAN, 0, 5_000],
    ['a diff of 2 MB', 'long-diff', ['deploy', '--dry-run'], 0, 3_000_000],
  ] as const;
  for (const [what, mode, [script, ...args], status, most] of cases)
    test(`${what}: ${script} ends soon, in little memory, and prints little`, async () => {
      await answerWith(mode);
      const { ran, seen, printed, seconds, megabytes, cpu } = await measured(script, args);
      assert.equal(ran.status, status, ran.stdout + ran.stderr);
      assert.ok(seconds < 60 && cpu < 8 && megabytes < 300 && printed < most, seen);
    });

  test('too much data: that is the reported cause', async () => {
    await answerWith('lines');
    const { stdout } = await lab.run('bearers', ['list']);
    assert.match(stdout, /it printed more than 4 MB/);
    assert.doesNotMatch(stdout, /before the program was fully sent/);
  });

  test('the name of a step in 50,000 characters: Ctrl-C on the terminal ends it', async () => {
    await answerWith('name');
    const typed = { after: /test configuration/, keys: CTRL_C };
    const { raw } = await onTerminal(lab, 'deploy', ['--no-verify'], { env: probed(), typed });
    const { cpu } = await usage();
    assert.match(raw, /Interrupted while the change was running/);
    assert.ok(cpu < 5 && raw.length < 50_000, JSON.stringify({ cpu, size: raw.length }));
  });

  // Nothing that it sends may reach a terminal except as text.
  test('characters that move, hide or reorder text: none is printed, and JSON escapes them', async () => {
    await answerWith('signs');
    for (const [script, ...args] of [
      [...DEPLOY, '--verbose'],
      ['deploy', '--dry-run'],
      PLAN,
      ['status'],
      ['status', '--json'],
      ['bearers', 'list', '--json'],
    ] as const) {
      const { stdout, stderr } = await lab.run(script, args, { env: deploys.withToken(deploys.TOKEN) });
      const text = (stdout + stderr).replace(/[\n\t]/g, '');
      assert.ok(text.length > 100, text);
      assert.doesNotMatch(
        text,
        /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u,
        `${script} ${args.join(' ')}: ${JSON.stringify(text)}`,
      );
    }
  });

  /** Milliseconds after the script has begun to talk to the proxy; more of them with MOMENTS. */
  const moments = process.env.MOMENTS ? Array.from({ length: 24 }, (_, i) => i * 125) : [0, 500, 1_000];
  for (const [mode, args, transport, some] of [
    ['diff', PLAN, 'ssh2', moments],
    ['files', PLAN, 'ssh2', moments.slice(1, 2)],
    ['silence', DEPLOY, 'ssh2', moments.slice(-1)],
    ['lines', DEPLOY, 'openssh', moments.slice(-1)],
  ] as const)
    test(`${mode}: the script ends within two seconds of Ctrl-C and TERM, over ${transport}`, async () => {
      await answerWith(mode);
      for (const [i, moment] of some.entries()) {
        const [script, ...flags] = args;
        const child = lab.spawn(script, flags, { env: { SSH_TRANSPORT: transport } });
        const ended = finished(child);
        await new Promise<void>((resolve) => onceOutput(child, / connect /, resolve));
        await sleep(moment);
        const start = performance.now();
        child.kill(i % 2 ? 'SIGTERM' : 'SIGINT');
        await ended;
        const elapsed = performance.now() - start;
        assert.ok(elapsed < 2_000, `${elapsed} ms after ${moment} ms`);
      }
      // Processes of ssh end on their own, a second later.
      const left = async () => /^ssh /m.test((await local`ps -eo args`).stdout);
      for (let tries = 0; tries < 30 && (await left()); tries += 1) await sleep(100);
      assert.ok(!(await left()), (await local`ps -eo args`).stdout);
    });
});

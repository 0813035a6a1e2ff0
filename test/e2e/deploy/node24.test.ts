/** The scripts on Node 24, which runs TypeScript directly, compared with Node and tsx. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import * as d from '../../lab/actors/deploys.ts';
import { type Lab, type Result, startLab } from '../../lab/namespaces/lab.ts';
import { CHECKOUT, local, NODE_24 } from '../../lab/namespaces/process.ts';

let lab: Lab;
before(async () => {
  lab = await startLab();
});
after(() => lab.stop());

/** Runs a script of the checkout, not its bundle. */
async function runBy(
  node: readonly string[],
  script: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Result> {
  const own = { ...lab.env, ...d.withToken(d.TOKEN), ...env };
  const run = local({ env: own, cwd: lab.directory, nothrow: true });
  const { exitCode, stdout, stderr } = await run`exec ${node} ${CHECKOUT}/scripts/${script}.ts ${args}`;
  return { status: exitCode ?? -1, stdout, stderr };
}

/** On Node 24 without any loader. */
const natively = (script: string, args: readonly string[], env?: Record<string, string>) =>
  runBy([NODE_24], script, args, env);

const TSX = [process.execPath, '--import', import.meta.resolve('tsx')];
const withTsx = (script: string, args: readonly string[]) => runBy(TSX, script, args);

/** A run's JSON without the parts that vary between runs: its id, times and durations. */
const stablePart = ({ stdout }: Result): unknown =>
  JSON.parse(stdout.replace(/\d{4}-\d\d-\d\dT[\d:]+Z/g, 'TIME'), (key, value) =>
    /^(milliseconds|id|run|release)$|Ms$/.test(key) ? undefined : value,
  );

describe('on Node 24 without tsx', () => {
  test('is Node 24, without a warning or a flag', async () => {
    const { stdout } = await local`${NODE_24} --version`;
    assert.match(stdout, /^v24\./);
    const { status, stderr } = await natively('deploy', ['--help']);
    assert.deepEqual([status, stderr], [0, '']);
  });

  test('every script prints the same help', async () => {
    const files = (await readdir(`${CHECKOUT}/scripts`)).filter((file) => file.endsWith('.ts'));
    const names = files.map((file) => file.replace('.ts', '')).filter((name) => name !== 'demo');
    assert.ok(names.length >= 8);
    for (const name of names)
      assert.deepEqual(await natively(name, ['--help']), await withTsx(name, ['--help']));
  });

  test('a dry run, a deploy, the checks and the status are the same', async () => {
    for (const [script, args] of [
      ['deploy', ['--dry-run', '--json']],
      ['deploy', ['--dry-run', '--json', '--site', 'nexus', '--host', '192.168.1.100']],
    ] as const) {
      const [own, other] = [await natively(script, args), await withTsx(script, args)];
      assert.deepEqual([own.status, stablePart(own)], [other.status, stablePart(other)], own.stderr);
    }
    const deployed = await natively('deploy', ['--json']);
    assert.equal(deployed.status, 0, deployed.stderr);
    assert.equal(await d.gate(d.TOKEN), 200);
    const [own, other] = [await natively('status', ['--json']), await withTsx('status', ['--json'])];
    assert.deepEqual([own.status, stablePart(own)], [other.status, stablePart(other)]);
  });

  test('a settings error has the same message and status', async () => {
    const args = ['--host', '999.1.1.1', '--parallel', '0', '--dry-run'];
    assert.deepEqual(await natively('deploy', args), await withTsx('deploy', args));
  });

  test('programs for approval, masked on this machine, are the same', async () => {
    assert.equal((await natively('approve', ['--bundle', 'own.bundle'])).status, 0);
    assert.equal((await withTsx('approve', ['--bundle', 'tsx.bundle'])).status, 0);
    await local`cd ${lab.directory}; grep -q ' apply' own.bundle; cmp own.bundle tsx.bundle`;
  });

  test('an unwritable compile cache is ignored', async () => {
    const { status, stderr } = await natively('deploy', ['--help'], {
      NODE_COMPILE_CACHE: '/etc/passwd/cache',
    });
    assert.deepEqual([status, stderr], [0, '']);
  });
});

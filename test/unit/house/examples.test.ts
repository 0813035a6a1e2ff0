/**
 * The examples for CI, systemd and cron: their commands exist and take these flags, their shell parses, a plan reaches
 * the summary.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../../../lib/util/project.ts';
import { $ } from '../../../lib/util/shell.ts';
import { typescript } from '../../lab/namespaces/process.ts';

const read = (name: string): Promise<string> => readFile(new URL(name, ROOT), 'utf8');
const workflow = await read('examples/github-actions.yml');
const service = await read('examples/systemd/gatepost-status.service');
const timer = await read('examples/systemd/gatepost-status.timer');
const operations = await read('docs/operations.md');
const PATH = process.env.PATH ?? '';

/** The shell script of the step with this name. */
function stepOf(name: string): string {
  const step = workflow.split(/^ {6}- /m).find((text) => text.startsWith(`name: ${name}\n`)) ?? '';
  const block = /run: \|\n((?: {10}.*\n|\n)+)/.exec(step)?.[1]?.replaceAll(/^ {10}/gm, '');
  return block ?? /run: (.*)/.exec(step)?.[1] ?? '';
}

test('every command of the examples is a script with flags that it has', async () => {
  const texts = [workflow, service, operations];
  const commands = texts.flatMap((text) =>
    [...text.matchAll(/tsx (?:\S*\/)?(scripts\/(?:deploy|status)\.ts)((?: --[a-z-]+)*)/g)].map(
      ([, script = '', flags = '']) => `${script}${flags}`,
    ),
  );
  const distinct = [...new Set(commands)];
  for (const example of [
    'scripts/deploy.ts --dry-run --exit-code',
    'scripts/deploy.ts --canary',
    'scripts/status.ts',
  ])
    assert.ok(distinct.includes(example), `${example}: ${distinct}`);
  const flagged = distinct.filter(
    (command) => command.includes(' --') && !/--(?:bundle|render)/.test(command),
  );
  await Promise.all(
    flagged.map(async (command) => {
      const [script = '', ...flags] = command.split(' ');
      const words = typescript(script, [...flags, '--help']);
      const { exitCode, stderr } = await $({ nothrow: true })`${process.execPath} ${words}`;
      assert.equal(exitCode, 0, `${command}: ${stderr}`);
    }),
  );
});

test('the workflow pins the host keys, deploys one at a time and keeps secrets out of its commands', async () => {
  assert.match(workflow, /^concurrency:\n {2}group: gatepost\n {2}cancel-in-progress: false$/m);
  assert.match(stepOf('SSH'), /KNOWN_HOSTS" >~\/\.ssh\/gatepost_known_hosts/);
  assert.doesNotMatch(workflow, /StrictHostKeyChecking|^\s*ssh-keyscan|\t/m);
  for (const name of ['SSH', 'Dry run', 'Deploy']) {
    assert.notEqual(stepOf(name), '', name);
    assert.doesNotMatch(stepOf(name), /\$\{\{/, 'a value of GitHub in a command is an injection');
    await $`bash -n -c ${stepOf(name)}`;
  }
});

test('the dry-run step puts the plan into the summary, and passes only with 0 and 3', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatepost-'));
  try {
    for (const [status, title, ends] of [
      [0, 'no changes', 0],
      [3, 'changes pending', 0],
      [1, 'failed with exit status 1', 1],
    ] as const) {
      // The step calls npx, which is replaced here to return each exit status.
      await writeFile(join(folder, 'npx'), `#!/bin/sh\necho "$*"\nexit ${status}\n`);
      await chmod(join(folder, 'npx'), 0o755);
      const summary = join(folder, `summary-${status}`);
      const env = { PATH: `${folder}:${PATH}`, GITHUB_STEP_SUMMARY: summary };
      const { exitCode } = await $({ nothrow: true, cwd: folder, env })`bash -e -c ${stepOf('Dry run')}`;
      assert.equal(exitCode, ends, `${status}`);
      const text = `### gatepost: ${title}\n\n~~~~diff\ntsx scripts/deploy.ts --dry-run --exit-code\n~~~~\n`;
      assert.equal(await readFile(summary, 'utf8'), text);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('the timer starts the service of its name, which starts a script that exists', async () => {
  const script = /^ExecStart=\S+\/tsx (scripts\/\S+)$/m.exec(service)?.[1] ?? '';
  assert.ok(existsSync(new URL(script, ROOT)), script);
  assert.match(timer, /^OnCalendar=\S+ \d\d:\d\d$/m);
  for (const unit of ['gatepost-status.timer', 'gatepost-status.service'])
    assert.ok(operations.includes(unit), unit);
  if (!existsSync('/usr/bin/systemd-analyze')) return;
  const { stdout } =
    await $`systemd-analyze calendar --iterations=1 ${/^OnCalendar=(.*)$/m.exec(timer)?.[1] ?? ''}`;
  assert.match(stdout, /Next elapse/);
});

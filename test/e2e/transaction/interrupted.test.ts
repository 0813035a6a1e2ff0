/**
 * Ctrl-C, a closed terminal, a closed pipe: the proxy completes the change that it received, and the script reports the
 * state.
 */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import * as deploys from '../../lab/actors/deploys.ts';
import * as programs from '../../lab/actors/programs.ts';
import { copyProject } from '../../lab/actors/project.ts';
import { finished, type Lab, onceOutput, type Result, startLab } from '../../lab/namespaces/lab.ts';
import { typescript } from '../../lab/namespaces/process.ts';

let lab: Lab;
before(async () => {
  lab = await startLab();
});
after(() => lab.stop());

/** Starts a script, and sends it a signal as soon as its output matches. */
async function interrupted(
  name: string,
  args: readonly string[],
  pattern: RegExp,
  signal: NodeJS.Signals = 'SIGINT',
  env: Record<string, string> = {},
): Promise<Result> {
  const child = lab.spawn(name, args, { env });
  onceOutput(child, pattern, () => child.kill(signal));
  const result = await finished(child);
  await lab.proxy.sh('flock /var/lib/gatepost/lock true');
  return result;
}

const live = async () => [await deploys.gate(deploys.TOKEN), await deploys.gate(deploys.OTHER_TOKEN)];
const OLD = [200, 401];
const NEW = [401, 200];

describe('a deploy that is interrupted', () => {
  beforeEach(async () => {
    await deploys.reset(lab.proxy);
    assert.equal((await programs.apply(lab.proxy, { token: deploys.TOKEN })).verdict, 'applied');
  });

  test('before the proxy is connected changes nothing, and reports that', async () => {
    const result = await interrupted(
      'deploy',
      [],
      /through 4nk/,
      'SIGINT',
      deploys.withToken(deploys.OTHER_TOKEN),
    );
    assert.equal(result.status, 1, result.stdout);
    assert.match(result.stdout, /Interrupted\.\n.*Nothing was changed.*Run the same command again/);
    assert.deepEqual(await live(), OLD);
  });

  for (const signal of ['SIGINT', 'SIGHUP'] as const)
    test(`by ${signal} while the change is running leaves the old or the new state, and names the command to run`, async () => {
      const result = await interrupted(
        'deploy',
        [],
        /✓ connect /,
        signal,
        deploys.withToken(deploys.OTHER_TOKEN),
      );
      assert.equal(result.status, 4, result.stdout);
      assert.match(
        result.stdout,
        /Interrupted while the change was running on 192\.168\.1\.100\.\n.*Run the same command again/,
      );
      const now = await live();
      assert.ok(
        [OLD, NEW].some((each) => `${each}` === `${now}`),
        `${now}`,
      );
      assert.equal(await deploys.leftovers(lab.proxy), '');
    });

  test('during the checks does not claim that nothing was changed', async () => {
    const result = await interrupted(
      'deploy',
      [],
      /Checks of https/,
      'SIGINT',
      deploys.withToken(deploys.OTHER_TOKEN),
    );
    assert.equal(result.status, 3, result.stdout);
    assert.match(result.stdout, /Interrupted after the change was made on 192\.168\.1\.100\./);
    assert.doesNotMatch(result.stdout, /Nothing was changed/);
    assert.deepEqual(await live(), NEW);
  });

  test('in a dry run does not claim that a change was running', async () => {
    const result = await interrupted(
      'deploy',
      ['--dry-run'],
      /✓ connect /,
      'SIGINT',
      deploys.withToken(deploys.OTHER_TOKEN),
    );
    assert.equal(result.status, 1, result.stdout);
    assert.match(result.stdout, /Nothing was changed/);
    assert.deepEqual(await live(), OLD);
  });
});

describe('the end of a script', () => {
  /** Runs a script while a silent SSH agent would keep the process alive. */
  async function runWithSilentAgent(
    args: readonly string[],
    ended: NodeJS.Signals | undefined,
  ): Promise<Result> {
    const socket = join(lab.directory, 'mute');
    const agent = createServer(() => {}).listen(socket);
    const env = { IA_ENSO_SSH_KEY: '~/.ssh/id_ed25519.pub', SSH_AUTH_SOCK: socket };
    const child = lab.spawn('deploy', args, { env });
    if (ended) onceOutput(child, /^}$/m, () => child.kill(ended));
    return finished(child).finally(() => agent.close());
  }

  test('comes even if something keeps the event loop alive', async () => {
    const { status, stdout } = await runWithSilentAgent([], undefined);
    assert.equal(status, 1, stdout);
    assert.match(stdout, /agent/);
  });

  test('comes once: a later signal changes neither the document nor the status', async () => {
    const { status, stdout, stderr } = await runWithSilentAgent(['--json'], 'SIGINT');
    assert.equal(status, 1, stderr);
    assert.equal(JSON.parse(stdout).hosts[0].outcome, 'failed');
    assert.doesNotMatch(stderr, /Interrupted/);
  });

  test('names the requested site in JSON, even if its settings are invalid', async () => {
    const { status, stdout } = await lab.run('deploy', ['--site', 'nexus', '--json', '--host', 'a b']);
    assert.deepEqual([status, JSON.parse(stdout).site], [2, 'nexus']);
  });

  test('prints no document with --help', async () => {
    const { status, stdout } = await lab.run('deploy', ['--help', '--json']);
    assert.equal(status, 0);
    assert.match(stdout, /^Renders a site[\s\S]*rollback failed\.\n$/);
  });
});

describe('a new token', () => {
  const tokens = ({ stdout, stderr }: Result) => (stdout + stderr).match(/\b[0-9a-f]{64}\b/g) ?? [];

  for (const flags of [[], ['--json']])
    test(`is shown once when the checks after the change are interrupted: ${flags.join('') || 'text'}`, async () => {
      await deploys.reset(lab.proxy);
      const result = await interrupted('deploy', flags, /Checks of https/);
      assert.deepEqual([result.status, tokens(result).length], [3, 1], result.stderr);
      assert.equal(await deploys.gate(tokens(result)[0]), 200);
    });

  test('that a proxy with clients did not adopt is not shown', async () => {
    const result = await interrupted('deploy', ['--json'], /Checks of https/, 'SIGINT', {
      IA_ENSO_BACKEND_IP: '192.168.1.165',
    });
    assert.deepEqual([result.status, tokens(result)], [3, []], result.stderr);
  });

  test('written to the env file before any proxy is contacted: the summary names the file and the live token', async () => {
    const file = join(lab.directory, 'interrupted.env');
    await writeFile(file, `IA_ENSO_OLLAMA_BEARER_TOKEN=${deploys.OTHER_TOKEN}\n`, { mode: 0o600 });
    const result = await interrupted(
      'rotate-bearer',
      ['--write-env', '--env', file],
      /now contains the new token/,
    );
    assert.equal(result.status, 1, result.stdout);
    assert.match(
      result.stdout.replaceAll(/\s+/g, ' '),
      /Interrupted after the new token was written to \S+interrupted\.env\. .*where the old token is live\. Run the same command again/,
    );
    const again = await lab.run('rotate-bearer', ['--write-env', '--env', file]);
    assert.equal(again.status, 0, again.stdout);
  });

  test('of a rotation is shown once', async () => {
    const result = await interrupted('rotate-bearer', ['--json'], /Requests to https/);
    assert.deepEqual([result.status, tokens(result).length], [3, 1], result.stderr);
    assert.equal(await deploys.gate(tokens(result)[0]), 502);
  });
});

describe('a bug in the scripts', () => {
  const [change, proxy] = ['lib/commands/rollout.ts', 'context.report.print({ ...event, host })'];
  const bugs = [
    [
      'in the middle of a run',
      change,
      proxy,
      `{ ${proxy}; if (event.kind === 'step') throw new Error('slip') }`,
      4,
    ],
    ['outside of any promise', change, proxy, `void setTimeout(() => { throw new Error('slip') })`, 4],
    [
      'before anything was sent',
      'lib/nginx/render.ts',
      'const [vhost,',
      `throw new Error('slip');\n  const [vhost,`,
      1,
    ],
    [
      'after it',
      'lib/commands/deploy.ts',
      "  if (bearer?.role !== 'first-client' ||",
      `  throw new Error('slip');\n  if (bearer?.role !== 'first-client' ||`,
      3,
    ],
  ] as const;

  for (const [where, file, before, after, exit] of bugs)
    test(`${where} exits with ${exit} and reports the state, also in JSON`, async () => {
      const copy = await copyProject(join(lab.directory, where.replaceAll(' ', '-')));
      const text = await readFile(join(copy, file), 'utf8');
      assert.ok(text.includes(before));
      await writeFile(join(copy, file), text.replace(before, after));
      const args = ['--import', 'tsx', 'scripts/deploy.ts', '--no-verify', '--json'];
      await deploys.reset(lab.proxy);
      const result = await finished(
        spawn(process.execPath, args, {
          cwd: copy,
          env: { ...lab.env, ...deploys.withToken(deploys.OTHER_TOKEN) },
        }),
      );
      await lab.proxy.sh('flock /var/lib/gatepost/lock true 2>/dev/null');
      assert.equal(result.status, exit, result.stderr);
      const { error } = JSON.parse(result.stdout);
      assert.match(error.message, /^A bug in this script: Error: slip\n +at /);
      assert.equal(
        /change was running|after the change was made/.test(error.message),
        exit !== 1,
        error.message,
      );
      assert.equal(await deploys.gate(deploys.OTHER_TOKEN), exit === 1 ? 0 : 200);
    });
});

describe('the reader of the output', () => {
  const command = [process.execPath, ...typescript('scripts/deploy.ts', ['--no-verify'])].join(' ');
  const shell = (text: string) =>
    finished(
      spawn('bash', ['-c', `set -o pipefail; ${text}`], {
        cwd: lab.directory,
        env: { ...lab.env, ...deploys.withToken(deploys.OTHER_TOKEN) },
      }),
    );

  for (const tail of ['--verbose | head -n 1', '--json >/dev/full'])
    test(`may be gone: ${tail}`, async () => {
      await deploys.reset(lab.proxy);
      const { status, stdout, stderr } = await shell(`${command} ${tail}`);
      assert.equal(status, 0, stdout + stderr);
      assert.doesNotMatch(stderr, /^\s+at /m);
      assert.equal(await deploys.gate(deploys.OTHER_TOKEN), 200);
    });
});

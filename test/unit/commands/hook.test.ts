/** GATEPOST_HOOK: its input, when it runs, and that it cannot affect the run. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Context } from '../../../lib/commands/context.ts';
import { hookDocument, runHook } from '../../../lib/commands/hook.ts';
import { type HostReport, newReport } from '../../../lib/model/host-report.ts';
import type { Entry } from '../../../lib/output/entry.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "gatepost-it's "));
});
after(() => rm(folder, { recursive: true }));

const applied: HostReport = { ...newReport('a'), outcome: 'applied', release: 'R2', before: 'R1' };

/** The warnings of a run with this hook. */
async function warnings(body: string, reports = [applied], limit?: number): Promise<readonly string[]> {
  const hook = join(folder, 'hook');
  await writeFile(hook, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  const entries: Entry[] = [];
  const context = {
    settings: { hook },
    site: { name: 'site' },
    report: { print: (entry: Entry) => void entries.push(entry) },
    underWay: { hosts: new Map([['a', applied]]), tokens: new Map() },
  } as unknown as Context;
  await runHook(context, 'deploy', reports, limit);
  return entries.map((entry) => (entry.kind === 'warning' ? entry.text : entry.kind));
}

test('reads one JSON document on stdin, and prints nothing if it succeeds', async () => {
  const out = join(folder, 'out');
  assert.deepEqual(await warnings(`cat >'${out.replaceAll("'", "'\\''")}'; echo noise; echo noise >&2`), []);
  assert.deepEqual(JSON.parse(await readFile(out, 'utf8')), {
    script: 'deploy',
    site: 'site',
    hosts: [{ host: 'a', outcome: 'applied', release: 'R2' }],
    outcome: 'applied',
    release: 'R2',
  });
});

test('its failure is a warning with the last line of its output, and so is a missing program', async () => {
  assert.match((await warnings('echo why >&2; exit 7')).join(), /exit status 7: why/);
  await rm(join(folder, 'hook'));
  const context = {
    settings: { hook: join(folder, 'missing') },
    site: { name: 'site' },
    report: { print: (entry: Entry) => assert.equal(entry.kind, 'warning') },
    underWay: { hosts: new Map([['a', applied]]), tokens: new Map() },
  } as unknown as Context;
  await runHook(context, 'deploy', [applied]);
});

test('one that does not end is killed with its children', async () => {
  const start = performance.now();
  assert.match((await warnings('sleep 20 & sleep 20', [applied], 300)).join(), /no end within 0\.3 s/);
  assert.ok(performance.now() - start < 5000);
});

test('gets the worst outcome, and is not run after a run without changes', () => {
  const rolledBack: HostReport = { ...newReport('b'), outcome: 'rolled-back', before: 'R1' };
  const document = hookDocument('deploy', 'site', [applied, rolledBack]);
  assert.deepEqual(
    [document?.outcome, document?.release, document?.hosts],
    [
      'rolled-back',
      'R2',
      [
        { host: 'a', outcome: 'applied', release: 'R2' },
        { host: 'b', outcome: 'rolled-back', release: 'R1' },
      ],
    ],
  );
  for (const outcome of ['unchanged', 'planned'] as const)
    assert.equal(hookDocument('deploy', 'site', [{ ...applied, outcome }]), undefined);
});

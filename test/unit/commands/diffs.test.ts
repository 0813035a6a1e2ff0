/** The diffs of a dry run: no output of a proxy can block this process. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Context } from '../../../lib/commands/context.ts';
import { judgePending } from '../../../lib/commands/deploy.ts';
import { withDiffs } from '../../../lib/commands/views/rollout-view.ts';
import { type HostReport, newReport } from '../../../lib/model/host-report.ts';
import type { Entry } from '../../../lib/output/entry.ts';

const flags = { 'dry-run': true } as Context['flags'];

async function diffsOf(
  texts: ReadonlyMap<string, { before: string; after: string }>,
): Promise<readonly string[]> {
  const entries: Entry[] = [];
  const report = { print: (entry: Entry) => void entries.push(entry) };
  await withDiffs({ flags, report } as Context, [{ ...newReport('proxy'), texts }]);
  return entries.flatMap((entry) => (entry.kind === 'diff' ? [entry.text] : []));
}

const lines = (of: (i: number) => string) => Array.from({ length: 20_000 }, (_, i) => `${of(i)}\n`).join('');

test('a diff of 20,000 differing lines ends within two seconds, and so do several', async () => {
  const start = performance.now();
  const text = { before: lines((i) => `a${i}`), after: lines((i) => `b${i * 7}`) };
  const diffs = await diffsOf(new Map(['/a', '/b', '/c'].map((path) => [path, text])));
  assert.ok(performance.now() - start < 2_000, `${performance.now() - start} ms`);
  assert.equal(diffs.length, 3);
  assert.match(diffs[0] ?? '', /^--- \/a/);
  assert.match(diffs[2] ?? '', /20000 lines, 20000 wanted/);
});

test('a diff of typical files shows each changed line', async () => {
  const [diff = ''] = await diffsOf(new Map([['/a', { before: 'one\ntwo\n', after: 'one\n2\n' }]]));
  assert.match(diff, /^-two$/m);
  assert.match(diff, /^\+2$/m);
});

test("a host's diff is unified text that names the file and the host", async () => {
  const texts = new Map([['/a', { before: 'one\ntwo\n', after: 'one\n2\n' }]]);
  const [host] = await withDiffs({ flags, report: { print: () => {} } as unknown as Context['report'] }, [
    { ...newReport('proxy'), texts },
  ]);
  const diff = '--- /a\ton proxy\n+++ /a\twanted\n@@ -1,2 +1,2 @@\n one\n-two\n+2';
  assert.deepEqual(host?.diff, [{ path: '/a', diff }]);
});

test('with --exit-code, a dry run exits with 3 if changes are pending, and keeps a worse status', () => {
  const exitCode = { 'exit-code': true } as Context['flags'];
  const planned: HostReport = { ...newReport('proxy'), outcome: 'planned', before: 'R' };
  const changed: HostReport = { ...planned, files: [{ path: '/a', changed: true }] };
  const exit = (hosts: readonly HostReport[], was: 0 | 1 = 0, given = exitCode) =>
    judgePending({ flags: given }, hosts, { exit: was }).exit;
  assert.deepEqual([exit([planned]), exit([planned, changed]), exit([newReport('proxy')])], [0, 3, 0]);
  assert.equal(exit([{ ...newReport('proxy'), outcome: 'planned' }]), 3, 'a first release');
  assert.equal(exit([changed], 1), 1);
  assert.equal(exit([changed], 0, flags), 0);
});

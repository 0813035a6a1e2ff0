/** The diffs of a dry run: what a proxy sends cannot keep this process from answering. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Context } from '../../../lib/commands/context.ts';
import { reportDiffs } from '../../../lib/commands/views/rollout-view.ts';
import { newReport } from '../../../lib/model/host-report.ts';
import type { Entry } from '../../../lib/output/entry.ts';

async function diffsOf(
  texts: ReadonlyMap<string, { before: string; after: string }>,
): Promise<readonly string[]> {
  const entries: Entry[] = [];
  const report = { print: (entry: Entry) => void entries.push(entry) };
  const context = { flags: { 'dry-run': true }, report } as unknown as Context;
  await reportDiffs(context, [{ ...newReport('proxy'), texts }]);
  return entries.flatMap((entry) => (entry.kind === 'diff' ? [entry.text] : []));
}

const lines = (of: (i: number) => string) => Array.from({ length: 20_000 }, (_, i) => `${of(i)}\n`).join('');

test('a diff of 20,000 differing lines ends within two seconds, several of them too', async () => {
  const start = performance.now();
  const text = { before: lines((i) => `a${i}`), after: lines((i) => `b${i * 7}`) };
  const diffs = await diffsOf(new Map(['/a', '/b', '/c'].map((path) => [path, text])));
  assert.ok(performance.now() - start < 2_000, `${performance.now() - start} ms`);
  assert.equal(diffs.length, 3);
  assert.match(diffs[0] ?? '', /^--- \/a/);
  assert.match(diffs[2] ?? '', /20000 lines, 20000 wanted/);
});

test('a diff of files as they are shows each changed line', async () => {
  const [diff = ''] = await diffsOf(new Map([['/a', { before: 'one\ntwo\n', after: 'one\n2\n' }]]));
  assert.match(diff, /^-two$/m);
  assert.match(diff, /^\+2$/m);
});

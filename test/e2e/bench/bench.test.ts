/** The measurements run, in their own lab. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { finished, typescript } from '../../lab/namespaces/process.ts';

const bench = (...args: readonly string[]) =>
  finished(spawn(process.execPath, typescript('bench/main.ts', args), { env: process.env }));

test('npm run bench measures the requested parts, and records every round', async () => {
  const { status, stdout, stderr } = await bench('stream', '--rounds', '3', '--json');
  assert.equal(status, 0, stderr);
  const { parts } = JSON.parse(stdout);
  assert.deepEqual(
    parts.map(({ name }: { name: string }) => name),
    ['stream'],
  );
  const [row] = parts[0].rows;
  assert.deepEqual([row.ours.length, row.theirs.figures.length], [3, 3]);
  assert.ok(row.median.ours > 0 && row.median.ratio.median > 0);
});

for (const args of [['nonsense'], ['stream', '--rounds', 'many'], ['--fast']])
  test(`npm run bench -- ${args.join(' ')} is refused with the list of parts`, async () => {
    const { status, stderr } = await bench(...args);
    assert.equal(status, 2);
    assert.match(stderr, /^ {2}timeline /m);
  });

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lineSplitter } from '../../../lib/ssh/channel-output.ts';

describe('lineSplitter', () => {
  for (const [parts, expected] of [
    [['one\ntwo\n'], ['one', 'two']],
    [
      ['o', 'ne\ntw', 'o\n'],
      ['one', 'two'],
    ],
    [['one\ncut'], ['one']],
    [['\n\n'], ['', '']],
    [[], []],
  ] as const)
    it(`passes on only complete lines of ${JSON.stringify(parts)}`, () => {
      const lines: string[] = [];
      const take = lineSplitter((line) => lines.push(line));
      for (const part of parts) take(part);
      assert.deepEqual(lines, expected);
    });

  it('drops an endless line quickly and reads what follows', () => {
    const lines: string[] = [];
    const take = lineSplitter((line) => lines.push(line));
    const start = performance.now();
    for (let i = 0; i < 500; i++) take('x'.repeat(32_768));
    take('\nnext\n');
    assert.deepEqual(lines, ['next']);
    assert.ok(performance.now() - start < 2000);
  });
});

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
    it(`hands on only the whole lines of ${JSON.stringify(parts)}`, () => {
      const lines: string[] = [];
      const take = lineSplitter((line) => lines.push(line));
      for (const part of parts) take(part);
      assert.deepEqual(lines, expected);
    });
});

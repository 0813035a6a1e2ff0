/** Times and durations. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDuration, readWhen } from '../../../lib/model/when.ts';

const NOW = new Date('2027-01-15T08:00:00Z');
const CASES: readonly (readonly [string, string | undefined])[] = [
  ['30s', '+30'],
  ['15m', '+900'],
  ['12h', '+43200'],
  ['90d', '+7776000'],
  ['2027-01-15', '1800057600'],
  ['2027-01-15T08:00:01Z', '1800000001'],
  ['2027-01-15T08:00:00Z', undefined],
  ['2027-01-14', undefined],
  ['2027-02-30', undefined],
  ['2027-13-01', undefined],
  ['2027-01-31T24:00:00Z', undefined],
  ['2027-01-31T12:00:00', undefined],
  ['2027-01-31T12:00:00+01:00', undefined],
  ['0s', undefined],
  ['-1d', undefined],
  ['1w', undefined],
  ['1.5h', undefined],
  ['', undefined],
  ['tomorrow', undefined],
  ['99999999d', undefined],
  ['9999-12-31', undefined],
];
for (const [text, end] of CASES)
  test(`--expires ${JSON.stringify(text)} is ${end}`, () => assert.equal(readWhen(text, NOW), end));

test('a duration is in seconds', () =>
  assert.deepEqual([readDuration('2h'), readDuration('2027-01-31')], [7200, undefined]));

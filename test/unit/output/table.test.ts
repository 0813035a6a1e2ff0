/** Tables in terminals of any width. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atMinute, tableText } from '../../../lib/output/table.ts';

const TABLE = {
  heads: ['client', 'last used', 'created'],
  rows: [
    ['default', '2026-11-22 17:40Z', '2026-11-01 08:00Z'],
    ['編集', '-', '2026-11-02 08:00Z'],
  ],
  spare: ['created'],
};

test('columns are as wide as their widest cell, including wide characters', () =>
  assert.equal(
    tableText(TABLE),
    `client   last used          created
default  2026-11-22 17:40Z  2026-11-01 08:00Z
編集     -                  2026-11-02 08:00Z`,
  ));

test('in a narrow terminal, the least important column is left out', () =>
  assert.equal(
    tableText(TABLE, 30),
    `client   last used
default  2026-11-22 17:40Z
編集     -`,
  ));

test('a last column that is too wide is wrapped', () =>
  assert.equal(
    tableText({ heads: ['release', 'what'], rows: [['one', 'add client editor (current)']] }, 28),
    `release  what
one      add client editor
         (current)`,
  ));

test('in a terminal too narrow for columns, rows are stacked and complete', () =>
  assert.equal(
    tableText(TABLE, 20),
    `default
  last used  2026-11-22 17:40Z
  created    2026-11-01 08:00Z
編集
  last used  -
  created    2026-11-02 08:00Z`,
  ));

test('a time has minutes and a time zone', () =>
  assert.equal(atMinute('2026-11-22T17:40:35Z'), '2026-11-22 17:40Z'));

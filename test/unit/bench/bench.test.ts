/** The figures of measurements: how they are computed, and when a limit is missed. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { judge, median, quantile } from '../../../bench/figures.ts';
import type { Measured, Row } from '../../../bench/part.ts';
import { type Mark, phasesOf } from '../../../bench/phases.ts';
import { toMarkdown } from '../../../bench/tables.ts';
import { inTurns } from '../../../bench/turns.ts';
import { ungated } from '../../../bench/ungated.ts';
import { newReport } from '../../../lib/model/host-report.ts';
import { render } from '../../../lib/nginx/render.ts';
import { context } from '../../lab/actors/programs.ts';
import { CHECKOUT } from '../../lab/namespaces/process.ts';

const row = (ours: readonly number[], other: readonly number[], limit: Row['limit']): Row => ({
  what: 'something',
  unit: 'ms',
  ours,
  theirs: { who: 'somebody', figures: other },
  ...(limit && { limit }),
});

test('the median of an even number of values is between the middle two', () => {
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([9, 1, 2]), 2);
  assert.equal(quantile([1, 2, 3, 4, 5], 0.25), 2);
});

test('a ratio compares values of the same round, so a slow round changes nothing', () => {
  assert.equal(judge(row([10, 1000, 10], [10, 1000, 10], { atMost: 1 })).ratio?.median, 1);
  assert.equal(judge(row([10, 11, 1000], [10, 11, 100], { atMost: 1 })).ok, true);
});

test('a limit is missed above the maximum and below the minimum, and met at both', () => {
  assert.equal(judge(row([2], [1], { atMost: 2 })).ok, true);
  assert.equal(judge(row([2.01], [1], { atMost: 2 })).ok, false);
  assert.equal(judge(row([95], [100], { atLeast: 0.95 })).ok, true);
  assert.equal(judge(row([94], [100], { atLeast: 0.95 })).ok, false);
  assert.equal(judge({ what: '', unit: 'failed', ours: [1], limit: { atMost: 0 } }).ok, false);
  assert.equal(judge(row([1], [1], undefined)).ok, undefined);
});

test('a missing value misses its limit', () => {
  assert.equal(judge(row([Number.NaN], [1], { atMost: 2 })).ok, false);
  assert.equal(judge(row([], [], { atLeast: 0 })).ok, false);
});

test('the contestants alternate, in reverse order every second round', async () => {
  const order: string[] = [];
  const turn = (name: string) => async (round: number) => {
    order.push(`${name}${round}`);
    return round;
  };
  const figures = await inTurns(2, { a: turn('a'), b: turn('b') }, () => {});
  assert.deepEqual(order, ['a0', 'b0', 'b1', 'a1']);
  assert.deepEqual(figures, { a: [0, 1], b: [0, 1] });
});

test('the phases of a deploy add up to its total time', () => {
  const here = ['node', 'tsx', 'imports', 'x on y, through z', 'handshake', 'ready', 'handshake', 'ready'];
  const there = ['✓ connect', '✓ look', '✓ write', '✓ test', '✓ reload', '✓ record', 'exit'];
  const marks = [...here, ...there].map((name, i): Mark => [name, 100 + 10 * i]);
  const document = { hosts: [{ ...newReport('proxy'), milliseconds: { survey: 4 } }] };
  const phases = phasesOf(93, marks, document, 250);
  const total = Object.values(phases).reduce((sum, time) => sum + time, 0);
  assert.equal(total, 250 - 93);
  assert.deepEqual([phases['Node starts'], phases['upload, sudo'], phases['proxy: survey']], [7, 16, 4]);
});

test('a table for the documentation has one line per row', () => {
  const part = { name: 'p', measures: '', rounds: 1, measure: async () => [] };
  const measured: Measured = { part, rows: [{ ...row([30], [20], { atMost: 1.15 }), roundTripMs: 100 }] };
  assert.equal(
    toMarkdown(measured).split('\n')[2],
    '| something, 100 ms away | 30 ms | 20 ms, somebody | 1.50 (1.50–1.50) | at most 1.15 | MISSED |',
  );
});

test('the vhost without the gate has everything else, and none of its variables', async () => {
  const settings = { ...context.settings, values: { IA_ENSO_BACKEND_IP: '192.168.1.164' } };
  const vhost = (await render(context.site, settings)).find(({ role }) => role === 'vhost')?.content ?? '';
  const without = await ungated(vhost);
  const [location = ''] = /^ {4}location \^~ \/ollama\/.*?^ {4}\}/ms.exec(without) ?? [];
  assert.match(location, /proxy_pass/);
  assert.doesNotMatch(location, /^ *[^# ].*(?:\$ia_enso|limit_|ia-enso-live|error_page)/m);
  assert.doesNotMatch(without, /log_format[^;]*\$ia_enso/);
  const lines = (text: string) => text.split('\n').map((line) => line.trim());
  const rest = lines(await readFile(`${CHECKOUT}/bench/rivals/ungated.conf`, 'utf8'));
  const gate = lines(await readFile(`${CHECKOUT}/sites/snippets/gate.conf`, 'utf8'));
  for (const line of rest.filter((text) => !text.startsWith('#'))) assert.ok(gate.includes(line), line);
  for (const line of gate.filter((text) => text.startsWith('proxy_')))
    assert.ok(rest.includes(line) || line.startsWith('proxy_intercept_errors'), line);
  await assert.rejects(ungated(without), /does not have once/);
});

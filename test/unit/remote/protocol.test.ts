/** The records of a remote program, read into a report. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newReport } from '../../../lib/model/host-report.ts';
import { type RemoteEvent, readRecords } from '../../../lib/remote/protocol.ts';

function readAll(lines: readonly string[]) {
  const events: RemoteEvent[] = [];
  const report = newReport('proxy');
  const reader = readRecords('R1', report, (event) => events.push(event));
  for (const line of lines) reader.line(line);
  return { report, events, verdict: reader.verdict() };
}

const record = (...fields: readonly string[]) => ['@R1', ...fields].join('\t');

describe('records', () => {
  it('become a report of files, drift, facts and outcome', () => {
    const { report, verdict } = readAll([
      'Welcome to this host!',
      record('step', 'survey'),
      record('fact', 'nginx', '1.22.1'),
      record('file', '/a', 'new'),
      record('file', '/b', 'same'),
      record('drift', '/b', 'changed'),
      record('outcome', 'applied', 'R1'),
      record('end'),
    ]);
    assert.equal(verdict, 'applied');
    assert.deepEqual(report.files, [
      { path: '/a', changed: true },
      { path: '/b', changed: false },
    ]);
    assert.deepEqual([report.outcome, report.release], ['applied', 'R1']);
    assert.deepEqual(report.drift, [{ path: '/b', how: 'changed' }]);
    assert.deepEqual(Object.keys(report.milliseconds), ['survey']);
  });

  it('of another run are skipped', () => {
    assert.equal(readAll(['@R2\toutcome\tapplied\tR2', '@R2\tend']).report.outcome, 'failed');
  });

  it('without the final record give no outcome', () => {
    assert.equal(readAll([record('outcome', 'applied', 'R1')]).verdict, undefined);
  });

  it('join the lines of an error, tabs included', () => {
    const { report } = readAll([record('error', 'test'), record('text', 'a\tb'), record('text', 'c')]);
    assert.deepEqual(report.failure, { code: 'test', text: 'a\tb\nc' });
  });

  it('mark the step of an error as failed', () => {
    const { events } = readAll([
      record('step', 'test'),
      record('error', 'test'),
      record('step', 'restore'),
      record('outcome', 'rolled-back'),
    ]);
    assert.deepEqual(
      events.flatMap((event) => (event.kind === 'step' ? [[event.name, event.ok]] : [])),
      [
        ['test', false],
        ['restore', true],
      ],
    );
  });

  it('report the start of a step before its end', () => {
    const { events } = readAll([
      record('step', 'test'),
      record('step', 'reload'),
      record('outcome', 'applied'),
    ]);
    assert.deepEqual(
      events.map((event) => event.kind !== 'note' && `${event.kind} ${event.name}`),
      ['begin test', 'step test', 'begin reload', 'step reload'],
    );
  });

  it('of the past give the outcome of the run that was queried', () => {
    const { report, verdict } = readAll([
      record('past', 'outcome', 'rolled-back', 'R0'),
      record('outcome', 'asked', 'R1'),
      record('end'),
    ]);
    assert.deepEqual([verdict, report.outcome], ['asked', 'rolled-back']);
  });

  it('with manual steps mean that the rollback failed', () => {
    const { report } = readAll([
      record('todo', 'rm -f /a'),
      record('outcome', 'restore-failed', 'R1'),
      record('end'),
    ]);
    assert.deepEqual([report.outcome, report.todo], ['failed', ['rm -f /a']]);
  });
});

describe('records of a hostile host', () => {
  const words = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'];

  it('may be of any kind', () => {
    for (const word of words) {
      const fields = [[word], ['past', word, 'x'], ['row', word, 'x'], ['fact', word, 'x'], ['step', word]];
      const lines = fields.map((each) => record(...each));
      const { report, verdict } = readAll([...lines, record('outcome', word), record('end')]);
      assert.deepEqual([report.outcome, verdict], ['failed', word]);
    }
  });

  it('are processed in linear time', () => {
    const start = performance.now();
    const { report } = readAll(Array<string>(40_000).fill(record('row', 'client', 'x')));
    assert.equal(report.rows.client?.length, 40_000);
    assert.ok(performance.now() - start < 5_000);
  });
});

describe('a proxy that prints too much', () => {
  const MANY = 100_000;
  it('fills neither memory nor the report, and its last record is read', () => {
    const start = performance.now();
    const long = 'x'.repeat(50_000);
    const { report, events, verdict } = readAll([
      record('error', 'test'),
      ...Array.from({ length: MANY }, (_, i) => record('row', 'client', `c${i}`)),
      ...['note', 'text', 'todo', 'step'].flatMap((kind) =>
        Array.from({ length: 2_000 }, () => record(kind, long)),
      ),
      record('outcome', 'refused', 'R1'),
      record('end'),
    ]);
    assert.equal(verdict, 'refused');
    assert.ok((report.rows.client?.length ?? 0) <= 50_000);
    assert.ok(events.length <= 1_000 && report.notes.length <= 500);
    assert.ok((report.failure?.text.length ?? 0) < 50_000);
    const elapsed = performance.now() - start;
    assert.ok(elapsed < 5_000, `${elapsed} ms`);
  });

  it('in many notes is truncated', () => {
    const long = 'x'.repeat(50_000);
    const { report } = readAll(
      ['note', 'todo'].flatMap((kind) => Array.from({ length: 2_000 }, () => record(kind, long))),
    );
    assert.deepEqual([report.notes.length, report.todo?.length], [500, 500]);
    assert.ok(report.notes.every((text) => text.length < 20_000));
  });
});

/** Progress: a short line, only on a terminal, removed afterwards. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createProgress } from '../../../lib/output/progress.ts';
import { startSpinner } from '../../../lib/output/writer.ts';
import { screen } from './screen.ts';

function watch() {
  let now = 0;
  const progress = createProgress(() => now);
  const at = (milliseconds: number) => {
    now = milliseconds;
    return progress.line();
  };
  return { ...progress, at };
}

test('a step is shown after half a second, until it ends', () => {
  const { update, at } = watch();
  update({ kind: 'begin', host: 'p', name: 'reload' });
  assert.equal(at(499), undefined);
  assert.match(at(3200) ?? '', /^reload nginx, wait for old workers to exit +3 s$/);
  update({ kind: 'step', host: 'p', name: 'reload', milliseconds: 3200, ok: true });
  assert.equal(at(3300), undefined);
});

test('for several hosts, shows how many are done, and the step of the slowest', () => {
  const { update, at } = watch();
  update({ kind: 'hosts', hosts: ['a', 'b', 'c'] });
  update({ kind: 'begin', host: 'a', name: 'survey' });
  at(1000);
  update({ kind: 'begin', host: 'b', name: 'reload' });
  update({ kind: 'over', host: 'c' });
  assert.equal(at(3000), '1 of 3 proxies; slowest: a survey 3 s');
  update({ kind: 'step', host: 'a', name: 'survey', milliseconds: 1, ok: true });
  assert.equal(at(3000), '1 of 3 proxies; slowest: b reload 2 s');
  update({ kind: 'over', host: 'a' });
  update({ kind: 'over', host: 'b' });
  assert.equal(at(9000), undefined);
});

test('for checks, shows only those that are still running', () => {
  const { update, at } = watch();
  for (const check of ['gate', 'streaming', 'DNS']) update({ kind: 'asking', check });
  update({ kind: 'answered', check: 'gate' });
  assert.equal(at(600), '1 of 3 checks; running: streaming, DNS');
  const result = { name: 'DNS', status: 'failed', ok: false, milliseconds: 1, detail: '' } as const;
  update({ kind: 'check', result });
  update({ kind: 'answered', check: 'streaming' });
  assert.equal(at(700), undefined);
});

test('the line has no escape sequences, never wraps at 60 columns, and is removed afterwards', async () => {
  const written: string[] = [];
  const stream = {
    columns: 200,
    write: (text: string) => written.push(text) > 0,
  } as unknown as NodeJS.WriteStream;
  const spinner = startSpinner(stream, () => `a line that is far too long ${'for it '.repeat(20)}`);
  while (written.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
  spinner.stop();
  const text = written.join('');
  assert.ok(!text.includes('\u001b') && !text.includes('\n'), text);
  const parts = text.split('\r');
  assert.ok(parts.every((part) => part.length < 60));
  assert.match(parts.at(-2) ?? '', /^ +$/);
  assert.ok((parts.at(-2) ?? '').length >= Math.max(...parts.map((part) => part.length)));
  assert.equal(parts.at(-1), '');
});

test('a dumb terminal and a file get no progress line', async () => {
  const terminal = { noColor: true, forcesColor: false, isDumb: true };
  for (const { report, text } of [await screen(80, { terminal }), await screen()]) {
    report.print({ kind: 'begin', host: 'p', name: 'reload' });
    await new Promise((resolve) => setTimeout(resolve, 800));
    report.close();
    assert.equal(text(), '');
  }
});

/** The output for several hosts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Context } from '../../../lib/commands/context.ts';
import { reportFiles, withDiffs } from '../../../lib/commands/views/rollout-view.ts';
import { asRead, became, hostLine, howMany } from '../../../lib/commands/views/summary.ts';
import type { Step } from '../../../lib/model/contract.ts';
import { type HostReport, isWell, newReport } from '../../../lib/model/host-report.ts';
import { workOn } from '../../../lib/remote/rollout.ts';
import { groupIdentical, shortHostList } from '../../../lib/util/collections.ts';
import { SshError } from '../../../lib/util/errors.ts';
import { screen } from '../output/screen.ts';

const HOSTS = ['192.168.1.100', '192.168.1.101'];
const step = (host: string, name: Step, ok = true) =>
  ({ kind: 'step', host, name, milliseconds: 7, ok }) as const;
const failure = { code: 'sick', text: 'unknown directive' } as const;

async function run(verbose: boolean) {
  const { report, lines } = await screen(undefined, { verbose });
  report.print({ kind: 'hosts', hosts: HOSTS });
  for (const host of HOSTS) report.print(step(host, 'connect'));
  report.print(step('192.168.1.101', 'survey', false));
  report.print({ kind: 'host', host: '192.168.1.100', ok: true, milliseconds: 1234, text: 'live' });
  report.print({ kind: 'failure', host: '192.168.1.101', became: 'refused', failure });
  report.print({ kind: 'note', host: '192.168.1.100', text: 'a note' });
  report.close();
  return lines();
}

test('steps are shown only for the host that failed, with its failure', async () => {
  const lines = await run(false);
  assert.equal(lines[0], '  ✓ 192.168.1.100   1.2 s  live');
  const block = lines.slice(lines.indexOf('  ✗ 192.168.1.101: refused'));
  assert.match(block[1] ?? '', /✓ connect +7 ms$/);
  assert.match(block[2] ?? '', /✗ inspect nginx and managed files +7 ms$/);
  assert.equal(lines.filter((line) => line.includes('connect')).length, 1);
});

test('with --verbose each step is shown as it ends, with its host', async () => {
  const lines = await run(true);
  assert.deepEqual(
    lines.slice(0, 3).map((line) => /(\S).* ms {2}(\S+)$/.exec(line)?.slice(1)),
    [
      ['✓', '192.168.1.100'],
      ['✓', '192.168.1.101'],
      ['✗', '192.168.1.101'],
    ],
  );
});

test('each line about a host begins with its name', async () => {
  assert.equal((await run(false)).at(-1), '  · 192.168.1.100: a note');
});

test('steps of a single host have no host name', async () => {
  const { report, text } = await screen();
  report.print({ kind: 'hosts', hosts: ['192.168.1.100'] });
  report.print(step('192.168.1.100', 'connect'));
  report.print({ kind: 'note', host: '192.168.1.100', text: 'a note' });
  assert.ok(!text().includes('192.168'), text());
});

const changed = (host: string, after: string): HostReport => ({
  ...newReport(host),
  outcome: 'planned',
  files: [
    { path: '/a', changed: true },
    { path: '/b', changed: false },
  ],
  texts: new Map([['/a', { before: 'old\n', after }]]),
});

test('a diff that is identical on several hosts is shown once, with their names', async () => {
  const { report, lines } = await screen();
  const context = { flags: { 'dry-run': true }, report } as Context;
  await withDiffs(context, [
    changed('10.0.0.1', 'new\n'),
    changed('10.0.0.2', 'other\n'),
    changed('10.0.0.3', 'new\n'),
  ]);
  assert.equal(lines().filter((line) => line === '+new').length, 1);
  assert.equal(lines().filter((line) => line === '+other').length, 1);
  assert.deepEqual(
    lines().filter((line) => line.includes('the same')),
    ['  · the same on 10.0.0.3'],
  );
});

test('files that would change are listed once for identical hosts', async () => {
  const { report, lines } = await screen();
  reportFiles(report, [changed('10.0.0.1', ''), changed('10.0.0.2', ''), newReport('10.0.0.3')]);
  assert.deepEqual(lines(), ['  on 10.0.0.1, 2', '  would change /a']);
});

test('addresses of one network are shortened, names are not', () => {
  assert.equal(
    shortHostList(['10.0.0.1', '10.0.0.2', '10.0.1.2', 'a.lan', 'b.lan']),
    '10.0.0.1, 2, 10.0.1.2, a.lan, b.lan',
  );
  assert.deepEqual(
    groupIdentical([
      ['a', 1],
      ['b', 2],
      ['c', 1],
    ]),
    [
      { what: 1, hosts: ['a', 'c'] },
      { what: 2, hosts: ['b'] },
    ],
  );
});

test('a host where the rollback failed is never reported as unchanged', () => {
  const report: HostReport = { ...newReport('p'), todo: ['rm -f /a'] };
  assert.match(became(report), /rollback failed/);
  assert.ok(!hostLine(report).includes('nothing was changed'));
});

test('the summary lists the hosts, the totals, and the failed checks', () => {
  const fails = { name: 'streaming', status: 'failed', ok: false, milliseconds: 1, detail: '' } as const;
  const live: HostReport = { ...newReport('10.0.0.100'), outcome: 'applied', release: 'R', checks: [fails] };
  const refused: HostReport = { ...newReport('10.0.0.1'), outcome: 'refused' };
  assert.equal(hostLine(live, 10), '10.0.0.100: live (release R); checks: 1 failed; failed: streaming');
  assert.equal(hostLine(refused, 10), '10.0.0.1:   refused, nothing was changed');
  const fine: HostReport = { ...newReport('10.0.0.2'), outcome: 'applied' };
  assert.equal(
    howMany([live, refused, fine], isWell),
    '3 proxies: 1 live with a failed check (10.0.0.100), 1 refused (10.0.0.1), 1 live',
  );
});

test('a host that was not reached, or only read, is not reported as unchanged', async () => {
  const cause = new SshError('proxy', 'connection refused', 'Start sshd.');
  const target = { host: 'p', hops: [], connect: () => Promise.reject(cause) };
  const listener = { onBegin: () => {}, onConnect: () => {} };
  const unreached = await workOn(target, listener, () => assert.fail());
  assert.equal(became(unreached), 'not reached');
  assert.equal(became(asRead({ ...newReport('p'), outcome: 'failed' })), 'failed');
  assert.equal(became(asRead({ ...newReport('p'), outcome: 'refused' })), 'refused');
});

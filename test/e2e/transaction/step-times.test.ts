/** Steps are timed on the proxy, because their records may arrive late. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newReport } from '../../../lib/model/host-report.ts';
import { type RemoteEvent, readRecords } from '../../../lib/remote/protocol.ts';
import * as deploys from '../../lab/actors/deploys.ts';
import * as programs from '../../lab/actors/programs.ts';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';

let lab: Lab;
before(async () => {
  lab = await startLab({ proxies: 1 });
});
after(() => lab.stop());

/** Runs a deploy and reads all its records after its end; `elapsed` is its duration by the proxy's clock. */
async function readAtEnd(before = '') {
  const { id, text } = await programs.deployProgram({ token: deploys.TOKEN });
  const uptime = 'echo "uptime $(cut -d " " -f 1 </proc/uptime | tr -d .)"';
  const { stdout } = await lab.proxy.sh(`${uptime}; ${before} /bin/sh -s; ${uptime}`, { input: text });
  const [start = 0, end = 0] = [...stdout.matchAll(/^uptime (\d+)$/gm)].map(([, time]) => Number(time) * 10);
  const report = newReport('proxy');
  const events: RemoteEvent[] = [];
  const reader = readRecords(id, report, (event) => events.push(event));
  for (const line of stdout.split('\n')) reader.line(line);
  const sum = Object.values(report.milliseconds).reduce((total, each) => total + each, 0);
  return { report, events, sum, elapsed: end - start };
}

test('the steps of a deploy with delayed output take as long as the deploy took on the proxy', async () => {
  const { report, events, sum, elapsed } = await readAtEnd();
  assert.equal(report.outcome, 'applied', JSON.stringify(report.failure));
  assert.deepEqual(
    events.flatMap((event) => (event.kind === 'step' ? [event.name] : [])),
    ['survey', 'test', 'write', 'reload', 'record'],
  );
  // nginx gives its old workers 100 ms.
  assert.ok((report.milliseconds.reload ?? 0) >= 100, JSON.stringify(report.milliseconds));
  // Before the first step, only the shell starts and the lock is taken.
  assert.ok(
    sum <= elapsed + 10 && sum >= elapsed * 0.7,
    `${sum} of ${elapsed} ms: ${JSON.stringify(report.milliseconds)}`,
  );
});

test('if the kernel does not report its uptime, steps are timed by the arrival of their records', async () => {
  await deploys.reset(lab.proxy);
  const { report, sum } = await readAtEnd(
    'unshare --mount sh -c \'mount --bind /dev/null /proc/uptime; exec "$@"\' sh',
  );
  assert.equal(report.outcome, 'applied', JSON.stringify(report.failure));
  assert.ok(sum < 100, `${sum}`);
});

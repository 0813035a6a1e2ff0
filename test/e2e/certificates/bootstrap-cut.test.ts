/** bootstrap-tls when the connection or the program on the proxy ends while certbot is running. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { HostReport } from '../../../lib/model/host-report.ts';
import { finished, type Lab, startLab } from '../../lab/namespaces/lab.ts';
import {
  assertHealthy,
  assertNoChallenge,
  bootstrap,
  issued,
  NAME,
  orders,
  served,
  WITH_TOKEN,
} from './bootstrap-lab.ts';

describe('bootstrap-tls interrupted', () => {
  let lab: Lab;
  before(async () => {
    lab = await startLab({ certificate: 'none', relays: ['jump'], backends: false });
    await lab.startAcme();
  });
  after(() => lab.stop());

  /** Starts it, waits until certbot is running, interferes, and returns the result. */
  async function duringOrder(args: readonly string[], interfere: () => Promise<unknown>) {
    const run = finished(lab.spawn('bootstrap-tls', ['--no-verify', ...args], { env: WITH_TOKEN }));
    const waiting =
      'for i in $(seq 100); do pgrep -f "^/usr/bin/python3 .*certbot" && exit; sleep 0.1; done; exit 1';
    assert.equal((await lab.proxy.sh(waiting)).status, 0, 'certbot was running');
    await interfere();
    return run;
  }

  test('leaves the HTTP-only vhost if it is killed while certbot runs, and the next run continues', async () => {
    // The lock names the program's process; certbot is its only long-running child.
    const kill =
      'p=$(sed \'s/.*process \\([0-9]*\\)).*/\\1/\' /var/lib/gatepost/lock); kill -9 $p $(pgrep -P "$p")';
    const { status, stdout } = await duringOrder([], () => lab.proxy.sh(kill));
    assert.equal(status, 1, stdout);
    await assertHealthy(lab.proxy);
    const again = await bootstrap(lab, ['--no-verify'], { env: WITH_TOKEN });
    assert.equal(again.status, 0, again.stderr);
    assert.equal((await served()).serialNumber, await issued(lab.proxy));
  });

  test('reports the completed steps after the connection is lost for good', async () => {
    assert.equal((await lab.run('remove', ['--yes'])).status, 0);
    const { status, stdout, stderr } = await duringOrder(['--force-renewal', '--json'], async () => {
      // The connection that queries the outcome is not affected; the one that uploads the last program breaks.
      await lab.relay.fault({ kind: 'fin', direction: 'up', afterBytes: 60_000 });
      await lab.relay.cut('rst');
    });
    const [host] = JSON.parse(stdout).hosts;
    assert.deepEqual([status, host.outcome, host.failure.code], [1, 'failed', 'lost'], stdout);
    assert.match(
      stderr,
      /the certificate is in place, the full site is not; the HTTP-only vhost is in place/,
    );
    assert.ok(
      host.files.some(
        ({ path, changed }: HostReport['files'][0]) => changed && path.endsWith(`${NAME}.conf`),
      ),
      stdout,
    );
    assert.equal(host.facts.certificate_kind, 'ca');
    await assertHealthy(lab.proxy);
    const again = await bootstrap(lab, ['--no-verify'], { env: WITH_TOKEN });
    assert.equal(again.status, 0, again.stderr);
    assert.equal((await served()).serialNumber, await issued(lab.proxy));
  });

  test('a lost connection does not change the outcome', async () => {
    const had = await orders(lab.proxy);
    const { status, stdout } = await duringOrder(['--force-renewal'], () => lab.relay.cut('rst'));
    assert.equal(status, 0, stdout);
    assert.match(stdout, /querying the outcome/);
    assert.equal(await orders(lab.proxy), had + 1);
    assert.equal((await served()).serialNumber, await issued(lab.proxy));
    await assertNoChallenge(lab.proxy);
  });
});

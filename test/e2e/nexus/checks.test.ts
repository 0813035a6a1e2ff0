/** The checks of the Nexus appliance in the lab, over every kind of connection; its sabotages are in sabotages.ts. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';
import * as appliance from './appliance.ts';

let lab: Lab;
before(async () => {
  lab = await startLab();
  await appliance.installServices(lab.proxy);
  await lab.proxy.sh('rm /etc/nginx/sites-enabled/default');
});
after(() => lab.stop());

describe('the checks', () => {
  interface Check {
    readonly name: string;
    readonly status: string;
    readonly detail: string;
  }

  /** Deploys with checks; returns the exit status and the checks' results. */
  async function checked(more: Record<string, string>): Promise<{ exit: number; checks: Check[] }> {
    const env = appliance.settings(lab.proxy, more);
    const { status, stdout, stderr } = await lab.run('deploy', ['--json', '--site', 'nexus'], { env });
    const { hosts } = JSON.parse(stdout) as { hosts: { checks: Check[] }[] };
    return { exit: status, checks: hosts[0]?.checks ?? assert.fail(stderr) };
  }

  const named = { NEXUS_SERVER_NAME: appliance.PUBLIC_NAME, NEXUS_VIRTUAL_KEY: appliance.KEY };
  const failed = (checks: readonly Check[]) =>
    checks.filter(({ status }) => status === 'failed').map(({ name }) => name);

  test('all pass by name: every row, the closed paths, a stream', async () => {
    const trust = `${lab.directory}/trust.pem`;
    await writeFile(trust, (await lab.proxy.sh('cat /etc/nexus/tls.crt')).stdout);
    const { exit, checks } = await checked({ ...named, NODE_EXTRA_CA_CERTS: trust });
    assert.deepEqual([exit, failed(checks)], [0, []], JSON.stringify(checks, null, 1));
    for (const name of [
      'AI Gateway',
      'Hub',
      'WebSocket',
      'Control Plane',
      'closed paths',
      'web interface',
      'streaming',
    ])
      assert.equal(checks.find((check) => check.name === name)?.status, 'passed', name);
  });

  test('a self-signed certificate for a name fails, and no key is sent', async () => {
    const { exit, checks } = await checked(named);
    assert.deepEqual([exit, failed(checks)], [3, ['certificate']]);
    assert.match(checks.find(({ name }) => name === 'streaming')?.detail ?? '', /self-signed/);
  });

  test('a deploy by address checks through SSH, as the LAN is not reachable from here', async () => {
    const { exit, checks } = await checked({ NEXUS_VIRTUAL_KEY: appliance.KEY });
    assert.deepEqual([exit, failed(checks)], [0, []], JSON.stringify(checks, null, 1));
    assert.equal(checks.find(({ name }) => name === 'certificate')?.status, 'warned');
    assert.equal(checks.find(({ name }) => name === 'Hub')?.status, 'passed');
    const { status, stderr } = await lab.run('rollback', ['--json', '--site', 'nexus'], {
      env: appliance.settings(lab.proxy),
    });
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^192\.168\.1\.100: live /m);
  });

  test('all pass by address through SSH with a self-signed certificate', async () => {
    await appliance.deployNexus(lab, lab.proxy);
    const env = appliance.settings(lab.proxy);
    const { status, stdout } = await lab.run('verify', ['--json', '--site', 'nexus', '--via-ssh'], { env });
    const [host] = (JSON.parse(stdout) as { hosts: { checks: Check[] }[] }).hosts;
    const checks = host?.checks ?? [];
    assert.deepEqual([status, failed(checks)], [0, []], stdout);
    assert.equal(checks.find(({ name }) => name === 'certificate')?.status, 'warned');
  });
});

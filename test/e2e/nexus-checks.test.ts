/** The checks of the Nexus appliance: all pass when it is well, and each tells its own fault. */
import '../lab/enter.ts';
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import * as a from '../lab/appliance.ts';
import { type Lab, startLab } from '../lab/lab.ts';

let lab: Lab;
before(async () => {
  lab = await startLab();
  await a.furnish(lab.proxy);
  await lab.proxy.sh('rm /etc/nginx/sites-enabled/default');
});
after(() => lab.stop());

describe('the checks', () => {
  interface Check {
    readonly name: string;
    readonly status: string;
    readonly detail: string;
  }

  /** Deploys with checks; what each of them said. */
  async function checked(more: Record<string, string>): Promise<{ exit: number; checks: Check[] }> {
    const env = a.settings(lab.proxy, more);
    const { status, stdout, stderr } = await lab.run('deploy', ['--json', '--site', 'nexus'], { env });
    const { hosts } = JSON.parse(stdout) as { hosts: { checks: Check[] }[] };
    return { exit: status, checks: hosts[0]?.checks ?? assert.fail(stderr) };
  }

  const named = { NEXUS_SERVER_NAME: a.PUBLIC_NAME, NEXUS_VIRTUAL_KEY: a.KEY };
  const failed = (checks: readonly Check[]) =>
    checks.filter(({ status }) => status === 'failed').map(({ name }) => name);

  test('by name, all pass: every row, the closed paths, a stream', async () => {
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

  test('of a self-signed certificate at a name: the certificate fails, and no key is sent', async () => {
    const { exit, checks } = await checked(named);
    assert.deepEqual([exit, failed(checks)], [3, ['certificate']]);
    assert.match(checks.find(({ name }) => name === 'streaming')?.detail ?? '', /self-signed/);
  });

  const sabotage: readonly (readonly [string, string, readonly string[]])[] = [
    [
      'the page where the AI Gateway should be',
      's#"^/(?:v1|v1beta|openai#"^/(?:gone|gone|gone#',
      ['AI Gateway'],
    ],
    ['an open inside', 's#(?:internal|metrics|debug#(?:gone|gone|debug#', ['closed paths']],
    ['a Hub that is down', 's#127.0.0.1:3060#127.0.0.1:3061#', ['Hub', 'WebSocket']],
    ['a Control Plane that is down', 's#127.0.0.1:3001#127.0.0.1:3002#', ['Control Plane']],
    ['no web interface', 's#/opt/nexus/ui#/opt/nexus/gone#', ['web interface']],
  ];
  for (const [what, edit, names] of sabotage)
    test(`say of ${what}: ${names.join(', ')}`, async () => {
      await lab.proxy.sh(`sed -i '${edit}' ${a.VHOST} && nginx -s reload && sleep 0.5`);
      const { runChecks } = await import('../../lib/checks.ts');
      const { findSites, pickSite } = await import('../../lib/sites.ts');
      const site = pickSite(await findSites(), 'nexus');
      const results = await runChecks(await site.checks(), { serverName: a.PUBLIC_NAME });
      assert.deepEqual(failed(results), ['certificate', ...names]);
      await a.deployNexus(lab, lab.proxy, { NEXUS_SERVER_NAME: a.PUBLIC_NAME });
    });

  test('by address, a deploy asks it by the way it came, as a LAN behind a jump host is not seen from here', async () => {
    const { exit, checks } = await checked({ NEXUS_VIRTUAL_KEY: a.KEY });
    assert.deepEqual([exit, failed(checks)], [0, []], JSON.stringify(checks, null, 1));
    assert.equal(checks.find(({ name }) => name === 'certificate')?.status, 'warned');
    assert.equal(checks.find(({ name }) => name === 'Hub')?.status, 'passed');
    const { status, stderr } = await lab.run('rollback', ['--json', '--site', 'nexus'], {
      env: a.settings(lab.proxy),
    });
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^192\.168\.1\.100: live .*; checks: \d+ passed/m);
  });

  test('by address, through SSH: all pass, and a self-signed certificate is as it should be', async () => {
    await a.deployNexus(lab, lab.proxy);
    const env = a.settings(lab.proxy);
    const { status, stdout } = await lab.run('verify', ['--json', '--site', 'nexus', '--via-ssh'], { env });
    const [host] = (JSON.parse(stdout) as { hosts: { checks: Check[] }[] }).hosts;
    const checks = host?.checks ?? [];
    assert.deepEqual([status, failed(checks)], [0, []], stdout);
    assert.equal(checks.find(({ name }) => name === 'certificate')?.status, 'warned');
  });
});

/** Twenty proxies behind one jump host, and the number of processes per change. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { HostReport } from '../../../lib/model/host-report.ts';
import * as deploys from '../../lab/actors/deploys.ts';
import * as programs from '../../lab/actors/programs.ts';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';

const PROXIES = 20;
let lab: Lab;
before(async () => {
  lab = await startLab({ proxies: PROXIES, relays: ['jump'], backends: false });
});
after(() => lab.stop());

/** Deploys; returns the set of outcomes, and the number of connections at the jump host. */
async function deploy(backend: string) {
  const before = lab.relay.connections;
  const { status, stdout, stderr } = await lab.run('deploy', ['--json', '--no-verify'], {
    env: { ...deploys.withToken(deploys.TOKEN), IA_ENSO_BACKEND_IP: backend },
  });
  const hosts: readonly HostReport[] = JSON.parse(stdout).hosts;
  const outcomes = new Set(hosts.map(({ outcome }) => outcome));
  return { status, hosts, outcomes: [...outcomes], connections: lab.relay.connections - before, stderr };
}

test('deploys twenty proxies over one jump connection; a second deploy is unchanged', async () => {
  for (const expected of ['applied', 'unchanged']) {
    const { status, hosts, outcomes, connections, stderr } = await deploy('192.168.1.7');
    assert.deepEqual([status, outcomes, connections], [0, [expected], 1], stderr);
    assert.deepEqual(
      hosts.map(({ host }) => host),
      lab.proxies.map(({ address }) => address),
    );
  }
});

/** The PID of the last process that was started in these namespaces (proc(5), loadavg). */
const lastProcess = () => Number(readFileSync('/proc/loadavg', 'utf8').split(' ').at(-1));

/** The number of processes that a program starts on a proxy that has the site. */
async function processes(backend: string, outcome: string): Promise<number> {
  const program = await programs.deployProgram({ backend, token: deploys.TOKEN });
  const before = lastProcess();
  const result = await programs.execute(lab.proxy, program);
  assert.equal(result.outcome, outcome, result.stdout + result.stderr);
  return lastProcess() - before;
}

// The lab's twenty proxies share one machine, so the cost per proxy determines the fleet's duration.
test('starts few processes on a proxy, and fewer without a change', async () => {
  await processes('192.168.1.8', 'applied');
  const [change, none] = [
    await processes('192.168.1.9', 'applied'),
    await processes('192.168.1.9', 'unchanged'),
  ];
  assert.ok(change <= 80 && none <= 42, `${change} and ${none} processes`);
});

/** A connection that breaks at any byte leaves the proxy wholly old or wholly new, and the script says which. */
import '../lab/enter.ts';
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import * as d from '../lab/deploys.ts';
import { type Lab, startLab } from '../lab/lab.ts';
import type { Fault } from '../lab/lab-link.ts';
import * as p from '../lab/programs.ts';

let lab: Lab;
before(async () => {
  lab = await startLab({ relays: ['jump'] });
});
after(() => lab.stop());

/** The two states differ in the backend's address and the token. */
const STATES = {
  old: { ...d.withToken(d.TOKEN), IA_ENSO_BACKEND_IP: '192.168.1.164' },
  new: { ...d.withToken(d.OTHER), IA_ENSO_BACKEND_IP: '192.168.1.165' },
};
type State = keyof typeof STATES;
const WANTED: Record<State, p.Wanted> = {
  old: { token: d.TOKEN, backend: '192.168.1.164' },
  new: { token: d.OTHER, backend: '192.168.1.165' },
};

/** Which state the proxy serves and holds; anything else fails. */
async function isNow(where: string): Promise<State> {
  const answers = [await d.gate(d.TOKEN), await d.gate(d.OTHER)];
  const { stdout } = await lab.proxy.sh(`grep -o '192.168.1.16[45]:11434' ${d.VHOST}`);
  const seen = `${answers} ${stdout.trim()}`;
  const is = { '200,401 192.168.1.164:11434': 'old', '401,502 192.168.1.165:11434': 'new' }[seen] as State;
  assert.ok(is, `${where}: ${seen}`);
  return is;
}

/** Waits for a run that goes on without its connection. */
async function quiet(): Promise<void> {
  await lab.proxy.sh('flock /var/lib/gatepost/lock true');
}

let traffic = { up: 0, down: 0 };
const exits: Record<string, number> = {};

/** One deploy of the new state over a connection that breaks. */
async function broken(fault: Fault): Promise<void> {
  const where = `${fault.kind} after ${fault.afterBytes} bytes ${fault.direction}`;
  await lab.relay.fault(fault);
  const deployed = await d.deploy(lab, STATES.new);
  await lab.relay.heal();
  await quiet();
  const is = await isNow(where);
  const said = `${where}: ${deployed.stderr}`;
  if (deployed.exit === 0) assert.equal(is, 'new', said);
  else if (deployed.exit === 1) assert.equal(is, 'old', said);
  else assert.equal(deployed.exit, 4, said);
  const key = `${fault.kind} ${deployed.exit}`;
  exits[key] = (exits[key] ?? 0) + 1;
  const again = await p.apply(lab.proxy, WANTED.old);
  assert.match(again.verdict ?? '', /^(applied|unchanged)$/, again.stdout);
  assert.equal(await d.leftovers(lab.proxy), '', where);
}

/** Places for each kind of break; CUTS=15 makes sixty of them. */
const PLACES = Number(process.env.CUTS ?? 3);

/** Places spread over what a whole deploy carries, more of them towards its end: the run itself says little. */
const spread = (count: number, from: number, to: number) =>
  Array.from({ length: count }, (_, i) => Math.round(from + ((to - from) * i) / (count - 1)));

describe('a connection that breaks', () => {
  before(async () => {
    await d.deploy(lab, STATES.old);
    assert.equal((await d.deploy(lab, STATES.new)).outcome, 'applied');
    traffic = await lab.relay.traffic();
    await d.deploy(lab, STATES.old);
  });

  for (const kind of ['fin', 'rst'] as const) {
    test(`by ${kind} on the way up`, async () => {
      for (const afterBytes of spread(PLACES, 500, traffic.up))
        await broken({ kind, direction: 'up', afterBytes });
    });
    test(`by ${kind} on the way down`, async () => {
      const places = [1500, ...spread(PLACES - 1, traffic.down - 2800, traffic.down - 10)];
      for (const afterBytes of places) await broken({ kind, direction: 'down', afterBytes });
    });
  }

  test('by freezing', async () => {
    await broken({ kind: 'freeze', direction: 'down', afterBytes: traffic.down - 900 });
  });

  test('says 0 when it was learned, 1 when nothing was changed', () => {
    assert.ok((exits['fin 0'] ?? 0) > 1 && (exits['fin 1'] ?? 0) > 2, JSON.stringify(exits));
    assert.ok((exits['rst 0'] ?? 0) > 1 && (exits['rst 1'] ?? 0) > 2, JSON.stringify(exits));
  });

  test('and does not come back says 4, and the next deploy settles it', async () => {
    const fault = { kind: 'fin', direction: 'down' } as const;
    const before = lab.relay.connections;
    await lab.relay.fault({ ...fault, afterBytes: traffic.down - 900 });
    const running = d.deploy(lab, STATES.new);
    while (lab.relay.connections === before) await sleep(5);
    // Whatever comes after the connection that breaks breaks at once.
    await lab.relay.fault({ ...fault, afterBytes: 0, connections: 'all' });
    const deployed = await running;
    await lab.relay.heal();
    await quiet();
    assert.deepEqual([deployed.exit, deployed.outcome], [4, 'unknown'], deployed.stderr);
    const next = await d.deploy(lab, STATES.new);
    assert.equal(next.exit, 0, next.stderr);
    assert.equal(await isNow('after 4'), 'new');
  });
});

describe('a program that was cut', () => {
  const shells = ['/bin/sh', '/bin/bash', '/bin/busybox sh'];
  for (const shell of shells) {
    test(`at any byte does nothing in ${shell}`, {
      skip: !existsSync(shell.split(' ')[0] ?? ''),
    }, async () => {
      await d.reset(lab.proxy);
      const { text } = await p.deployProgram({ token: d.TOKEN });
      const before = await d.tree(lab.proxy);
      await lab.proxy.sh('cat >/run/program', { input: text });
      // Every place near both ends and where lines end, and some in between.
      const cuts = `size=$(wc -c </run/program); { seq 1 7 400; seq 401 ${shell === '/bin/sh' ? 97 : 997} $size;
        seq $((size - 30)) $((size - 3)); } | while read n; do head -c $n /run/program | ${shell} -s; done 2>/dev/null`;
      assert.equal((await lab.proxy.sh(cuts)).stdout, '');
      assert.equal(await d.tree(lab.proxy), before);
    });
  }
});

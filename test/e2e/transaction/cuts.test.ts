/**
 * A connection that breaks at any point, on either hop, leaves the proxy in the old or the new state, and the script
 * reports which. CUTS sets the number of points per hop and kind of break, CUTS_OPENSSH the same for the ssh program;
 * FC_SEED repeats a run.
 */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import * as deploys from '../../lab/actors/deploys.ts';
import * as programs from '../../lab/actors/programs.ts';
import * as cuts from '../../lab/faults/cuts.ts';
import { type Lab, type Result, startLab } from '../../lab/namespaces/lab.ts';

const seed = Number(process.env.FC_SEED ?? Date.now() % 1e9);
const COUNTS = {
  ssh2: Number(process.env.CUTS ?? 3),
  openssh: Number(process.env.CUTS_OPENSSH ?? 1),
} as const;
type Transport = keyof typeof COUNTS;
const TRANSPORTS = Object.keys(COUNTS) as readonly Transport[];
/** A frozen connection ends after the missed keepalives: 15 s, plus 5 s per hop; the rest is for a busy machine. */
const LIMIT_MS = { fin: 45_000, rst: 45_000, freeze: 70_000 };

let lab: Lab;
let known: cuts.Known;
let traffic: Record<Transport, Record<cuts.Hop, cuts.HopTraffic>>;
/** Separate slots, because frozen connections mostly wait and the others use the CPU. */
let pools: Record<'waiting' | 'working', ReturnType<typeof cuts.poolOf<cuts.Slot>>>;

before(async () => {
  lab = await startLab({ proxies: 8, relays: ['proxy'] });
  const slots = await cuts.slotsOf(lab);
  const [first] = slots as [cuts.Slot];
  known = { new: await heldBy(first, 'new'), old: await heldBy(first, 'old') };
  const both = async (transport: Transport) => ({
    jump: await measured(first, 'jump', transport),
    proxy: await measured(first, 'proxy', transport),
  });
  traffic = { ssh2: await both('ssh2'), openssh: await both('openssh') };
  await Promise.all(slots.map(({ host }) => programs.apply(host, cuts.WANTED.old)));
  pools = { waiting: cuts.poolOf(slots.slice(2)), working: cuts.poolOf(slots.slice(0, 2)) };
});
after(() => lab.stop());

async function heldBy(slot: cuts.Slot, state: cuts.State): Promise<string> {
  const { exit, stderr } = await deploys.deploy(slot, cuts.environment(cuts.WANTED[state]));
  assert.equal(exit, 0, stderr);
  return cuts.filesOf(slot);
}

async function measured(slot: cuts.Slot, hop: cuts.Hop, transport: Transport): Promise<cuts.HopTraffic> {
  await programs.apply(slot.host, cuts.WANTED.old);
  let deploying: Promise<unknown> | undefined;
  const upload = await cuts.withLock(slot, () =>
    cuts.bytesUploaded(slot, hop, () => {
      deploying = deploys.deploy(slot, environment('new', transport));
    }),
  );
  await deploying;
  const { up, down } = await slot.relays[hop].traffic();
  return { up, down, upload };
}

const environment = (state: cuts.State, transport: Transport) => ({
  ...cuts.environment(cuts.WANTED[state]),
  SSH_TRANSPORT: transport,
});

const exits: Record<string, number> = {};

/** One deploy of the new state over a connection that breaks; every second one is then repeated. */
async function breakAndRecover(
  slot: cuts.Slot,
  cutPoint: cuts.CutPoint,
  transport: Transport,
  isRepeated: boolean,
): Promise<void> {
  const where = `${transport}, ${cuts.describeCut(cutPoint)}`;
  try {
    await deployAndBreak(slot, cutPoint, transport, where);
    if (isRepeated) await repeatDeploy(slot, where);
  } finally {
    const recovery = await programs.apply(slot.host, cuts.WANTED.old);
    assert.match(recovery.verdict ?? '', /^(applied|unchanged)$/, recovery.stdout);
    assert.equal(await deploys.leftovers(slot.host), '', where);
  }
}

async function deployAndBreak(
  slot: cuts.Slot,
  cutPoint: cuts.CutPoint,
  transport: Transport,
  where: string,
): Promise<void> {
  const before = await deploys.config(slot.host);
  const start = Date.now();
  await slot.relays[cutPoint.hop].fault(cutPoint);
  const { exit, stderr } = await deploys
    .deploy(slot, environment('new', transport))
    .finally(() => slot.relays[cutPoint.hop].heal());
  const details = `${where}: ${exit}, ${stderr}`;
  assert.ok(Date.now() - start < LIMIT_MS[cutPoint.kind], details);
  await cuts.runEnded(slot);
  const state = await cuts.stateOf(slot, known, details);
  if (cutPoint.phase === 'upload') assert.equal(exit, 1, details);
  if (exit === 0) assert.equal(state, 'new', details);
  else if (exit === 1) assert.equal(await deploys.config(slot.host), before, details);
  else assert.equal(exit, 4, details);
  const key = `${cutPoint.hop} ${cutPoint.kind} ${exit}`;
  exits[key] = (exits[key] ?? 0) + 1;
}

async function repeatDeploy(slot: cuts.Slot, where: string): Promise<void> {
  const { exit, stderr } = await deploys.deploy(slot, cuts.environment(cuts.WANTED.new));
  assert.equal(exit, 0, stderr);
  assert.equal(await cuts.stateOf(slot, known, where), 'new');
}

describe('a connection that breaks', { concurrency: true }, () => {
  for (const transport of TRANSPORTS)
    for (const hop of cuts.HOPS)
      for (const kind of ['freeze', 'fin', 'rst'] as const)
        test(`over ${transport} by ${kind} to the ${hop}, at ${COUNTS[transport]} points (seed ${seed})`, async () => {
          const pool = pools[kind === 'freeze' ? 'waiting' : 'working'];
          const points = cuts.cutPoints(hop, kind, traffic[transport][hop], COUNTS[transport], seed);
          await Promise.all(
            points.map((cutPoint, index) =>
              pool((slot) => breakAndRecover(slot, cutPoint, transport, (index + kind.length) % 2 === 0)),
            ),
          );
        });
});

/** Runs a script that loses its connection while its program is on the proxy, and cannot reconnect. */
async function loseConnection(
  slot: cuts.Slot,
  script: string,
  args: string[],
  env: Record<string, string> = {},
) {
  let running: Promise<Result> | undefined;
  await cuts.withLock(slot, async () => {
    await cuts.bytesUploaded(slot, 'jump', () => {
      running = slot.run(script, args, { env });
    });
    await slot.relays.jump.fault({ kind: 'fin', direction: 'down', afterBytes: 0, connections: 'all' });
    await slot.relays.jump.cut('fin');
  });
  const result = (await running) as Result;
  await slot.relays.jump.heal();
  await cuts.runEnded(slot);
  return result;
}

const tokens = ({ stdout, stderr }: Result) => (stdout + stderr).match(/\b[0-9a-f]{64}\b/g) ?? [];

describe('a connection that does not come back', { concurrency: true }, () => {
  test('exits with 4, and the next deploy recovers', () =>
    pools.waiting(async (slot) => {
      await programs.apply(slot.host, cuts.WANTED.old);
      const env = cuts.environment(cuts.WANTED.new);
      const { status, stdout } = await loseConnection(slot, 'deploy', ['--json', '--no-verify'], env);
      assert.deepEqual([status, JSON.parse(stdout).hosts[0].outcome], [4, 'unknown'], stdout);
      const next = await deploys.deploy(slot, env);
      assert.equal(next.exit, 0, next.stderr);
      assert.equal(await cuts.stateOf(slot, known, 'after 4'), 'new');
    }));

  for (const script of ['deploy', 'rotate-bearer'])
    for (const flags of [[], ['--json']])
      test(`shows once a new token that may be live: ${script} ${flags}`, () =>
        pools.waiting(async (slot) => {
          await deploys.reset(slot.host);
          if (script !== 'deploy') await programs.apply(slot.host, cuts.WANTED.old);
          const result = await loseConnection(slot, script, flags);
          assert.deepEqual([result.status, tokens(result).length], [4, 1], result.stdout + result.stderr);
          assert.equal(await cuts.gateStatusOf(slot, tokens(result)[0] as string), '200');
          const next = await slot.run('deploy', ['--json', '--no-verify']);
          assert.deepEqual([next.status, tokens(next)], [0, []], next.stderr);
        }));
});

test('both outcomes occurred: 0 when the result was learned, 1 when nothing was changed', (t) => {
  t.diagnostic(JSON.stringify(exits));
  for (const exit of [0, 1]) assert.ok(Object.keys(exits).some((key) => key.endsWith(` ${exit}`)));
});

describe('a truncated program', () => {
  const shells = ['/bin/sh', '/bin/bash', '/bin/busybox sh'];
  for (const shell of shells) {
    test(`at any byte does nothing in ${shell}`, {
      skip: !existsSync(shell.split(' ')[0] ?? ''),
    }, async () => {
      await deploys.reset(lab.proxy);
      const { text } = await programs.deployProgram({ token: deploys.TOKEN });
      const before = await deploys.tree(lab.proxy);
      await lab.proxy.sh('cat >/run/program', { input: text });
      // Cut points near both ends, and samples in between, which vary between runs; DAMAGES=all tries more.
      const step = process.env.DAMAGES === 'all' ? 97 : 997;
      const everyCut = `size=$(wc -c </run/program); { seq 1 7 400; seq $((401 + ${seed % step})) ${step} $size;
        seq $((size - 30)) $((size - 3)); } | while read n; do head -c $n /run/program | ${shell} -s; done 2>/dev/null`;
      assert.equal((await lab.proxy.sh(everyCut)).stdout, '');
      assert.equal(await deploys.tree(lab.proxy), before);
    });
  }
});

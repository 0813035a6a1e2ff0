/** One ssh process that holds the connection to a hop; others share it over a socket in a private folder. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SshError } from '../../util/errors.ts';
import { $, type ProcessPromise } from '../../util/shell.ts';
import type { Hop } from '../hops.ts';
import { LIMITS } from '../timeouts.ts';
import { agentBeyondSsh2 } from '../why-openssh.ts';
import { masterArguments } from './arguments.ts';
import { connectError, goneError, type Late, wasOpened } from './failures.ts';
import { hostKeyRefusal } from './host-key-refusal.ts';

export interface Master {
  readonly hop: Hop;
  readonly socket: string;
  /** The jump host that it connects through. */
  readonly before: Master | undefined;
  /** Number of jump hosts before it. */
  readonly depth: number;
  /** ssh's output so far, including debug lines. */
  readonly log: () => string;
  /** How the connection was lost; undefined while it is open. If a jump host was lost, its error is reported. */
  readonly lost: () => SshError | undefined;
  /** Resolves when ssh has ended. */
  readonly ended: Promise<unknown>;
  readonly close: () => void;
}

const POLL_MS = 5;
/** sun_path has 104 bytes on some systems, and ssh appends 17 to the name while binding; it expands `%`. */
const parentFolder = (): string => (/^[\w./-]{1,60}$/.test(tmpdir()) ? tmpdir() : '/tmp');
/** ssh has its own time limits for the connection and the banner; its message shows which one was reached. */
const GRACE_MS = 1_000;

/**
 * Connects and logs in to a hop.
 * @param before the jump host to go through
 * @throws SshError that names the hop
 */
export async function openMaster(hop: Hop, before?: Master): Promise<Master> {
  const folder = join(parentFolder(), `gatepost-${randomBytes(6).toString('hex')}`);
  const socket = join(folder, 's');
  const offersAgent = hop.keyIsExplicit && (await agentBeyondSsh2(hop)).length > 0;
  const route = { through: before?.socket, depth: before ? before.depth + 1 : 0, offersAgent };
  const running = supervised(folder, masterArguments(hop, route, socket));
  const master = masterOf(running, { hop, socket, depth: route.depth, before });
  const late = await untilReady(master, before !== undefined);
  if (late === 'ready') return master;
  master.close();
  const { code } = await master.ended;
  const failure = connectError({ hop, log: master.log(), before, late, code });
  await settled(before);
  throw before?.lost() ?? (failure === 'host key' ? await hostKeyRefusal(hop, route, master.log()) : failure);
}

/** Time to notice the end of the jump host, which may be the cause of the failure. */
const SETTLE_MS = 300;

/** Waits until it is clear whether the jump host was lost, too. */
export async function settled(before: Master | undefined): Promise<void> {
  if (before) await Promise.race([before.ended, sleep(SETTLE_MS, undefined, { ref: false })]);
}

/**
 * ssh, with a shell that outlives this process for a moment: when this process ends in any way, the pipe to the shell's
 * stdin closes; the shell then ends ssh and its proxy command, and removes the folder. A separate session keeps Ctrl-C
 * from ssh, and ssh from the terminal. The shell must not write to stderr: with no reader left, SIGPIPE would end it
 * before it has cleaned up.
 */
function supervised(folder: string, args: readonly string[]): ProcessPromise {
  return $({ detached: true, nothrow: true })`LC_ALL=C; export LC_ALL; exec 3<&0 </dev/null
mkdir -m 700 ${folder} || exit 1
ssh ${[...args]} 3<&- >/dev/null & master=$!
exec 2>/dev/null
{ read -r _; kill $master; sleep 1; kill -9 $master; } <&3 3<&- >/dev/null 2>&1 &
wait $master; status=$?
rm -rf ${folder}
trap '' TERM; kill -TERM 0
exit $status`;
}

interface Running extends Master {
  readonly ended: Promise<{ readonly code: number | null }>;
}

function masterOf(
  running: ProcessPromise,
  { hop, socket, depth, before }: Pick<Master, 'hop' | 'socket' | 'depth' | 'before'>,
): Running {
  let log = '';
  let lost: SshError | undefined;
  running.stderr.on('data', (data: Buffer) => {
    log += data.toString().replaceAll('\r', '');
  });
  const ended = watch(running, () => {
    lost = goneError(hop, log, depth);
  });
  return {
    hop,
    socket,
    depth,
    before,
    log: () => log,
    lost: () => lost && (before?.lost() ?? lost),
    ended,
    close: () => release(running),
  };
}

async function watch(running: ProcessPromise, onEnd: () => void): Running['ended'] {
  const { exitCode: code } = await running;
  onEnd();
  return { code };
}

/** Closes the shell's stdin; this process may exit without waiting for it. */
function release({ child, stdin }: ProcessPromise): void {
  stdin.end();
  child?.unref();
  for (const stream of child?.stdio ?? []) (stream as unknown as { unref?: () => void })?.unref?.();
}

/** ssh creates the socket after the login. */
async function untilReady({ socket, ended, log }: Running, isBehindJump: boolean): Promise<Late | 'ready'> {
  const start = performance.now();
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  ended.then(over, over);
  for (;;) {
    if (existsSync(socket)) return 'ready';
    if (isOver) return 'ended';
    const waited = performance.now() - start;
    if (isBehindJump && waited > LIMITS.open && !wasOpened(log())) return 'stream';
    if (waited > LIMITS.hop + GRACE_MS) return 'hop';
    await sleep(POLL_MS);
  }
}

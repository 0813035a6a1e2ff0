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
  /** The jump host that it goes through. */
  readonly before: Master | undefined;
  /** The number of jump hosts before it. */
  readonly depth: number;
  /** What ssh said so far, debug lines included. */
  readonly log: () => string;
  /** How the connection was lost; undefined while it is open. A lost jump host breaks all behind it, and is the one to report. */
  readonly lost: () => SshError | undefined;
  /** Resolves once ssh has ended. */
  readonly ended: Promise<unknown>;
  readonly close: () => void;
}

const POLL_MS = 5;
/** sun_path has 104 bytes on some systems, and ssh adds 17 to the name while it binds; it expands `%`. */
const parentFolder = (): string => (/^[\w./-]{1,60}$/.test(tmpdir()) ? tmpdir() : '/tmp');
/** ssh has its own limit for the connection and the banner, and its words say which of the two it was. */
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

/** Time for the jump host's own end to be seen, which is the cause of what broke behind it. */
const SETTLE_MS = 300;

/** Waits until it is clear whether the jump host was lost, too. */
export async function settled(before: Master | undefined): Promise<void> {
  if (before) await Promise.race([before.ended, sleep(SETTLE_MS, undefined, { ref: false })]);
}

/**
 * ssh, with a shell that outlives this process for a moment: when it ends in any way, its end of the pipe to stdin closes;
 * the shell then ends ssh, its proxy command and the folder. A session of its own keeps Ctrl-C from ssh, and ssh from the terminal.
 * The shell itself must not write to stderr: nobody may read it any more, and SIGPIPE would end the shell before it has cleaned up.
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
    close: () => letGo(running),
  };
}

async function watch(running: ProcessPromise, onEnd: () => void): Running['ended'] {
  const { exitCode: code } = await running;
  onEnd();
  return { code };
}

/** Its stdin closes; the process may exit without waiting for the shell. */
function letGo({ child, stdin }: ProcessPromise): void {
  stdin.end();
  child?.unref();
  for (const stream of child?.stdio ?? []) (stream as unknown as { unref?: () => void })?.unref?.();
}

/** The socket appears after the login. */
async function untilReady({ socket, ended, log }: Running, isBehindJump: boolean): Promise<Late | 'ready'> {
  const began = performance.now();
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  ended.then(over, over);
  for (;;) {
    if (existsSync(socket)) return 'ready';
    if (isOver) return 'ended';
    const waited = performance.now() - began;
    if (isBehindJump && waited > LIMITS.open && !wasOpened(log())) return 'stream';
    if (waited > LIMITS.hop + GRACE_MS) return 'hop';
    await sleep(POLL_MS);
  }
}

/** Moves this process into namespaces of its own; the first import of everything that uses the lab. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { constants } from 'node:os';

const UNSHARE = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
// A shell as process 1 reaps orphans, which Node would leave as zombies; the private /run keeps `ip netns` off the machine.
const INIT = 'mount -t tmpfs -o mode=755 lab /run && ip link set lo up && "$@"; exit "$?"';
const NEEDS = `The lab needs Linux namespaces: run this as root (sudo npm test, sudo npm run demo) on Linux,
with unshare and setpriv (package util-linux) and ip (package iproute2);
in a container, with the right to mount (docker run --privileged).
`;

function network(): string {
  return readlinkSync('/proc/self/ns/net');
}

/** Whether this process already has namespaces of its own. */
export function inside(): boolean {
  const outer = process.env.GATEPOST_LAB;
  return Boolean(outer) && process.platform === 'linux' && outer !== network();
}

/** The environment for inside; root's PATH may lack the folders that hold ip and sshd. */
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin`, GATEPOST_LAB: network() };
}

function possible(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const probe = spawnSync('unshare', [
    ...UNSHARE,
    'sh',
    '-c',
    'mount -t tmpfs lab /run && ip link set lo up',
  ]);
  return probe.status === 0 && spawnSync('setpriv', ['--version']).status === 0;
}

/** The only child of a process, by the kernel's list. */
function childOf(pid: number | undefined): number {
  return Number.parseInt(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'), 10);
}

/** Passes a signal on to the process inside, and ends everything when that does not help. */
function forward(child: ChildProcess, signal: NodeJS.Signals): void {
  setTimeout(() => child.kill('SIGKILL'), 3000).unref();
  // A terminal's Ctrl-C reaches the process inside by itself.
  if (signal === 'SIGINT' && process.stdin.isTTY) return;
  try {
    process.kill(childOf(childOf(child.pid)), signal);
  } catch {
    child.kill('SIGKILL');
  }
}

/** Runs this process once more, inside, and resolves with its exit status. */
function again(): Promise<number> {
  const self = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  // pdeathsig: whoever kills this process outright ends all that is inside, too.
  const command = ['--pdeathsig', 'KILL', 'unshare', ...UNSHARE, 'sh', '-c', INIT, 'sh', ...self];
  const child = spawn('setpriv', command, { stdio: 'inherit', env: environment() });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, (s) => forward(child, s));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
  });
}

if (!inside()) {
  if (!possible()) {
    process.stderr.write(NEEDS);
    process.exit(1);
  }
  process.exit(await again());
}

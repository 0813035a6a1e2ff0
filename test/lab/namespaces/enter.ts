/** Re-executes this process in its own namespaces; must be the first import of everything that uses the lab. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { constants } from 'node:os';

const UNSHARE = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
// PID 1 is a shell, which reaps orphans (Node would leave zombies); the private /run hides `ip netns` from the machine.
const INIT = 'mount -t tmpfs -o mode=755 lab /run && ip link set lo up && "$@"; exit "$?"';
const NEEDS = `The lab needs Linux namespaces: run this as root (sudo npm test, sudo npm run demo) on Linux,
with unshare and setpriv (package util-linux) and ip (package iproute2);
in a container, with the right to mount (docker run --privileged).
`;

function network(): string {
  return readlinkSync('/proc/self/ns/net');
}

/** Whether this process already has its own namespaces. */
export function isInside(): boolean {
  const outer = process.env.GATEPOST_LAB;
  return Boolean(outer) && process.platform === 'linux' && outer !== network();
}

/** The environment inside; root's PATH may lack the folders of ip and sshd. */
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin`, GATEPOST_LAB: network() };
}

function canUnshare(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const probe = spawnSync('unshare', [
    ...UNSHARE,
    'sh',
    '-c',
    'mount -t tmpfs lab /run && ip link set lo up',
  ]);
  return probe.status === 0 && spawnSync('setpriv', ['--version']).status === 0;
}

/** The PID of a process's only child. */
function childOf(pid: number | undefined): number {
  return Number.parseInt(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'), 10);
}

/** Forwards a signal to the process inside; kills everything if it does not exit. */
function forward(child: ChildProcess, signal: NodeJS.Signals): void {
  setTimeout(() => child.kill('SIGKILL'), 3000).unref();
  // The terminal sends Ctrl-C to the whole foreground process group.
  if (signal === 'SIGINT' && process.stdin.isTTY) return;
  try {
    process.kill(childOf(childOf(child.pid)), signal);
  } catch {
    child.kill('SIGKILL');
  }
}

/** Runs this process again inside; resolves with its exit status. */
function reexecute(): Promise<number> {
  const self = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  // pdeathsig: if this process is killed, everything inside ends too.
  const command = ['--pdeathsig', 'KILL', 'unshare', ...UNSHARE, 'sh', '-c', INIT, 'sh', ...self];
  const child = spawn('setpriv', command, { stdio: 'inherit', env: environment() });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, (s) => forward(child, s));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
  });
}

if (!isInside()) {
  if (!canUnshare()) {
    process.stderr.write(NEEDS);
    process.exit(1);
  }
  process.exit(await reexecute());
}

/** The lab's hosts: started by host.sh, entered with nsenter. */
import type { HostSpec } from './network.ts';
import { CHECKOUT, finished, local, PATH, type Result, ready, spawnProcess } from './process.ts';

/** One host; `address` is the LAN address if it has one. */
export interface Host {
  readonly name: string;
  readonly address: string;
  readonly publicAddress: string;
  /** The process that keeps the host's namespaces, for `nsenter -t`. */
  readonly pid: number;
  /** Runs `/bin/sh -c command` on the host, as root by default. */
  sh(command: string, options?: { input?: string; user?: string }): Promise<Result>;
}

const ENV = { PATH, HOME: '/root', LANG: 'C.UTF-8' };

function identity(user: string | undefined): string[] {
  return user ? ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--init-groups', '--reset-env'] : [];
}

function enter(pid: number): Host['sh'] {
  return (command, { input, user } = {}) => {
    const args = ['-t', `${pid}`, '-m', '-u', '-n', '--', ...identity(user), '/bin/sh', '-c', command];
    return finished(spawnProcess({ env: ENV }, 'nsenter', args), input);
  };
}

/** Starts a host whose network namespace exists; `root` is a folder with another distribution's files. */
export async function startHost({
  name,
  role,
  internet = '-',
  lan = '-',
  root = '',
}: HostSpec): Promise<Host> {
  const script = [`${CHECKOUT}/test/lab/namespaces/host.sh`, name, role, internet, lan, root];
  const args = [`--net=/run/netns/${name}`, 'unshare', '--mount', '--uts', '/bin/sh', ...script];
  const anchor = spawnProcess({ env: ENV, stdio: ['ignore', 'pipe', 'pipe'] }, 'nsenter', args);
  await ready(anchor, name);
  const pid = Number(anchor.pid);
  const address = lan === '-' ? internet : lan;
  return { name, address, publicAddress: internet, pid, sh: enter(pid) };
}

/** Kills every process in a host's network namespace. */
export async function stopHost({ name }: HostSpec): Promise<void> {
  const { stdout } = await local`ip netns pids ${name}`;
  for (const pid of stdout.split('\n').filter(Boolean)) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has exited already.
    }
  }
}

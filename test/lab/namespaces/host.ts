/** The lab's hosts: started by host.sh, entered with nsenter. */
import type { Place } from './network.ts';
import { CHECKOUT, finished, local, PATH, type Result, ready, started } from './process.ts';

/** One host; its address is the LAN's where it has one. */
export interface Host {
  readonly name: string;
  readonly address: string;
  readonly publicAddress: string;
  /** The process that holds the host's namespaces, for `nsenter -t`. */
  readonly pid: number;
  /** Runs `/bin/sh -c command` on the host, as root unless a user is given. */
  sh(command: string, options?: { input?: string; user?: string }): Promise<Result>;
}

const ENV = { PATH, HOME: '/root', LANG: 'C.UTF-8' };

function identity(user: string | undefined): string[] {
  return user ? ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--init-groups', '--reset-env'] : [];
}

function enter(pid: number): Host['sh'] {
  return (command, { input, user } = {}) => {
    const args = ['-t', `${pid}`, '-m', '-u', '-n', '--', ...identity(user), '/bin/sh', '-c', command];
    return finished(started({ env: ENV }, 'nsenter', args), input);
  };
}

/** Starts a host whose network namespace is there; `root` is the folder with another distribution's files. */
export async function startHost({ name, role, internet = '-', lan = '-', root = '' }: Place): Promise<Host> {
  const script = [`${CHECKOUT}/test/lab/namespaces/host.sh`, name, role, internet, lan, root];
  const args = [`--net=/run/netns/${name}`, 'unshare', '--mount', '--uts', '/bin/sh', ...script];
  const anchor = started({ env: ENV, stdio: ['ignore', 'pipe', 'pipe'] }, 'nsenter', args);
  await ready(anchor, name);
  const pid = Number(anchor.pid);
  const address = lan === '-' ? internet : lan;
  return { name, address, publicAddress: internet, pid, sh: enter(pid) };
}

/** Ends every process in a host's network. */
export async function stopHost({ name }: Place): Promise<void> {
  const { stdout } = await local`ip netns pids ${name}`;
  for (const pid of stdout.split('\n').filter(Boolean)) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
}

/** One connection per jump host, shared by all proxies behind it: sshd limits concurrent new connections (MaxStartups). */
import type { Hop } from './hops.ts';
import type { OpenJump, Transport } from './session.ts';

export interface JumpPool {
  /**
   * Returns the open connection, or a new one if it was lost. @throws SshError, the same for all callers, if opening
   * failed
   */
  open(hops: readonly Hop[]): Promise<OpenJump>;
  /** Also retries once if opening failed; concurrent callers share the attempt. */
  again(hops: readonly Hop[]): Promise<OpenJump>;
  close(): void;
}

/** An empty pool: the first caller opens the connection. */
export function newJumpPool({ openJump }: Pick<Transport, 'openJump'>): JumpPool {
  const jumps = new Map<string, Promise<OpenJump>>();
  const again: JumpPool['again'] = async (hops) => {
    const name = JSON.stringify(hops);
    const previous = jumps.get(name);
    const jump = await previous?.catch(() => undefined);
    if (jump && !jump.lost()) return jump;
    jump?.close();
    const concurrent = jumps.get(name);
    if (concurrent && concurrent !== previous) return concurrent;
    const fresh = openJump(hops);
    jumps.set(name, fresh);
    return fresh;
  };
  const open: JumpPool['open'] = async (hops) => {
    await jumps.get(JSON.stringify(hops));
    return again(hops);
  };
  const close = () => {
    for (const jump of jumps.values()) jump.then((each) => each.close()).catch(() => {});
  };
  return { open, again, close };
}

/** Where programs run: a proxy, and how to get a connection to it. */
import type { Duplex } from 'node:stream';
import type { Hop } from '../ssh/hops.ts';
import type { ExecOutcome } from '../ssh/session.ts';

/** A connected proxy. */
export interface ProxyHost {
  readonly host: string;
  /** Runs the text to its end; a lost connection is reported in the outcome, not thrown. */
  run(text: string, onLine: (line: string) => void): Promise<ExecOutcome>;
  /** Replaces a lost connection. @throws SshError */
  reconnect(): Promise<void>;
  /** Opens a stream to a port of the host, as the host itself reaches it at that address (127.0.0.1 unless given). */
  readonly open: (port: number, address?: string) => Promise<Duplex>;
  /** A stream to a host as the jump host reaches it, its name resolved there; absent without a jump host. @throws SshError */
  openFromJump?: (host: string, port: number) => Promise<Duplex>;
  close(): void;
}

/** A host that can be connected to, over SSH or as this machine. */
export interface Target {
  readonly host: string;
  /** The hops to it, itself the last; none to this machine. */
  readonly hops: readonly Hop[];
  /** @param onBegin hears what the connection is waiting for @throws SshError naming the hop that failed */
  connect(onBegin: (step: string) => void): Promise<ProxyHost>;
}

/** The targets of one run, which may share connections to jump hosts. */
export interface Fleet {
  readonly targets: readonly Target[];
  /** What the operator should know before it connects. */
  readonly notice?: string;
  close(): void;
}

/** The interface of both transports: connections that run commands and open streams, behind shared jump hosts. */
import type { Duplex } from 'node:stream';
import type { SshError } from '../util/errors.ts';
import type { Hop } from './hops.ts';

export interface ExecOutcome {
  /** Undefined if the channel closed without an exit status. */
  readonly code: number | undefined;
  readonly signal?: string;
  readonly stdout: string;
  readonly stderr: string;
  /** False only if the input was certainly not sent completely. */
  readonly sent: boolean;
  /** How the connection was lost, or why the wait for the command ended. */
  readonly lost?: SshError;
}

/** The connection to a proxy. */
export interface Connection {
  /** Runs a command, sends it `input` and end of file; a lost connection is part of the outcome, not an error. */
  run(
    command: string,
    input: string,
    onLine?: (line: string) => void,
    limitMs?: number,
  ): Promise<ExecOutcome>;
  /** Opens a stream to an address as seen from the proxy. */
  forward(host: string, port: number): Promise<Duplex>;
  /** Closes the connection, and that of the jump host unless it is shared; the process may exit immediately. */
  close(): void;
}

/** The connections to jump hosts, shared by many proxies. */
export interface OpenJump {
  /** How it was lost; undefined while it is open. */
  lost(): SshError | undefined;
  close(): void;
}

export interface Transport<Jump extends OpenJump = OpenJump> {
  /** Logs in to the jump hosts, each through the previous one. @throws SshError that names the hop that failed */
  openJump(hops: readonly Hop[]): Promise<Jump>;
  /** Connects to one proxy through jump hosts, which stay open. @throws SshError that names the hop */
  connectThrough(target: Hop, opening: Jump | Promise<Jump>): Promise<Connection>;
}

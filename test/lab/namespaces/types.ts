/** What a test requests from the lab, and what it gets. */
import type { ChildProcess } from 'node:child_process';
import type { Relay } from '../faults/start-relay.ts';
import type { Host } from './host.ts';
import type { Result } from './process.ts';

export interface LabOptions {
  /** How many proxies, 1 (the default) to 20. */
  proxies?: number;
  /** Round trip to the jump host's SSH. */
  latencyMs?: number;
  /** Relays for faults: in front of the jump host's sshd, the proxies' or both; latency brings the first. */
  relays?: readonly ('jump' | 'proxy')[];
  /** The site's certificate: from the lab's own CA (the default), by certbot from Pebble, or none. */
  certificate?: 'lab-ca' | 'acme' | 'none';
  /** Whether Ollama's and AnythingLLM's stand-ins run; they do unless this is false. */
  backends?: boolean;
  /** The proxies' root file system, where it is not this machine's: a folder that stays as it is. */
  root?: string;
}

export interface RunOptions {
  /** Added to the lab's environment; undefined takes a variable out. */
  env?: Record<string, string | undefined>;
  input?: string;
  /** The scratch folder unless given. */
  cwd?: string;
  signal?: AbortSignal;
  /** False where a script must take as long to start as it does for an operator. */
  bundled?: boolean;
}

export interface Lab {
  /** The operator's whole environment. */
  readonly env: Record<string, string>;
  readonly proxy: Host;
  readonly proxies: readonly Host[];
  readonly jump: Host;
  readonly backend: Host;
  readonly ca: Host;
  /** A scratch folder of the operator's. */
  readonly directory: string;
  /** The relay in front of the jump host's sshd; throws when none was asked for. */
  readonly relay: Relay;
  /** The relays in front of the proxies' sshd, in the proxies' order. */
  readonly proxyRelays: readonly Relay[];
  /** Runs scripts/SCRIPT.ts as the operator would, to its end. */
  run(script: string, args?: readonly string[], options?: RunOptions): Promise<Result>;
  /** The same, for tests that interrupt it. */
  spawn(script: string, args?: readonly string[], options?: RunOptions): ChildProcess;
  /** Starts Pebble, which otherwise runs only with certificate 'acme'; once is enough. */
  startAcme(): Promise<void>;
  stop(): Promise<void>;
}

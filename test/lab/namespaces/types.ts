/** The lab's options, and its handle for tests. */
import type { ChildProcess } from 'node:child_process';
import type { Relay } from '../faults/start-relay.ts';
import type { Host } from './host.ts';
import type { Result } from './process.ts';

export interface LabOptions {
  /** Number of proxies, 1 (the default) to 20. */
  proxies?: number;
  /** Round trip to the jump host's SSH port. */
  latencyMs?: number;
  /** Relays for faults, in front of the jump host's sshd, the proxies' or both; latency implies the first. */
  relays?: readonly ('jump' | 'proxy')[];
  /** The site's certificate: from the lab's own CA (the default), from Pebble by certbot, or none. */
  certificate?: 'lab-ca' | 'acme' | 'none';
  /** Whether the stand-ins for Ollama and AnythingLLM run; true by default. */
  backends?: boolean;
  /** The proxies' root file system, if not this machine's; the folder is not modified. */
  root?: string;
}

export interface RunOptions {
  /** Added to the lab's environment; undefined removes a variable. */
  env?: Record<string, string | undefined>;
  input?: string;
  /** The scratch folder by default. */
  cwd?: string;
  signal?: AbortSignal;
  /** False if the startup time must be that of an operator's script. */
  bundled?: boolean;
}

export interface Lab {
  /** The operator's complete environment. */
  readonly env: Record<string, string>;
  readonly proxy: Host;
  readonly proxies: readonly Host[];
  readonly jump: Host;
  readonly backend: Host;
  readonly ca: Host;
  /** The operator's scratch folder. */
  readonly directory: string;
  /** The relay in front of the jump host's sshd; throws if none was requested. */
  readonly relay: Relay;
  /** The relays in front of the proxies' sshd, in the order of the proxies. */
  readonly proxyRelays: readonly Relay[];
  /** Runs scripts/SCRIPT.ts as the operator would, to completion. */
  run(script: string, args?: readonly string[], options?: RunOptions): Promise<Result>;
  /** Starts it, for tests that interrupt it. */
  spawn(script: string, args?: readonly string[], options?: RunOptions): ChildProcess;
  /** Starts Pebble, which otherwise runs only with certificate 'acme'; idempotent. */
  startAcme(): Promise<void>;
  stop(): Promise<void>;
}

/** Builds the lab: operator, jump host, proxies, backend and CA on one machine, of real parts. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { inside } from './enter.ts';
import { makeCertificates, obtainCertificate, startPebble } from './lab-ca.ts';
import { type Host, startHost, stopHost } from './lab-host.ts';
import * as network from './lab-network.ts';
import { environment, knowHosts, SCRATCH, settleOperator, unsettleOperator } from './lab-operator.ts';
import { finished, PATH, type Result, ready, typescript } from './lab-process.ts';
import { RELAY_PORT, type Relay, startRelay } from './lab-relay.ts';

export type { Host } from './lab-host.ts';
export type { Result } from './lab-process.ts';
export type { Relay } from './lab-relay.ts';

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
}

export interface RunOptions {
  /** Added to the lab's environment; undefined takes a variable out. */
  env?: Record<string, string | undefined>;
  input?: string;
  /** The scratch folder unless given. */
  cwd?: string;
  signal?: AbortSignal;
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

const command = (script: string, args: readonly string[]) => typescript(`scripts/${script}.ts`, args);

function launcher(env: Record<string, string>): Lab['spawn'] {
  return (script, args = [], { env: more = {}, cwd = SCRATCH, signal } = {}) =>
    spawn(process.execPath, command(script, args), {
      cwd,
      env: { ...env, ...more },
      ...(signal && { signal }),
    });
}

async function startBackends(): Promise<void> {
  const args = typescript('test/lab/backend.ts', [`${network.BACKEND.lan}`]);
  const where = `--net=/run/netns/${network.BACKEND.name}`;
  const stdio = ['ignore', 'pipe', 'pipe'] as const;
  await ready(
    spawn('nsenter', [where, process.execPath, ...args], { env: { PATH }, stdio: [...stdio] }),
    'backend',
  );
}

async function prepare(places: readonly network.Place[], siteCertificate: boolean): Promise<void> {
  if (!inside()) throw new Error('The lab needs its namespaces: import test/lab/enter.ts first');
  await mkdir(`${network.STATE}/shared`, { recursive: true });
  await writeFile(`${network.STATE}/shared/hosts`, network.allNames(places));
  await settleOperator();
  await Promise.all([network.connectHosts(places), makeCertificates(siteCertificate)]);
}

async function stopLab(places: readonly network.Place[]): Promise<void> {
  await Promise.all(places.map(stopHost));
  await network.disconnectHosts(places);
  await unsettleOperator();
  await rm(network.STATE, { recursive: true, force: true });
}

function once(start: () => Promise<void>): () => Promise<void> {
  let started: Promise<void> | undefined;
  return () => (started ??= start());
}

interface Relays {
  jump: Relay | undefined;
  proxies: readonly Relay[];
}

async function startRelays(options: LabOptions, proxies: readonly network.Place[]): Promise<Relays> {
  const { relays = [], latencyMs = 0 } = options;
  const jump = relays.includes('jump') || latencyMs > 0 ? startRelay(network.JUMP, latencyMs) : undefined;
  const others = relays.includes('proxy') ? proxies.map((place) => startRelay(place, 0)) : [];
  return { jump: await jump, proxies: await Promise.all(others) };
}

function withRelays(env: Record<string, string>, relays: Relays): Record<string, string> {
  if (relays.jump) env.DEPLOY_SSH_PROXY_PORT = `${RELAY_PORT}`;
  if (relays.proxies.length > 0) env.IA_ENSO_PROXY_PORT = `${RELAY_PORT}`;
  return env;
}

type Started = { hosts: readonly Host[]; relays: Relays };

async function startAll(options: LabOptions, proxies: readonly network.Place[]): Promise<Started> {
  const hosts = Promise.all([network.JUMP, network.BACKEND, network.CA, ...proxies].map(startHost));
  const backends = options.backends === false ? undefined : startBackends();
  const [relays] = await Promise.all([startRelays(options, proxies), hosts, backends]);
  return { hosts: await hosts, relays };
}

/** Starts the lab; one at a time in a process. Hosts are root's to break, and all of it ends with this process. */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const { proxies: count = 1, certificate = 'lab-ca' } = options;
  const proxyPlaces = network.proxies(count);
  const places = [network.JUMP, network.BACKEND, network.CA, ...proxyPlaces];
  await prepare(places, certificate === 'lab-ca');
  const { hosts, relays } = await startAll(options, proxyPlaces);
  const [jump, backend, ca, ...proxies] = hosts as [Host, Host, Host, ...Host[]];
  await knowHosts(jump, proxies);
  const startAcme = once(startPebble);
  if (certificate === 'acme') await startAcme().then(() => obtainCertificate(proxies));
  const env = withRelays(environment(proxies), relays);
  const launch = launcher(env);
  return {
    env,
    proxy: proxies[0] as Host,
    proxies,
    jump,
    backend,
    ca,
    directory: SCRATCH,
    get relay() {
      if (!relays.jump) throw new Error("No relay: startLab({ relays: ['jump'] })");
      return relays.jump;
    },
    proxyRelays: relays.proxies,
    run: (script, args, run) => finished(launch(script, args, run), run?.input),
    spawn: launch,
    startAcme,
    stop: () => stopLab(places),
  };
}

/** Builds the lab: operator, jump host, proxies, backend and CA on one machine, with real software. */
import type { StdioOptions } from 'node:child_process';
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { makeCertificates, obtainCertificate, startPebble } from '../certificates/lab-ca.ts';
import { RELAY_PORT, type Relay, startRelay } from '../faults/start-relay.ts';
import { documented } from '../probes/documented.ts';
import { isInside } from './enter.ts';
import { type Host, startHost, stopHost } from './host.ts';
import * as network from './network.ts';
import { environment, SCRATCH, setUpOperator, tearDownOperator, writeKnownHosts } from './operator.ts';
import { CHECKOUT, finished, PATH, ready, spawnProcess, TYPESCRIPT, typescript } from './process.ts';
import type { Lab, LabOptions, RunOptions } from './types.ts';

export type { Relay } from '../faults/start-relay.ts';
export type { Host } from './host.ts';
export { finished, onceOutput, type Result } from './process.ts';
export type { Lab, LabOptions, RunOptions } from './types.ts';

/** Third-party sites are TypeScript files that import gatepost by name, so they need the unbundled sources. */
function command(script: string, args: readonly string[], { env = {}, bundled = true }: RunOptions) {
  const file = `scripts/${script}.ts`;
  return bundled && !env.GATEPOST_SITES
    ? typescript(file, args)
    : [...TYPESCRIPT, `${CHECKOUT}/${file}`, ...args];
}

function launcher(env: Record<string, string>): Lab['spawn'] {
  return (script, args = [], options = {}) => {
    const { env: extraEnv, cwd = SCRATCH, signal } = options;
    const settings = { cwd, env: { ...env, ...extraEnv }, ...(signal && { signal }) };
    return spawnProcess(settings, process.execPath, command(script, args, options));
  };
}

/** Starts the stand-ins on the backend, on one of its addresses. */
export async function startBackends(address = `${network.BACKEND.lan}`): Promise<void> {
  const args = typescript('test/lab/stand-ins/ia-enso.ts', [address]);
  const networkOption = `--net=/run/netns/${network.BACKEND.name}`;
  const stdio: StdioOptions = ['ignore', 'pipe', 'pipe'];
  await ready(
    spawnProcess({ env: { PATH }, stdio }, 'nsenter', [networkOption, process.execPath, ...args]),
    'backend',
  );
}

async function prepare(specs: readonly network.HostSpec[], siteCertificate: boolean): Promise<void> {
  if (!isInside()) throw new Error('The lab needs its namespaces: import test/lab/namespaces/enter.ts first');
  await mkdir(`${network.STATE}/shared`, { recursive: true });
  await writeFile(`${network.STATE}/shared/hosts`, network.allNames(specs));
  await copyFile(`${CHECKOUT}/test/lab/stand-ins/systemctl.sh`, `${network.STATE}/shared/systemctl.sh`);
  await setUpOperator();
  await Promise.all([network.connectHosts(specs), makeCertificates(siteCertificate)]);
}

async function stopLab(specs: readonly network.HostSpec[]): Promise<void> {
  await Promise.all(specs.map(stopHost));
  await network.disconnectHosts(specs);
  await tearDownOperator();
  await rm(network.STATE, { recursive: true, force: true });
}

function once(start: () => Promise<void>): () => Promise<void> {
  let starting: Promise<void> | undefined;
  return () => (starting ??= start());
}

interface Relays {
  jump: Relay | undefined;
  proxies: readonly Relay[];
}

async function startRelays(options: LabOptions, proxies: readonly network.HostSpec[]): Promise<Relays> {
  const { relays = [], latencyMs = 0 } = options;
  const jump = relays.includes('jump') || latencyMs > 0 ? startRelay(network.JUMP, latencyMs) : undefined;
  const atProxies = relays.includes('proxy') ? proxies.map((spec) => startRelay(spec, 0)) : [];
  return { jump: await jump, proxies: await Promise.all(atProxies) };
}

function withRelays(env: Record<string, string>, relays: Relays): Record<string, string> {
  if (relays.jump) env.DEPLOY_SSH_PROXY_PORT = `${RELAY_PORT}`;
  if (relays.proxies.length > 0) env.IA_ENSO_PROXY_PORT = `${RELAY_PORT}`;
  return env;
}

type Started = { hosts: readonly Host[]; relays: Relays };

async function startAll(options: LabOptions, proxies: readonly network.HostSpec[]): Promise<Started> {
  const hosts = Promise.all([network.JUMP, network.BACKEND, network.CA, ...proxies].map(startHost));
  const backends = options.backends === false ? undefined : startBackends();
  const [relays] = await Promise.all([startRelays(options, proxies), hosts, backends]);
  return { hosts: await hosts, relays };
}

/**
 * Starts the lab; only one at a time per process. Tests may break its hosts as root; everything ends with this process.
 */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const { proxies: count = 1, certificate = 'lab-ca', root } = options;
  const proxySpecs = network.proxies(count, root);
  const specs = [network.JUMP, network.BACKEND, network.CA, ...proxySpecs];
  await prepare(specs, certificate === 'lab-ca');
  const { hosts, relays } = await startAll(options, proxySpecs);
  const [jump, backend, ca, ...proxies] = hosts as [Host, Host, Host, ...Host[]];
  await writeKnownHosts(jump, proxies);
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
    run: async (script, args, run) => documented(args, await finished(launch(script, args, run), run?.input)),
    spawn: launch,
    startAcme,
    stop: () => stopLab(specs),
  };
}

/** What the measurements run in the lab: scripts and commands as an operator types them, which must succeed. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { HostReport } from '../lib/model/host-report.ts';
import { TOKEN, withToken } from '../test/lab/actors/deploys.ts';
import {
  finished,
  type Host,
  type Lab,
  type LabOptions,
  type Result,
  startLab,
} from '../test/lab/namespaces/lab.ts';
import { CHECKOUT, local, NODE_24 } from '../test/lab/namespaces/process.ts';
import type { Row, Tell } from './part.ts';

export type { Host, Lab } from '../test/lab/namespaces/lab.ts';

/** Round trips to the jump host, in milliseconds: none, and a far one. */
const ROUND_TRIPS = [0, 100];

/** A lab for as long as the work takes. */
export async function inLab<T>(options: LabOptions, work: (lab: Lab) => Promise<T>): Promise<T> {
  const lab = await startLab(options);
  try {
    return await work(lab);
  } finally {
    await lab.stop();
  }
}

/** The same in a lab with a near jump host and in one with a far one. */
export async function nearAndFar(
  options: LabOptions,
  print: Tell,
  measure: (lab: Lab, print: Tell, roundTripMs: number) => Promise<readonly Row[]>,
): Promise<Row[]> {
  const all: Row[] = [];
  for (const roundTripMs of ROUND_TRIPS) {
    const printWhere = (text: string) => print(`${roundTripMs} ms to the jump host, ${text}`);
    const rows = await inLab({ backends: false, latencyMs: roundTripMs, ...options }, (lab) =>
      measure(lab, printWhere, roundTripMs),
    );
    all.push(...rows.map((row) => ({ ...row, roundTripMs })));
  }
  return all;
}

/** How a script is started: by this Node with tsx, or by Node 24 alone, with its compile cache. */
export type Runner = 'tsx' | 'Node 24';

async function start(
  lab: Lab,
  runner: Runner,
  name: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Result> {
  if (runner === 'tsx') return lab.run(name, args, { env });
  const cache = { NODE_COMPILE_CACHE: join(lab.directory, 'compile-cache') };
  const node = local({ env: { ...lab.env, ...env, ...cache }, cwd: lab.directory, nothrow: true });
  const { exitCode, stdout, stderr } = await node`exec ${NODE_24} ${CHECKOUT}/scripts/${name}.ts ${args}`;
  return { status: exitCode ?? -1, stdout, stderr };
}

/** What a script told of itself. */
export interface Told {
  readonly hosts: readonly HostReport[];
  readonly token?: string;
}

/**
 * Runs a script with --json to its end.
 * @throws Error with its words, unless every host came to `outcome`
 */
export async function script(
  lab: Lab,
  name: string,
  args: readonly string[],
  env: Record<string, string> = {},
  outcome = 'applied',
  runner: Runner = 'tsx',
): Promise<Told> {
  const { stdout, stderr } = await start(lab, runner, name, [...args, '--json'], {
    ...withToken(TOKEN),
    ...env,
  });
  if (stdout === '') throw new Error(`${name}: ${stderr}`);
  const told = JSON.parse(stdout) as Told;
  if (told.hosts.some((host) => host.outcome !== outcome))
    throw new Error(`${name}: not ${outcome}: ${stderr}`);
  return told;
}

/** A deploy without checks; another `backend` than before is a change of the vhost. */
export function deploy(lab: Lab, hosts: readonly Host[], backend: string, runner?: Runner): Promise<Told> {
  const args = ['--no-verify', '--host', hosts.map(({ address }) => address).join(',')];
  return script(lab, 'deploy', args, { IA_ENSO_BACKEND_IP: backend }, 'applied', runner);
}

/** Runs a command of the operator's to its end; gives what it printed. @throws Error with its words when it fails */
export async function command(
  lab: Lab,
  [name = '', ...args]: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  const child = spawn(name, args, { cwd: lab.directory, env: { ...lab.env, ...env } });
  const { status, stdout, stderr } = await finished(child);
  if (status !== 0) throw new Error(`${name} ended with ${status}: ${stdout}${stderr}`);
  return stdout;
}

/** Runs a command on a host as root. @throws Error with its words when it fails */
export async function onHost(host: Host, line: string, input = ''): Promise<string> {
  const { status, stdout, stderr } = await host.sh(line, { input });
  if (status !== 0) throw new Error(`${host.name}: ${line} ended with ${status}: ${stderr}`);
  return stdout;
}

/** Sets up a server for a measurement on a host, on these cores (`rivals/serve.sh`). */
export const serve = (host: Host, what: 'upstream' | 'nginx' | 'caddy', cores: string, bearer = '') =>
  onHost(host, `BEARER=${bearer} sh ${CHECKOUT}/bench/rivals/serve.sh ${what} ${cores}`);

/** Runs scripts and commands in the lab as an operator types them; they must succeed. */
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
import type { Print, Row } from './part.ts';

export type { Host, Lab } from '../test/lab/namespaces/lab.ts';

/** Round trips to the jump host, in milliseconds: near and distant. */
const ROUND_TRIPS = [0, 100];

/** Runs `work` in a lab, then stops it. */
export async function inLab<T>(options: LabOptions, work: (lab: Lab) => Promise<T>): Promise<T> {
  const lab = await startLab(options);
  try {
    return await work(lab);
  } finally {
    await lab.stop();
  }
}

/** Measures in a lab with a near jump host, then in one with a distant one. */
export async function nearAndFar(
  options: LabOptions,
  print: Print,
  measure: (lab: Lab, print: Print, roundTripMs: number) => Promise<readonly Row[]>,
): Promise<Row[]> {
  const allRows: Row[] = [];
  for (const roundTripMs of ROUND_TRIPS) {
    const printWhere = (text: string) => print(`${roundTripMs} ms to the jump host, ${text}`);
    const rows = await inLab({ backends: false, latencyMs: roundTripMs, ...options }, (lab) =>
      measure(lab, printWhere, roundTripMs),
    );
    allRows.push(...rows.map((row) => ({ ...row, roundTripMs })));
  }
  return allRows;
}

/** How a script is run: by this Node with tsx, or by Node 24 alone, with its compile cache. */
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

/** A script's JSON document. */
export interface ScriptResult {
  readonly hosts: readonly HostReport[];
  readonly token?: string;
}

/** Runs a script with --json. @throws Error with its stderr unless every host has `outcome` */
export async function script(
  lab: Lab,
  name: string,
  args: readonly string[],
  env: Record<string, string> = {},
  outcome = 'applied',
  runner: Runner = 'tsx',
): Promise<ScriptResult> {
  const { stdout, stderr } = await start(lab, runner, name, [...args, '--json'], {
    ...withToken(TOKEN),
    ...env,
  });
  if (stdout === '') throw new Error(`${name}: ${stderr}`);
  const document = JSON.parse(stdout) as ScriptResult;
  if (document.hosts.some((host) => host.outcome !== outcome))
    throw new Error(`${name}: not ${outcome}: ${stderr}`);
  return document;
}

/** A deploy without checks; a new `backend` changes the vhost. */
export function deploy(
  lab: Lab,
  hosts: readonly Host[],
  backend: string,
  runner?: Runner,
): Promise<ScriptResult> {
  const args = ['--no-verify', '--host', hosts.map(({ address }) => address).join(',')];
  return script(lab, 'deploy', args, { IA_ENSO_BACKEND_IP: backend }, 'applied', runner);
}

/** Runs a command of the operator; returns its stdout. @throws Error with its output if it fails */
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

/** Runs a command on a host as root; returns its stdout. @throws Error with its stderr if it fails */
export async function onHost(host: Host, line: string, input = ''): Promise<string> {
  const { status, stdout, stderr } = await host.sh(line, { input });
  if (status !== 0) throw new Error(`${host.name}: ${line} ended with ${status}: ${stderr}`);
  return stdout;
}

/** Starts a server for a measurement on a host, on the given cores (`rivals/serve.sh`). */
export const serve = (host: Host, what: 'upstream' | 'nginx' | 'caddy', cores: string, token = '') =>
  onHost(host, `BEARER=${token} sh ${CHECKOUT}/bench/rivals/serve.sh ${what} ${cores}`);

/** A real nginx for one test of the checks: a configuration with one change, on a separate address. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Check } from '../../../lib/model/check.ts';
import { CHECKOUT, ready, typescript } from '../../lab/namespaces/process.ts';
import { DIR } from './trust.ts';

/** One defect in a configuration, and the expected results of the checks. */
export interface Sabotage {
  readonly fact: string;
  readonly replace?: string | RegExp;
  readonly by?: string;
  /** A certificate of trust.ts; the valid one by default. */
  readonly certificate?: string;
  /** The checks that must fail, in order; all others must pass. */
  readonly fails?: readonly string[];
  readonly warns?: readonly string[];
  /** The expected text of each of them. */
  readonly says: RegExp;
}

/** Leaves out streaming, which is slow and sensitive to load, except on a healthy site and if it must fail. */
export const checksToRun = (
  checks: readonly Check[],
  { replace, certificate, fails = [] }: Partial<Sabotage>,
) =>
  replace === undefined && certificate === undefined
    ? checks
    : checks.filter(({ name }) => name !== 'streaming' || fails.includes(name));

/** The text of a vhost and its maps; certificate and files are in `folder`. */
export type Configuration = (folder: string) => string;

export const read = (file: string) => readFileSync(`${CHECKOUT}/${file}`, 'utf8');

/** A vhost of sites/ with its snippets. */
export const vhost = (site: string): string =>
  read(`sites/${site}.conf`).replace(/^ *include snippets\/(\S+);\n/gm, (_, name: string) =>
    read(`sites/snippets/${name}`),
  );

/** Replaces each name in `values` with its value. */
export const filledIn = (text: string, values: Readonly<Record<string, string>>): string =>
  Object.entries(values).reduce((result, [from, to]) => result.replaceAll(from, to), text);

/** Starts stand-ins on loopback; the returned function stops them. */
export async function startBackend(file: string): Promise<() => void> {
  const child = spawn(process.execPath, typescript(file, ['127.0.0.1']), {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, BACKEND_LOG: '' },
  });
  await ready(child, file);
  return () => child.kill();
}

type Spoil = Pick<Sabotage, 'replace' | 'by' | 'certificate'>;

function sabotaged(text: string, { replace, by = '' }: Spoil): string {
  if (replace === undefined) return text;
  const changed = text.replace(replace, () => by);
  if (changed === text) throw new Error(`There is nothing like ${replace} in the configuration.`);
  return changed;
}

let runs = 0;

/** Runs `use` with the address of an nginx, sabotaged or not. */
export async function served<T>(
  configuration: Configuration,
  spoil: Spoil,
  use: (address: string) => Promise<T>,
): Promise<T> {
  runs += 1;
  const address = `127.0.9.${runs}`;
  const folder = `${DIR}/${runs}`;
  mkdirSync(folder);
  for (const [end, file] of [
    ['pem', 'fullchain.pem'],
    ['key', 'privkey.pem'],
  ])
    copyFileSync(`${DIR}/${spoil.certificate ?? 'good'}.${end}`, `${folder}/${file}`);
  writeFileSync(`${folder}/nginx.conf`, main(folder, sabotaged(configuration(folder), spoil), address));
  const args = ['-p', folder, '-c', `${folder}/nginx.conf`, '-e', `${folder}/error.log`];
  const nginx = spawn('nginx', args, { stdio: 'inherit' });
  try {
    await listening(nginx, address, folder);
    return await use(address);
  } finally {
    nginx.kill('SIGTERM');
    if (nginx.exitCode === null) await once(nginx, 'exit');
  }
}

/** The complete nginx.conf: logs go to `folder`, and it listens only on `address`. */
function main(folder: string, http: string, address: string): string {
  const mainConf = http
    .replace(/^ *listen \[::\].*\n/gm, '')
    .replace(/\blisten (\d)/g, `listen ${address}:$1`)
    .replaceAll('/var/log/nginx', folder);
  return `user root; pid ${folder}/pid; daemon off; worker_processes 1; error_log ${folder}/error.log;
events {}
http {
include /etc/nginx/mime.types;
${mainConf}}
`;
}

/** Waits until port 443 answers, for up to five seconds. */
async function listening(nginx: ChildProcess, address: string, folder: string): Promise<void> {
  for (let tries = 200; nginx.exitCode === null && tries > 0; tries--) {
    const socket = connect(443, address);
    const up = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (up) return;
    await sleep(25);
  }
  throw new Error(`nginx does not listen: ${readFileSync(`${folder}/error.log`, 'utf8')}`);
}

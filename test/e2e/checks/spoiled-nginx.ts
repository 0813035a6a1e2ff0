/** A real nginx for one test of the checks: a configuration with one change, on an address of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Check } from '../../../lib/model/check.ts';
import { CHECKOUT, ready, typescript } from '../../lab/namespaces/process.ts';
import { DIR } from './trust.ts';

/** One place in a configuration that is not as it should be, and what the checks must make of it. */
export interface Sabotage {
  readonly fact: string;
  readonly replace?: string | RegExp;
  readonly by?: string;
  /** A certificate of trust.ts; the good one without it. */
  readonly certificate?: string;
  /** The checks that fail, in their order; no other may. */
  readonly fails?: readonly string[];
  readonly warns?: readonly string[];
  /** A text that each of them gives. */
  readonly says: RegExp;
}

/** Streaming takes its time, and a busy machine spoils it: it is asked where all is well, and where it must fail. */
export const asked = (checks: readonly Check[], { replace, certificate, fails = [] }: Partial<Sabotage>) =>
  replace === undefined && certificate === undefined
    ? checks
    : checks.filter(({ name }) => name !== 'streaming' || fails.includes(name));

/** The text of a vhost and its maps; certificate and files lie in `folder`. */
export type Configuration = (folder: string) => string;

export const read = (file: string) => readFileSync(`${CHECKOUT}/${file}`, 'utf8');

/** A vhost of sites/ with its snippets. */
export const vhost = (site: string): string =>
  read(`sites/${site}.conf`).replace(/^ *include snippets\/(\S+);\n/gm, (_, name: string) =>
    read(`sites/snippets/${name}`),
  );

/** `text` with `values` in the place of their names. */
export const filledIn = (text: string, values: Readonly<Record<string, string>>): string =>
  Object.entries(values).reduce((all, [from, to]) => all.replaceAll(from, to), text);

/** Starts stand-ins on loopback; they end with what this gives. */
export async function startBackend(file: string): Promise<() => void> {
  const child = spawn(process.execPath, typescript(file, ['127.0.0.1']), {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, BACKEND_LOG: '' },
  });
  await ready(child, file);
  return () => child.kill();
}

type Spoil = Pick<Sabotage, 'replace' | 'by' | 'certificate'>;

function spoilt(text: string, { replace, by = '' }: Spoil): string {
  if (replace === undefined) return text;
  const changed = text.replace(replace, () => by);
  if (changed === text) throw new Error(`There is nothing like ${replace} in the configuration.`);
  return changed;
}

let runs = 0;

/** Runs `use` with the address where nginx serves, spoilt or not. */
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
  writeFileSync(`${folder}/nginx.conf`, main(folder, spoilt(configuration(folder), spoil), address));
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

/** The whole nginx.conf: logs stay in `folder`, and only `address` is listened on. */
function main(folder: string, http: string, address: string): string {
  const own = http
    .replace(/^ *listen \[::\].*\n/gm, '')
    .replace(/\blisten (\d)/g, `listen ${address}:$1`)
    .replaceAll('/var/log/nginx', folder);
  return `user root; pid ${folder}/pid; daemon off; worker_processes 1; error_log ${folder}/error.log;
events {}
http {
include /etc/nginx/mime.types;
${own}}
`;
}

/** Tries until port 443 answers, for five seconds. */
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

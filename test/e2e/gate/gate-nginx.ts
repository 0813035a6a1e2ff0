/** A real nginx with the ia.enso site from its template, in front of the stand-ins, all in this namespace. */
import '../../lab/namespaces/enter.ts';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Scope } from '../../../lib/model/bearer.ts';
import { withOrigins } from '../../../lib/nginx/template.ts';
import { BEARERS, type ClientFile, clientFileText, LIVE } from '../../lab/actors/client-files.ts';
import { CHECKOUT, ready, typescript } from '../../lab/namespaces/process.ts';

export const NAME = 'ia.enso.4nkweb.com';
export const FULL = 'Full.Token+with*(every)[kind]{of}^sign|h?;#~%&=<>$host';
export const INFERENCE = '0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0';
export const CERTIFICATE = `/etc/letsencrypt/live/${NAME}/fullchain.pem`;
export const ACCESS_LOG = `/var/log/nginx/${NAME}.access.log`;
const MAPS = {
  'ia-enso-http-maps': 'ia-enso-ollama-bearer',
  'websocket-connection-map': 'websocket-connection',
};
const REQUESTS = '/run/requests.log';
const ABORTS = '/run/aborts.log';

const read = (file: string) => readFileSync(`${CHECKOUT}/${file}`, 'utf8');

/** The template with its snippets inserted, and the backend's address. */
export function rendered(template: string, prepare = (text: string): string => text): string {
  const inline = (_: string, indent: string, name: string) =>
    read(`sites/snippets/${name}`).replace(/^(?=.)/gm, indent);
  const text = prepare(read(`sites/${template}`)).replace(/^( *)include snippets\/(\S+);\n/gm, inline);
  return text.replaceAll('__IA_ENSO_BACKEND_IP__', '127.0.0.1');
}

/** Overlays `folder`, so that all later changes are visible only in this namespace. */
function overlay(folder: string): void {
  const [upper, work] = [`/run/gate/upper${folder}`, `/run/gate/work${folder}`];
  for (const directory of [upper, work]) mkdirSync(directory, { recursive: true });
  const layers = `lowerdir=${folder},upperdir=${upper},workdir=${work}`;
  execFileSync('mount', ['-t', 'overlay', '-o', layers, 'gate', folder]);
}

function emptyFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
}

function createCertificate(): void {
  mkdirSync(`/etc/letsencrypt/live/${NAME}`, { recursive: true });
  const key = CERTIFICATE.replace('fullchain', 'privkey');
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '9'];
  const names = ['-subj', `/CN=${NAME}`, '-addext', `subjectAltName=DNS:${NAME}`];
  execFileSync('openssl', ['req', '-x509', ...kind, ...names, '-keyout', key, '-out', CERTIFICATE], {
    stdio: 'pipe',
  });
}

/** The map keys of each client's tokens, which must be unique. */
const keys = new Map<string, Set<string>>();

/** Writes one client's file as the suite does; takes effect at the next reload. */
export function writeClient(
  name: string,
  scope: Scope,
  tokens: readonly string[],
  grant: Partial<ClientFile> = {},
): void {
  keys.delete(name);
  const taken = new Set([...keys.values()].flatMap((some) => [...some]));
  const before = new Set(taken);
  const { text, live } = clientFileText({ name, scope, tokens, ...grant }, taken);
  keys.set(name, new Set([...taken].filter((key) => !before.has(key))));
  for (const file of live) writeFileSync(`${LIVE}/${file}`, '');
  writeFileSync(`${BEARERS}/${name}.map`, text, { mode: 0o600 });
}

/** Writes a client's file verbatim, for values that the suite itself would never write. */
export function writeClientText(name: string, text: string): void {
  writeFileSync(`${BEARERS}/${name}.map`, text);
}

export function removeClients(): void {
  emptyFolder(BEARERS);
  keys.clear();
}

const unchanged = (text: string): string => text;

/** Installs a vhost with changes to its template (`prepare`) and its text (`edit`); takes effect at the next reload. */
export function writeVhost(template = `${NAME}.conf`, edit = unchanged, prepare = unchanged): void {
  const text = withOrigins(rendered(template, prepare), allowed);
  writeFileSync(`/etc/nginx/sites-enabled/${NAME}.conf`, edit(text));
}

/** Origins whose pages may use the gate. */
let allowed: readonly string[] = [];

/** Installs the gate with these origins; takes effect at the next reload. */
export function allowOrigins(origins: readonly string[]): void {
  allowed = origins;
  writeVhost();
  const text = read('http-maps/ia-enso-ollama-bearer.map.conf.example');
  writeFileSync('/etc/nginx/conf.d/ia-enso-http-maps.conf', withOrigins(text, origins));
}

function install(): void {
  for (const folder of ['/etc', '/var']) overlay(folder);
  for (const folder of ['conf.d', 'sites-enabled', 'ia-enso-bearers', 'ia-enso-live'])
    emptyFolder(`/etc/nginx/${folder}`);
  for (const folder of ['/var/log/nginx', '/var/www/certbot']) emptyFolder(folder);
  symlinkSync('/etc/nginx/sites-available/default', '/etc/nginx/sites-enabled/default');
  for (const [name, source] of Object.entries(MAPS)) {
    writeFileSync(`/etc/nginx/conf.d/${name}.conf`, read(`http-maps/${source}.map.conf.example`));
  }
  createCertificate();
  writeVhost();
  writeClient('default', 'full', [FULL]);
  writeClient('editor', 'inference', [INFERENCE]);
}

async function startBackend(): Promise<ChildProcess> {
  const args = typescript('test/lab/stand-ins/ia-enso.ts', ['127.0.0.1']);
  const env = { ...process.env, BACKEND_LOG: REQUESTS, BACKEND_ABORTS: ABORTS };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  await ready(child, 'backend');
  return child;
}

/** The result of `nginx -t` on the current files. */
export function testConfiguration(): { status: number | null; stderr: string } {
  const { status, stderr } = spawnSync('nginx', ['-t'], { encoding: 'utf8' });
  return { status, stderr };
}

const workers = () =>
  execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).match(/^ *\d+ nginx: worker process$/gm) ??
  [];

/** The PIDs of the nginx workers. */
export const workerPids = (): readonly number[] => workers().map((line) => Number.parseInt(line, 10));

/** Reloads, and waits until the old workers accept no more requests. */
export async function reload(): Promise<void> {
  // Just after its start, nginx has not set its workers' titles yet.
  while (workers().length === 0) await sleep(20);
  const before = new Set(workers());
  execFileSync('nginx', ['-s', 'reload']);
  while (workers().length === 0 || workers().some((worker) => before.has(worker))) await sleep(20);
}

/** A request as logged by a stand-in. */
export interface LoggedRequest {
  service: 'ollama' | 'anythingllm';
  method: string;
  url: string;
  authorized: boolean;
}

/** The requests that reached the stand-ins since the last call. */
export function seen(): LoggedRequest[] {
  const lines = readFileSync(REQUESTS, 'utf8').split('\n').filter(Boolean);
  writeFileSync(REQUESTS, '');
  return lines.map((line) => JSON.parse(line) as LoggedRequest);
}

/** Requests whose client disconnected before the end of the response, and when the backend noticed. */
export function aborted(): { url: string; at: number }[] {
  const lines = readFileSync(ABORTS, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as { url: string; at: number });
}

/** The requests that reached Ollama since the last call. */
export function seenByOllama(): LoggedRequest[] {
  return seen().filter((request) => request.service === 'ollama');
}

/** Starts everything; the namespace ends it. */
export async function startGate(): Promise<void> {
  install();
  for (const log of [REQUESTS, ABORTS]) writeFileSync(log, '');
  await startBackend();
  execFileSync('nginx', { stdio: 'inherit' });
}

/** Stops nginx, so that this process can exit. */
export function stopGate(): void {
  execFileSync('nginx', ['-s', 'stop']);
}

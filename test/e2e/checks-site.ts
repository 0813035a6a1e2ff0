/** The real site on a real nginx in this namespace, in front of the stand-ins, with one thing in it changed. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { clientMap } from '../../lib/bearers.ts';
import { Secret } from '../../lib/secret.ts';
import { CHECKOUT, ready, typescript } from '../lab/lab-process.ts';
import { DIR, KEY } from './checks-trust.ts';

export const NAME = 'ia.enso.4nkweb.com';
export const TOKEN = new Secret('Full.Token+with*(every)[kind]{of}^sign|h?;#~%&=<>$host');

/** One place in the configuration that is not as it should be. */
export interface Sabotage {
  readonly replace?: string | RegExp;
  readonly by?: string;
  /** A certificate made by `issue`; the good one without it. */
  readonly certificate?: string;
}

const read = (file: string) => readFileSync(`${CHECKOUT}/${file}`, 'utf8');

/** Whatever the suite installs, as the text of one nginx.conf. */
function configuration(): string {
  const snippet = (_: string, name: string) => read(`sites/snippets/${name}`);
  const vhost = read(`sites/${NAME}.conf`).replace(/^ *include snippets\/(\S+);\n/gm, snippet);
  const maps = ['ia-enso-ollama-bearer', 'websocket-connection'].map((map) =>
    read(`http-maps/${map}.map.conf.example`),
  );
  const head = `daemon off; worker_processes 1; error_log ${DIR}/error.log; events {}\nhttp {\ninclude /etc/nginx/mime.types;\n`;
  const own = { __IA_ENSO_BACKEND_IP__: '127.0.0.1', [`/etc/letsencrypt/live/${NAME}`]: `${DIR}/tls` };
  const paths = { ...own, '/etc/nginx/ia-enso-bearers': `${DIR}/bearers`, '/var/log/nginx': DIR };
  const text = `pid ${DIR}/pid; ${head}${maps.join('\n')}\n${vhost}}\n`;
  return Object.entries(paths).reduce((all, [from, to]) => all.replaceAll(from, to), text);
}

function sabotaged(text: string, { replace, by = '' }: Sabotage): string {
  if (replace === undefined) return text;
  const changed = text.replace(replace, () => by);
  if (changed === text) throw new Error(`There is nothing like ${replace} in the configuration.`);
  return changed;
}

const CA = `[ca]
default_ca = checks
[checks]
database = ${DIR}/index
new_certs_dir = ${DIR}
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
`;
const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });

/** The one client's file. */
export function bearerMap(): string {
  const now = '2026-11-22T17:40:35Z';
  return clientMap({ name: 'default', scope: 'full', created: now, rotated: now, tokens: [TOKEN] });
}

/** Makes the good certificate and the client's map. */
export function prepare(): void {
  for (const folder of ['bearers', 'tls']) mkdirSync(`${DIR}/${folder}`, { recursive: true });
  writeFileSync(`${DIR}/bearers/default.map`, bearerMap());
  writeFileSync(`${DIR}/ca.conf`, CA);
  writeFileSync(`${DIR}/index`, '');
  issue('good', { days: 90 });
}

/** Issues a certificate with the CA that is trusted, for that many days from now, or until days ago. */
export function issue(label: string, { name = NAME, days = 90 }): void {
  const [csr, key, pem] = ['csr', 'key', 'pem'].map((end) => `${DIR}/${label}.${end}`) as [
    string,
    string,
    string,
  ];
  const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
  openssl('req', '-new', ...KEY, ...names, '-keyout', key, '-out', csr);
  const at = (day: number) =>
    new Date(Date.now() + day * 86_400_000).toISOString().replace(/[-:T]|\.\d+/g, '');
  const ca = [
    '-config',
    `${DIR}/ca.conf`,
    '-cert',
    `${DIR}/ca.pem`,
    '-keyfile',
    `${DIR}/ca.key`,
    '-batch',
    '-notext',
  ];
  openssl('ca', ...ca, '-startdate', at(-90), '-enddate', at(days), '-in', csr, '-out', pem);
}

/** Makes a certificate that no CA signed. */
export function issueSelfSigned(label: string): void {
  const files = ['-keyout', `${DIR}/${label}.key`, '-out', `${DIR}/${label}.pem`];
  const names = ['-subj', `/CN=${NAME}`, '-addext', `subjectAltName=DNS:${NAME}`];
  openssl('req', '-x509', ...KEY, '-days', '90', ...names, ...files);
}

/** Starts the stand-ins; they end with `stop`. */
export async function startBackend(): Promise<() => void> {
  const child = spawn(process.execPath, typescript('test/lab/backend.ts', ['127.0.0.1']), {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, BACKEND_LOG: '' },
  });
  await ready(child, 'backend.ts');
  return () => child.kill();
}

/** Runs `use` while nginx serves the site, changed or not. */
export async function served<T>(sabotage: Sabotage, use: () => Promise<T>): Promise<T> {
  const label = sabotage.certificate ?? 'good';
  copyFileSync(`${DIR}/${label}.pem`, `${DIR}/tls/fullchain.pem`);
  copyFileSync(`${DIR}/${label}.key`, `${DIR}/tls/privkey.pem`);
  writeFileSync(`${DIR}/nginx.conf`, sabotaged(configuration(), sabotage));
  const nginx = spawn('nginx', ['-p', DIR, '-c', `${DIR}/nginx.conf`, '-e', `${DIR}/error.log`], {
    stdio: 'inherit',
  });
  try {
    await listening(nginx);
    return await use();
  } finally {
    nginx.kill('SIGTERM');
    if (nginx.exitCode === null) await once(nginx, 'exit');
  }
}

/** Tries until port 443 answers, for five seconds. */
async function listening(nginx: ChildProcess): Promise<void> {
  for (let tries = 200; nginx.exitCode === null && tries > 0; tries--) {
    const socket = connect(443, '127.0.0.1');
    const up = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (up) return;
    await sleep(25);
  }
  throw new Error(`nginx does not listen: ${readFileSync(`${DIR}/error.log`, 'utf8')}`);
}

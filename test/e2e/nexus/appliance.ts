/** Turns a lab proxy into a Nexus appliance, deploys to it, and sends it raw requests. */
import { readFileSync, writeFileSync } from 'node:fs';
import { connect as connectPlain, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type DeployResult, deploy, type Run } from '../../lab/actors/deploys.ts';
import type { Host } from '../../lab/namespaces/host.ts';
import type { RunOptions } from '../../lab/namespaces/lab.ts';
import { STATE } from '../../lab/namespaces/network.ts';
import { PATH, ready, spawnProcess, typescript } from '../../lab/namespaces/process.ts';

export const KEY = 'nvk-lab-0123456789abcdef';
export const PUBLIC_NAME = 'nexus.gatepost.test';
export const ADDRESS = '203.0.113.100';
export const VHOST = '/etc/nginx/sites-available/nexus.conf';
export const LINK = '/etc/nginx/sites-enabled/nexus.conf';
export const PAGE = '<!doctype html>\n<title>Nexus</title>\n<script src="/assets/app.js"></script>\n';
const REQUESTS = `${STATE}/nexus-requests.log`;

/** Installs the services, the web interface and a self-signed certificate on a proxy. */
export async function installServices(host: Host): Promise<void> {
  writeFileSync(REQUESTS, '');
  const args = typescript('test/lab/stand-ins/nexus.ts', ['127.0.0.1']);
  const where = `--net=/run/netns/${host.name}`;
  const env = { PATH, BACKEND_LOG: REQUESTS };
  const child = spawnProcess({ env, stdio: ['ignore', 'pipe', 'pipe'] }, 'nsenter', [
    where,
    process.execPath,
    ...args,
  ]);
  const files = host.sh(
    `set -e
    mkdir -p /opt/nexus/ui/assets /opt/nexus/ui/.git /etc/nexus
    cat >/opt/nexus/ui/index.html
    echo 'document.title = "Nexus up";' >/opt/nexus/ui/assets/app.js
    echo secret-of-dotfile | tee /opt/nexus/ui/.env >/opt/nexus/ui/.git/config
    echo secret-beside >/opt/nexus/secret
    ln -s /opt/nexus/secret /opt/nexus/ui/link.txt
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj /CN=nexus \\
      -addext 'subjectAltName=DNS:${PUBLIC_NAME},IP:${ADDRESS},IP:${host.address}' \\
      -keyout /etc/nexus/tls.key -out /etc/nexus/tls.crt 2>/dev/null
    chmod 600 /etc/nexus/tls.key
    live=/etc/letsencrypt/live/${PUBLIC_NAME}
    mkdir -p $live && cp /etc/nexus/tls.crt $live/fullchain.pem && cp /etc/nexus/tls.key $live/privkey.pem`,
    { input: PAGE },
  );
  const [{ status, stderr }] = await Promise.all([files, ready(child, 'nexus')]);
  if (status !== 0) throw new Error(stderr);
}

/** The operator's settings for this site, in addition to the lab's. */
export const settings = (host: Host, more: RunOptions['env'] = {}): NonNullable<RunOptions['env']> => ({
  NEXUS_PROXY_HOST: host.address,
  ...more,
});

/** Runs deploy.ts for the appliance, with --json and without checks. */
export function deployNexus(
  lab: Run,
  host: Host,
  env: RunOptions['env'] = {},
  args: readonly string[] = [],
): Promise<DeployResult> {
  return deploy(lab, settings(host, env), ['--site', 'nexus', ...args]);
}

/** The response to raw bytes; HTTP/1.0, so that the body is not chunked. */
export interface RawResponse {
  readonly status: number;
  readonly head: string;
  readonly body: string;
  /** The service that answered, if any. */
  readonly service?: string;
  /** The request target as received by the service. */
  readonly url?: string;
}

interface RawRequest {
  readonly method?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
  readonly port?: number;
  readonly host?: string;
}

/** Sends one request with exactly these bytes (latin1) as its target. */
export function ask(target: string, question: RawRequest = {}): Promise<RawResponse> {
  const { method = 'GET', headers = [], body = '', port = 443, host = PUBLIC_NAME } = question;
  const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  const lines = [`${method} ${target} HTTP/1.0`, `Host: ${host}`, ...length, ...headers, '', body];
  return new Promise((resolve, reject) => {
    let received = '';
    const plain = connectPlain({ host: ADDRESS, port });
    const socket =
      port === 443
        ? connectTls({
            socket: plain,
            ...(isIP(host) === 0 && { servername: host }),
            rejectUnauthorized: false,
          })
        : plain;
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      received += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(parsed(received)));
    socket.write(lines.join('\r\n'), 'latin1');
  });
}

function parsed(got: string): RawResponse {
  const end = got.indexOf('\r\n\r\n');
  const [head, body] = [got.slice(0, end), got.slice(end + 4)];
  const output = body.startsWith('{"service"') ? (JSON.parse(body) as { service: string; url: string }) : {};
  return { status: Number(head.slice(9, 12)), head, body, ...output };
}

/** The receiver of a request: a service, the web interface, nginx itself, or the status of anything else. */
export function receiverOf({ service, status, body }: RawResponse): string {
  if (service) return service;
  if (body === PAGE) return 'page';
  return /<center>nginx(?:\/[\d.]+)?<\/center>/.test(body) ? `nginx ${status}` : `${status}`;
}

/** The requests that reached the services since the last call. */
export function seen(): { service: string; url: string }[] {
  const lines = readFileSync(REQUESTS, 'utf8').split('\n').filter(Boolean);
  writeFileSync(REQUESTS, '');
  return lines.map((line) => JSON.parse(line) as { service: string; url: string });
}

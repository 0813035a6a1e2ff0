/** Helpers for tests of bootstrap-tls: runs judged by their JSON, by served responses, and by files on the proxy. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type PeerCertificate } from 'node:tls';
import type { Host, Lab, RunOptions } from '../../lab/namespaces/lab.ts';

export const NAME = 'ia.enso.4nkweb.com';
export const LIVE = `/etc/letsencrypt/live/${NAME}`;
export const TOKEN = 'a-token-for-these-tests-0123456789-ABCdef';
export const WITH_TOKEN = { IA_ENSO_OLLAMA_BEARER_TOKEN: TOKEN };

export interface BootstrapResult {
  status: number;
  stderr: string;
  host: {
    outcome: string;
    failure?: { code: string; text: string; means?: string; next: string };
    files: { path: string; changed: boolean }[];
    facts: Record<string, string>;
    checks: { name: string; status: string; detail: string }[];
  };
}

/** Runs bootstrap-tls --json on the first proxy. */
export async function bootstrap(
  lab: Lab,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<BootstrapResult> {
  const { status, stdout, stderr } = await lab.run(
    'bootstrap-tls',
    ['--json', '--host', lab.proxy.address, ...args],
    options,
  );
  const json = JSON.parse(stdout);
  assert.equal(json.hosts.length, 1, stdout);
  return { status, stderr, host: json.hosts[0] };
}

/** The certificate that is currently served under the name. */
export async function served(): Promise<PeerCertificate> {
  const socket = connect({ host: NAME, port: 443, servername: NAME, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const certificate = socket.getPeerCertificate();
  socket.destroy();
  return certificate;
}

/** The serial number of a certificate on the host. */
export async function issued(host: Host, file = `${LIVE}/fullchain.pem`): Promise<string> {
  const { stdout, stderr } = await host.sh(`openssl x509 -noout -serial -in ${file}`);
  assert.match(stdout, /^serial=/, stderr);
  return stdout.trim().slice('serial='.length);
}

/** The number of certificates that certbot has issued for the site on the host. */
export async function orders(host: Host): Promise<number> {
  return Number((await host.sh(`ls /etc/letsencrypt/archive/${NAME} | grep -c ^cert`)).stdout);
}

/** nginx accepts its configuration, the default site is unchanged, and the challenge path answers. */
export async function assertHealthy(host: Host): Promise<void> {
  const test = await host.sh('nginx -t');
  assert.equal(test.status, 0, test.stderr);
  assert.match((await host.sh('curl -s http://127.0.0.1/')).stdout, /Welcome to nginx/);
  const file = '/var/www/certbot/.well-known/acme-challenge/by-hand';
  const response = await host.sh(
    `umask 022; d=${file}; mkdir -p "\${d%/*}"; echo it-answers >$d
     curl -s --resolve ${NAME}:80:127.0.0.1 http://${NAME}/.well-known/acme-challenge/by-hand; rm -f $d`,
  );
  assert.equal(response.stdout, 'it-answers\n');
}

/** No file of a challenge is left in the webroot. */
export async function assertNoChallenge(host: Host): Promise<void> {
  const { stdout } = await host.sh(`find /var/www/certbot -name "gatepost-${NAME}*"`);
  assert.equal(stdout, '');
}

/** Sends requests to the site in a loop, each on a new connection; `stop` returns the responses other than 308. */
export function probe(): () => Promise<{ requests: number; failed: string[] }> {
  let isOn = true;
  const failed: string[] = [];
  let requests = 0;
  const run = (async () => {
    while (isOn) {
      const response = await send().catch((error: Error) => error.message);
      requests++;
      if (response !== 'HTTP/1.1 308') failed.push(response);
    }
  })();
  return async () => {
    isOn = false;
    await run;
    return { requests, failed };
  };
}

async function send(): Promise<string> {
  const socket = connect({ host: NAME, port: 443, servername: NAME, rejectUnauthorized: false });
  try {
    await once(socket, 'secureConnect');
    socket.write(`GET /ollama HTTP/1.1\r\nHost: ${NAME}\r\nConnection: close\r\n\r\n`);
    const [head]: Buffer[] = await once(socket, 'data');
    return head?.toString('latin1').slice(0, 12) ?? '';
  } finally {
    socket.destroy();
  }
}

/**
 * Runs it under a condition in which it must fail: checks code, message and the state afterwards; returns the message.
 */
export async function assertFails(
  lab: Lab,
  code: string,
  message: RegExp,
  env: Record<string, string> = {},
): Promise<string> {
  const { status, host, stderr } = await bootstrap(lab, [], { env: { ...WITH_TOKEN, ...env } });
  assert.equal(host.failure?.code, code, JSON.stringify(host.failure));
  assert.match(`${host.failure?.text} ${host.failure?.means} ${host.failure?.next}`, message);
  assert.equal(status, 1);
  assert.equal(host.outcome, 'failed');
  assert.match(stderr, /no new certificate; the HTTP-only vhost is in place/);
  await assertHealthy(lab.proxy);
  await assertNoChallenge(lab.proxy);
  return host.failure?.text ?? '';
}

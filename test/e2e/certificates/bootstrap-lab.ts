/** Shared by the tests of bootstrap-tls: a run judged by its JSON, what is served, and the files on the proxy. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type PeerCertificate } from 'node:tls';
import type { Host, Lab, RunOptions } from '../../lab/namespaces/lab.ts';

export const NAME = 'ia.enso.4nkweb.com';
export const LIVE = `/etc/letsencrypt/live/${NAME}`;
export const TOKEN = 'a-token-for-these-tests-0123456789-ABCdef';
export const WITH_TOKEN = { IA_ENSO_OLLAMA_BEARER_TOKEN: TOKEN };

export interface Told {
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
): Promise<Told> {
  const { status, stdout, stderr } = await lab.run(
    'bootstrap-tls',
    ['--json', '--host', lab.proxy.address, ...args],
    options,
  );
  const json = JSON.parse(stdout);
  assert.equal(json.hosts.length, 1, stdout);
  return { status, stderr, host: json.hosts[0] };
}

/** The certificate that the name serves now. */
export async function served(): Promise<PeerCertificate> {
  const socket = connect({ host: NAME, port: 443, servername: NAME, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const certificate = socket.getPeerCertificate();
  socket.destroy();
  return certificate;
}

/** The serial number of the certificate on the host. */
export async function issued(host: Host, file = `${LIVE}/fullchain.pem`): Promise<string> {
  const { stdout, stderr } = await host.sh(`openssl x509 -noout -serial -in ${file}`);
  assert.match(stdout, /^serial=/, stderr);
  return stdout.trim().slice('serial='.length);
}

/** How many certificates certbot got on the host for the site. */
export async function orders(host: Host): Promise<number> {
  return Number((await host.sh(`ls /etc/letsencrypt/archive/${NAME} | grep -c ^cert`)).stdout);
}

/** nginx accepts its configuration, the stock site serves as before, and the challenge path answers. */
export async function assertHealthy(host: Host): Promise<void> {
  const test = await host.sh('nginx -t');
  assert.equal(test.status, 0, test.stderr);
  assert.match((await host.sh('curl -s http://127.0.0.1/')).stdout, /Welcome to nginx/);
  const file = '/var/www/certbot/.well-known/acme-challenge/by-hand';
  const asked = await host.sh(
    `umask 022; d=${file}; mkdir -p "\${d%/*}"; echo it-answers >$d
     curl -s --resolve ${NAME}:80:127.0.0.1 http://${NAME}/.well-known/acme-challenge/by-hand; rm -f $d`,
  );
  assert.equal(asked.stdout, 'it-answers\n');
}

/** No file of a try is left in the webroot. */
export async function assertNoTry(host: Host): Promise<void> {
  const { stdout } = await host.sh(`find /var/www/certbot -name "gatepost-${NAME}*"`);
  assert.equal(stdout, '');
}

/** Asks the site again and again, each time on a fresh connection; `stop` gives the answers that were no 308. */
export function probe(): () => Promise<{ asked: number; failed: string[] }> {
  let isOn = true;
  const failed: string[] = [];
  let asked = 0;
  const run = (async () => {
    while (isOn) {
      const response = await ask().catch((error: Error) => error.message);
      asked++;
      if (response !== 'HTTP/1.1 308') failed.push(response);
    }
  })();
  return async () => {
    isOn = false;
    await run;
    return { asked, failed };
  };
}

async function ask(): Promise<string> {
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

/** Runs it where it cannot succeed: the type, words of what is told, and what must hold afterwards; gives the words. */
export async function assertFails(
  lab: Lab,
  code: string,
  words: RegExp,
  env: Record<string, string> = {},
): Promise<string> {
  const { status, host, stderr } = await bootstrap(lab, [], { env: { ...WITH_TOKEN, ...env } });
  assert.equal(host.failure?.code, code, JSON.stringify(host.failure));
  assert.match(`${host.failure?.text} ${host.failure?.means} ${host.failure?.next}`, words);
  assert.equal(status, 1);
  assert.equal(host.outcome, 'failed');
  assert.match(stderr, /no new certificate; the HTTP-only vhost is in place/);
  await assertHealthy(lab.proxy);
  await assertNoTry(lab.proxy);
  return host.failure?.text ?? '';
}

/** CAs that each fail in one way: a misconfigured Pebble, or a directory with a fixed response. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { CA, CA_NAME, STATE } from '../namespaces/network.ts';
import { local, PATH } from '../namespaces/process.ts';

const SHARED = `${STATE}/shared`;

interface Oddity {
  /** Overrides of Pebble's configuration. */
  readonly config?: Record<string, unknown>;
  readonly env?: Record<string, string>;
  /** Replaces its /etc/hosts. */
  readonly hosts?: string;
}

interface Ca {
  readonly url: string;
  readonly stop: () => void;
}

let port = 14100;

/** Starts another Pebble on the CA's host. */
export async function startOddPebble({ config = {}, env = {}, hosts }: Oddity): Promise<Ca> {
  const caPort = port++;
  const file = `${SHARED}/pebble-${caPort}`;
  const pebble = {
    ...JSON.parse(await readFile(`${SHARED}/pebble.json`, 'utf8')).pebble,
    listenAddress: `0.0.0.0:${caPort}`,
    managementListenAddress: `0.0.0.0:${caPort + 1000}`,
    ...config,
  };
  await writeFile(`${file}.json`, JSON.stringify({ pebble }));
  await writeFile(`${file}.hosts`, hosts ?? (await readFile('/etc/hosts', 'utf8')));
  const command = `mount --bind ${file}.hosts /etc/hosts && exec pebble -config ${file}.json`;
  const args = [`--net=/run/netns/${CA.name}`, 'unshare', '--mount', 'sh', '-c', command];
  const vars = { PATH, PEBBLE_VA_NOSLEEP: '1', PEBBLE_AUTHZREUSE: '0', PEBBLE_WFE_NONCEREJECT: '0', ...env };
  const child = spawn('nsenter', args, { env: vars, stdio: 'ignore' });
  const url = `https://${CA_NAME}:${caPort}/dir`;
  await waitForCa(url);
  return { url, stop: () => void child.kill('SIGKILL') };
}

async function waitForCa(url: string): Promise<void> {
  const curl = local({ nothrow: true });
  for (let tries = 100; tries > 0; tries--) {
    if ((await curl`curl -sf --cacert ${SHARED}/ca.pem ${url}`).exitCode === 0) return;
    await sleep(50);
  }
  throw new Error(`${url} does not answer`);
}

/** Starts a CA on the operator's address that registers accounts and rejects every order with one problem document. */
export async function startRefusingCa(status: number, type: string, detail: string): Promise<Ca> {
  const [key, cert] = await Promise.all([readFile(`${SHARED}/pebble.key`), readFile(`${SHARED}/pebble.pem`)]);
  const base = `https://${CA_NAME}:${port++}`;
  let nonce = 0;
  const server = createServer({ key, cert }, (request, response) => {
    const respond = (code: number, body: unknown, headers: Record<string, string> = {}) => {
      const kind = code >= 400 ? 'application/problem+json' : 'application/json';
      response.writeHead(code, { 'Replay-Nonce': `nonce${nonce++}`, 'Content-Type': kind, ...headers });
      response.end(request.method === 'HEAD' ? undefined : JSON.stringify(body));
    };
    request.resume().on('end', () => {
      if (request.url === '/dir') respond(200, directory(base));
      else if (request.url === '/account')
        respond(201, { status: 'valid' }, { Location: `${base}/account/1` });
      else if (request.url === '/order')
        respond(status, { type: `urn:ietf:params:acme:error:${type}`, detail, status });
      else respond(200, {});
    });
  });
  server.listen(Number(new URL(base).port), '203.0.113.1');
  await once(server, 'listening');
  return { url: `${base}/dir`, stop: () => void server.close() };
}

function directory(base: string) {
  return {
    newNonce: `${base}/nonce`,
    newAccount: `${base}/account`,
    newOrder: `${base}/order`,
    revokeCert: `${base}/revoke`,
    keyChange: `${base}/key`,
  };
}

/** Certificates for the lab: its own CA, and Pebble with real certbot. */
import { appendFile, readFile } from 'node:fs/promises';
import { get } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../namespaces/host.ts';
import { CA, CA_NAME, SITE, STATE } from '../namespaces/network.ts';
import { local, PATH, spawnProcess, unrefChild } from '../namespaces/process.ts';

const SHARED = `${STATE}/shared`;
/** CA certificates that the operator trusts in addition to the system store; Pebble's root is added when it starts. */
export const TRUST = `${STATE}/operator/trust.pem`;
export const DIRECTORY = `https://${CA_NAME}:14000/dir`;
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-batch'];

async function issue(name: string, certificate: string, key: string): Promise<void> {
  const ca = ['-CA', `${SHARED}/ca.pem`, '-CAkey', `${SHARED}/ca.key`, '-days', '90'];
  const names = ['-addext', `subjectAltName=DNS:${name}`, '-addext', 'basicConstraints=CA:FALSE'];
  await local`openssl req -x509 ${KEY} ${ca} ${names} -subj /CN=${name} -keyout ${key} -out ${certificate}`;
}

/** Creates the lab's CA, Pebble's certificate and, if `site`, the site's. */
export async function makeCertificates(site: boolean): Promise<void> {
  // Python 3.13 requires the keyUsage extension.
  const usage = ['-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
  await local`openssl req -x509 ${KEY} -days 3650 ${usage} -subj ${'/CN=Gatepost lab CA'} -keyout ${SHARED}/ca.key -out ${SHARED}/ca.pem`;
  const wanted = [issue(CA_NAME, `${SHARED}/pebble.pem`, `${SHARED}/pebble.key`)];
  if (site) wanted.push(issue(SITE, `${SHARED}/fullchain.pem`, `${SHARED}/privkey.pem`));
  await Promise.all([...wanted, local`cp ${SHARED}/ca.pem ${TRUST}`]);
}

const CONFIG = {
  pebble: {
    listenAddress: '0.0.0.0:14000',
    managementListenAddress: '0.0.0.0:15000',
    certificate: `${SHARED}/pebble.pem`,
    privateKey: `${SHARED}/pebble.key`,
    httpPort: 80,
    tlsPort: 443,
    ocspResponderURL: '',
    externalAccountBindingRequired: false,
  },
};

function fetchText(url: string, ca: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { ca, agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => resolve(Buffer.concat(parts).toString()));
    });
    request.on('error', reject);
  });
}

/** Pebble's issuing root; waits until Pebble answers. */
async function issuingRoot(): Promise<string> {
  const ca = await readFile(`${SHARED}/ca.pem`);
  for (let tries = 200; ; tries--) {
    try {
      return await fetchText(`https://${CA_NAME}:15000/roots/0`, ca);
    } catch (error) {
      if (tries === 0) throw error;
      await sleep(50);
    }
  }
}

/** Starts Pebble on its host and makes the operator trust its certificates. */
export async function startPebble(): Promise<void> {
  await local({ input: JSON.stringify(CONFIG) })`cat > ${SHARED}/pebble.json`;
  // By default, Pebble rejects 5% of good nonces, and certbot gives up after two in a row.
  const env = { PATH, PEBBLE_VA_NOSLEEP: '1', PEBBLE_AUTHZREUSE: '0', PEBBLE_WFE_NONCEREJECT: '0' };
  // Joins the host's network namespace only: Pebble's configuration is among the operator's files.
  const args = [`--net=/run/netns/${CA.name}`, 'pebble', '-config', `${SHARED}/pebble.json`];
  unrefChild(spawnProcess({ env, stdio: 'ignore' }, 'nsenter', args));
  await appendFile(TRUST, await issuingRoot());
}

/**
 * Requests the site's certificate on the first proxy, through the default site's webroot, and copies it to the others.
 */
export async function obtainCertificate([first, ...others]: readonly Host[]): Promise<void> {
  const options =
    '--webroot -w /var/www/html --non-interactive --agree-tos --register-unsafely-without-email';
  const result = await first?.sh(`certbot certonly ${options} -d ${SITE} --server ${DIRECTORY}`);
  if (result?.status !== 0) throw new Error(`certbot failed: ${result?.stdout}${result?.stderr}`);
  const archive = await first?.sh('tar -C /etc -cz letsencrypt | base64');
  const copy = (host: Host) => host.sh('base64 -d | tar -C /etc -xz', { input: archive?.stdout ?? '' });
  await Promise.all(others.map(copy));
}

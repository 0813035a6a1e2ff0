/** Certificates of every kind for the checks, from the CA that the test process trusts. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { caConfig, validityArgs } from '../../lab/certificates/openssl-ca.ts';
import { DIR, KEY } from './trust.ts';

const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
const pathsOf = (label: string) => ({ key: `${DIR}/${label}.key`, pem: `${DIR}/${label}.pem` });

interface Wanted {
  /** Days until it expires; it has been valid for 90 days. */
  readonly days?: number;
  /** The label of the signer; the trusted CA by default. */
  readonly by?: string;
  readonly extension?: string;
}

/** Issues a certificate for `name` as LABEL.pem and LABEL.key. */
export function issue(label: string, name: string, { days = 90, by = 'ca', extension }: Wanted = {}): void {
  const { key, pem } = pathsOf(label);
  const [csr, file] = [`${DIR}/${label}.csr`, `${DIR}/${by}.conf`];
  writeFileSync(`${DIR}/index`, '');
  const signer = pathsOf(by);
  writeFileSync(file, caConfig(DIR, `certificate = ${signer.pem}`, `private_key = ${signer.key}`));
  const more = extension ?? `subjectAltName=DNS:${name}`;
  openssl('req', '-new', ...KEY, '-subj', `/CN=${name}`, '-addext', more, '-keyout', key, '-out', csr);
  openssl('ca', '-config', file, '-batch', '-notext', ...validityArgs(-90, days), '-in', csr, '-out', pem);
}

/** Issues a certificate with an intermediate CA, without the chain, as if cert.pem had been installed. */
export function issueWithoutChain(label: string, name: string): void {
  issue('between', 'between', { extension: 'basicConstraints=critical,CA:TRUE' });
  issue(label, name, { by: 'between' });
}

/** Creates a self-signed certificate. */
export function issueSelfSigned(label: string, name: string): void {
  const { key, pem } = pathsOf(label);
  const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
  openssl('req', '-x509', ...KEY, '-days', '90', ...names, '-keyout', key, '-out', pem);
}

/** Combines a certificate with another one's key, of another type: nginx accepts them, but every handshake fails. */
export function mismatch(label: string, certificate: string): void {
  openssl('genrsa', '-out', pathsOf(label).key, '2048');
  copyFileSync(pathsOf(certificate).pem, pathsOf(label).pem);
}

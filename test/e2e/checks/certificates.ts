/** Certificates of every kind for the checks, from the CA that the test process trusts. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { caConfig, validityArgs } from '../../lab/certificates/openssl-ca.ts';
import { DIR, KEY } from './trust.ts';

const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
const pathsOf = (label: string) => ({ key: `${DIR}/${label}.key`, pem: `${DIR}/${label}.pem` });

interface Wanted {
  /** Valid from 90 days ago until that many days from now. */
  readonly days?: number;
  /** Who signs it; the trusted CA without it. */
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

/** Issues one whose chain has a link between it and the CA, which is left out as by who installs cert.pem. */
export function issueWithoutChain(label: string, name: string): void {
  issue('between', 'between', { extension: 'basicConstraints=critical,CA:TRUE' });
  issue(label, name, { by: 'between' });
}

/** Makes one that no CA signed. */
export function issueSelfSigned(label: string, name: string): void {
  const { key, pem } = pathsOf(label);
  const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
  openssl('req', '-x509', ...KEY, '-days', '90', ...names, '-keyout', key, '-out', pem);
}

/** The certificate of one and the key of another, of another type: nginx takes them, and no handshake comes about. */
export function mismatch(label: string, certificate: string): void {
  openssl('genrsa', '-out', pathsOf(label).key, '2048');
  copyFileSync(pathsOf(certificate).pem, pathsOf(label).pem);
}

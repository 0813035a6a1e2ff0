/** Imported before the lab: creates the CA that this process trusts, because Node reads that file when it starts. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-batch'];

/** The folder of the CA, the certificates and the configuration; created outside of the lab, used inside. */
export const DIR = process.env.GATEPOST_CHECKS ?? create();

function create(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatepost-checks-'));
  process.on('exit', () => rmSync(folder, { recursive: true }));
  const files = ['-keyout', `${folder}/ca.key`, '-out', `${folder}/ca.pem`];
  execFileSync('openssl', ['req', '-x509', ...KEY, '-days', '9', '-subj', '/CN=checks CA', ...files]);
  process.env.GATEPOST_CHECKS = folder;
  process.env.NODE_EXTRA_CA_CERTS = `${folder}/ca.pem`;
  return folder;
}

/** A certificate from the lab's CA in the middle of its lifetime. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { caConfig, validityArgs } from '../../lab/certificates/openssl-ca.ts';
import type { Host } from '../../lab/namespaces/lab.ts';
import { SITE, STATE } from '../../lab/namespaces/network.ts';
import { local } from '../../lab/namespaces/process.ts';

const CA = `${STATE}/shared`;
const DIRECTORY = `${STATE}/operator/aged`;
const LIVE = `/etc/letsencrypt/live/${SITE}`;

/** Gives `host` a certificate that became valid `begun` days ago and expires in `left` days. Does not reload nginx. */
export async function age(host: Host, { begun, left }: { begun: number; left: number }): Promise<void> {
  await local`mkdir -p ${DIRECTORY}`;
  await writeFile(`${DIRECTORY}/ca.conf`, caConfig(DIRECTORY));
  await writeFile(`${DIRECTORY}/index`, '');
  const [key, csr, pem] = ['key', 'csr', 'pem'].map((end) => `${DIRECTORY}/aged.${end}`);
  const name = ['-subj', `/CN=${SITE}`, '-addext', `subjectAltName=DNS:${SITE}`];
  await local`openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -batch ${name} -keyout ${key} -out ${csr}`;
  const ca = ['-config', `${DIRECTORY}/ca.conf`, '-cert', `${CA}/ca.pem`, '-keyfile', `${CA}/ca.key`];
  await local`openssl ca -batch -notext ${ca} ${validityArgs(-begun, left)} -in ${csr} -out ${pem}`;
  for (const [file, target] of [
    [pem, 'fullchain'],
    [key, 'privkey'],
  ]) {
    const { status } = await host.sh(`cat >${LIVE}/${target}.pem`, {
      input: await readFile(`${file}`, 'utf8'),
    });
    assert.equal(status, 0);
  }
}

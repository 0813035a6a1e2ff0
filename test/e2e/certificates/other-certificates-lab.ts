/** Other certificates on the proxy, and a snapshot of /etc/letsencrypt, to verify that nothing changes. */
import assert from 'node:assert/strict';
import type { Host } from '../../lab/namespaces/lab.ts';
import { CA_NAME } from '../../lab/namespaces/network.ts';
import { LIVE, NAME } from './bootstrap-lab.ts';

const LETSENCRYPT = '/etc/letsencrypt';
const OWN = [LIVE, `${LETSENCRYPT}/archive/${NAME}`, `${LETSENCRYPT}/renewal/${NAME}.conf`];
/** Files that an order may add: an account at the CA, and the site's own renewal hook. */
const PASSING = [
  `'${LETSENCRYPT}/accounts/${CA_NAME}*'`,
  `${LETSENCRYPT}/renewal-hooks/deploy/gatepost-reload-nginx`,
  `${LETSENCRYPT}/.certbot.lock`,
];
/** certbot 1.x also stores each request and key here. */
const NUMBERED = [`${LETSENCRYPT}/csr`, `${LETSENCRYPT}/keys`];

/** A wildcard lineage, as created with a DNS plugin. */
export const WILDCARD = 'wildcard.test';

/**
 * Every path below /etc/letsencrypt with its type, mode, owner, link target and checksum.
 * @param whose `others` excludes the site's own lineage, which a successful order changes
 */
export async function snapshot(host: Host, whose: 'all' | 'others' = 'all'): Promise<string> {
  const left = [...PASSING, ...NUMBERED, ...(whose === 'others' ? OWN : [])];
  const prune = left.map((path) => `-path ${path}`).join(' -o ');
  const paths = `find ${LETSENCRYPT} \\( ${prune} \\) -prune -o`;
  const { stdout, stderr, status } = await host.sh(
    `${paths} -printf '%p %y %m %U:%G %l\\n' | sort; ${paths} -type f -print0 | sort -z | xargs -0r sha256sum`,
  );
  assert.equal(status, 0, stderr);
  return stdout;
}

/** Other files in certbot's folder: an account at another CA, renewal hooks, files of certbot's nginx plugin. */
export async function furnishOthers(host: Host): Promise<void> {
  const { status, stderr } = await host.sh(`set -e; umask 022; cd ${LETSENCRYPT}
    for moment in pre post deploy; do
      mkdir -p renewal-hooks/$moment; printf '#!/bin/sh\\nexit 0\\n' >renewal-hooks/$moment/others; chmod 750 renewal-hooks/$moment/others
    done
    echo 'ssl_session_timeout 1440m; # edited' >options-ssl-nginx.conf; openssl dhparam -dsaparam 512 >ssl-dhparams.pem 2>/dev/null
    umask 077; account=accounts/ca.other.example/directory/0123456789abcdef0123456789abcdef; mkdir -p $account
    for part in meta private_key regr; do echo '{"of": "others"}' >$account/$part.json; done; chmod 400 $account/private_key.json`);
  assert.equal(status, 0, stderr);
}

/** Signs a certificate for `names` (`DNS:…`) with a new CA, and stores it like certbot's lineage `name`. */
export async function makeLineage(host: Host, name: string, names: string, conf: string): Promise<void> {
  const { status, stderr } = await host.sh(`set -e; cd "$(mktemp -d)"; umask 022
    new='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -batch -days 89'
    openssl req -x509 $new -subj /CN=other-ca -keyout ca.key -out chain1.pem
    openssl req -x509 $new -subj /CN=other -CA chain1.pem -CAkey ca.key -addext subjectAltName=${names} -addext basicConstraints=CA:FALSE -keyout privkey1.pem -out cert1.pem
    cat cert1.pem chain1.pem >fullchain1.pem; rm ca.key; chmod 640 privkey1.pem
    a=${LETSENCRYPT}/archive/${name} l=${LETSENCRYPT}/live/${name}
    mkdir -p $a $l ${LETSENCRYPT}/renewal; mv ./*.pem $a
    for part in cert chain fullchain privkey; do ln -s ../../archive/${name}/"$part"1.pem $l/$part.pem; done
    { echo "archive_dir = $a"; for part in cert privkey chain fullchain; do echo "$part = $l/$part.pem"; done
      printf '[renewalparams]\\n%s\\n' '${conf}'; } >${LETSENCRYPT}/renewal/${name}.conf`);
  assert.equal(status, 0, stderr);
}

/** The names in a certificate on the host, sorted. */
export async function namesOf(host: Host, file = `${LIVE}/fullchain.pem`): Promise<string[]> {
  const { stdout } = await host.sh(`openssl x509 -in ${file} -noout -ext subjectAltName`);
  return [...stdout.matchAll(/DNS:([^\s,]+)/g)].map(([, name = '']) => name).sort();
}

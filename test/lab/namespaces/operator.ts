/** The operator's side of the lab: names, keys, known hosts, environment. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { DIRECTORY, TRUST } from '../certificates/lab-ca.ts';
import { RELAY_PORT } from '../faults/start-relay.ts';
import type { Host } from './host.ts';
import { BACKEND, JUMP_NAME, publicNames, SITE, STATE } from './network.ts';
import { local, PATH } from './process.ts';

/** The operator's scratch folder; private to the lab. */
export const SCRATCH = `${STATE}/operator/work`;
// OpenSSH takes the home directory from passwd, not from $HOME.
const SSH = '/root/.ssh';

// If root has no ~/.ssh, an overlay adds one without creating it on the machine.
const OWN_SSH = `[ ! -d ${SSH} ] || exec mount -t tmpfs -o mode=700 lab ${SSH}
mkdir -p ${STATE}/root/upper ${STATE}/root/work
mount -t overlay -o lowerdir=/root,upperdir=${STATE}/root/upper,workdir=${STATE}/root/work lab /root
mkdir -m 700 ${SSH}`;

/** Gives the operator a private ~/.ssh with a new key, a private /etc/hosts and a scratch folder. */
export async function setUpOperator(): Promise<void> {
  await mkdir(SCRATCH, { recursive: true });
  // Without it, the scripts would read the .env in the checkout, with the settings of the person running the tests.
  await writeFile(`${SCRATCH}/.env`, '', { mode: 0o600 });
  await writeFile(`${STATE}/operator/hosts`, publicNames());
  await local`mount --bind ${STATE}/operator/hosts /etc/hosts`;
  await local`sh -c ${`set -e\n${OWN_SSH}`}`;
  await local`ssh-keygen -q -t ed25519 -N ${''} -C operator -f ${SSH}/id_ed25519`;
  await local`cp ${SSH}/id_ed25519.pub ${STATE}/shared/operator.pub`;
}

/** Restores /etc/hosts and ~/.ssh. */
export async function tearDownOperator(): Promise<void> {
  await local`umount /etc/hosts`;
  await local`umount ${SSH} 2>/dev/null || umount -l /root`;
}

/** The folders that `--local` would change. */
const CHANGED_LOCALLY = ['/etc', '/var/lib', '/var/log', '/var/www'];

/** A shell script that runs its arguments with an overlay on these folders, so that nothing in them changes on this machine. */
export const PRIVATELY = `set -eu
for dir in ${CHANGED_LOCALLY.join(' ')}; do
	[ -d "$dir" ] || continue
	layer=${STATE}/private$dir
	mkdir -p "$layer/upper" "$layer/work"
	mount -t overlay -o "lowerdir=$dir,upperdir=$layer/upper,workdir=$layer/work" lab "$dir"
done
mount --bind ${STATE}/operator/hosts /etc/hosts
exec "$@"`;

async function knownHostsLines(name: string, host: Host): Promise<string> {
  const file = `${STATE}/hosts/${host.name}/etc/upper/ssh/ssh_host_ed25519_key.pub`;
  const [type, key] = (await readFile(file, 'utf8')).split(' ');
  return `${name} ${type} ${key}\n[${name}]:${RELAY_PORT} ${type} ${key}\n`;
}

/** Writes known_hosts: the jump host by name, the proxies by LAN address. */
export async function writeKnownHosts(jump: Host, proxies: readonly Host[]): Promise<void> {
  const lines = [
    knownHostsLines(JUMP_NAME, jump),
    ...proxies.map((host) => knownHostsLines(host.address, host)),
  ];
  await writeFile(`${SSH}/known_hosts`, (await Promise.all(lines)).join(''));
}

/** The complete environment of the scripts. */
export function environment(proxies: readonly Host[]): Record<string, string> {
  return {
    PATH: process.env.PATH ?? PATH,
    HOME: '/root',
    LANG: 'C.UTF-8',
    IA_ENSO_SERVER_NAME: SITE,
    IA_ENSO_PROXY_HOST: proxies.map(({ address }) => address).join(','),
    IA_ENSO_PROXY_USER: 'ncantu',
    IA_ENSO_BACKEND_IP: BACKEND.lan ?? '',
    DEPLOY_SSH_PROXY_HOST: JUMP_NAME,
    ACME_DIRECTORY_URL: DIRECTORY,
    NODE_EXTRA_CA_CERTS: TRUST,
  };
}

/** Deploys in the lab, and the resulting state of a proxy: responses, files, processes. */
import type { HostReport } from '../../../lib/model/host-report.ts';
import type { Host } from '../namespaces/host.ts';
import type { Lab, RunOptions } from '../namespaces/lab.ts';
import { STATE } from '../namespaces/network.ts';
import { local } from '../namespaces/process.ts';

export const SITE = 'ia.enso.4nkweb.com';
export const TOKEN = 'Alpha.Token+with*(every)[kind]{of}^sign|h?;#~%&=<>$host';
export const OTHER_TOKEN = '0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0';
export const VHOST = `/etc/nginx/sites-available/${SITE}.conf`;
export const LINK = `/etc/nginx/sites-enabled/${SITE}.conf`;
export const MAPS = '/etc/nginx/conf.d/ia-enso-http-maps.conf';
export const WEBSOCKET = '/etc/nginx/conf.d/websocket-connection-map.conf';
export const CLIENT = '/etc/nginx/ia-enso-bearers/default.map';
export const RELEASES = `/var/lib/gatepost/${SITE}/releases`;

/** The first host's report, and the result of the script. */
export interface DeployResult extends HostReport {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly token?: string;
}

export type Run = Pick<Lab, 'run'>;

/** Runs deploy.ts with --json and without checks. */
export async function deploy(
  lab: Run,
  env: RunOptions['env'] = {},
  args: readonly string[] = [],
): Promise<DeployResult> {
  const { status, stdout, stderr } = await lab.run('deploy', ['--json', '--no-verify', ...args], { env });
  if (!stdout.endsWith('}\n')) throw new Error(`deploy ended with ${status} and no JSON: ${stderr}`);
  const { hosts, token } = JSON.parse(stdout) as { hosts: HostReport[]; token?: string };
  return { ...(hosts[0] as HostReport), exit: status, stdout, stderr, ...(token && { token }) };
}

export const withToken = (token: string) => ({ IA_ENSO_OLLAMA_BEARER_TOKEN: token });

/** The HTTP status on a new connection to the public name; 0 if there is no response. */
export async function status(path: string, token?: string): Promise<number> {
  const header = token ? ['-H', `Authorization: Bearer ${token}`] : [];
  const curl = local({ nothrow: true });
  const { stdout } =
    await curl`curl -sk -m 10 -o /dev/null -w ${'%{http_code}'} ${header} https://${SITE}${path}`;
  return Number(stdout);
}

/** The gate's HTTP status for a token. */
export const gate = (token?: string): Promise<number> => status('/ollama/v1/models', token);

/**
 * Every file that a change might touch: path, type, mode, owner, inode, times, checksum. Outside nginx's and gatepost's
 * directories, only what this host wrote since it was created: the machine itself may write to /var.
 */
export async function tree(host: Host, ...folders: readonly string[]): Promise<string> {
  const folderList = folders.length > 0 ? folders.join(' ') : '/etc/nginx /var/lib/gatepost';
  const listing = (paths: string) => `find ${paths} -printf '%p %y %m %U:%G %i %T@ %l\n' 2>/dev/null | sort`;
  const sums = `find ${folderList} -type f -print0 2>/dev/null | sort -z | xargs -0r sha256sum`;
  const listed = (await host.sh(`${listing(folderList)}; ${sums}`)).stdout;
  if (folders.length > 0) return listed;
  const written = await local`sh -c ${listing(`${STATE}/hosts/${host.name}/var/upper/lib`)}`;
  return listed + written.stdout;
}

/** Nginx's files: mode, owner, link target, checksum; no times. */
export async function config(host: Host): Promise<string> {
  const list = `find /etc/nginx -printf '%p %y %m %U:%G %l\\n' | sort`;
  return (await host.sh(`${list}; find /etc/nginx -type f -print0 | sort -z | xargs -0r sha256sum`)).stdout;
}

/** The PIDs of the nginx workers. */
export async function workers(host: Host): Promise<string> {
  return (await host.sh('pgrep -P "$(cat /run/nginx.pid)" | sort')).stdout;
}

/** Temporary files that a change leaves only while it is in progress. */
export async function leftovers(host: Host): Promise<string> {
  const names = `-name '*gatepost-new' -o -name '*gatepost-old' -o -name 'journal*' -o -name 'found.new'`;
  return (await host.sh(`find /etc/nginx /var/lib/gatepost ${names}`)).stdout;
}

/** The kinds of the stored releases, oldest first. */
export async function releases(host: Host): Promise<readonly string[]> {
  const { stdout } = await host.sh(`cd ${RELEASES} && for r in *; do sed -n 's/^kind //p' $r/meta; done`);
  return stdout.split('\n').filter(Boolean);
}

/** Restores a proxy to its state at the start of the lab. */
export async function reset(host: Host): Promise<void> {
  const { status: failed, stderr } = await host.sh(`set -e
    rm -rf /var/lib/gatepost /etc/nginx/ia-enso-bearers /etc/nginx/ia-enso-live /etc/nginx/conf.d/* /etc/nginx/conf.d/.[!.]*
    rm -f ${VHOST} ${LINK} /etc/nginx/sites-*/.*gatepost* /usr/local/sbin/*
    if [ -s /run/nginx.pid ] && kill -0 "$(cat /run/nginx.pid)" 2>/dev/null; then nginx -s reload; else nginx; fi`);
  if (failed) throw new Error(stderr);
}

export async function put(host: Host, path: string, content: string): Promise<void> {
  await host.sh(`cat >'${path}'`, { input: content });
}

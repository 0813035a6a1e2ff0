/** Problems of a proxy that a change cannot fix: SELinux, and no other default server. */
import { advised } from '../../diagnosis/row.ts';
import { SYMPTOMS } from '../../diagnosis/symptoms.ts';
import type { Fault, HostReport } from '../../model/host-report.ts';
import { certificateFilesOf, isByAddress, type Site } from '../../model/site.ts';

type Named = Pick<Site, 'certificate' | 'serverName'>;

/** What keeps the site from working: nginx may not connect to its backends. */
export function selinuxFaults({ facts }: Pick<HostReport, 'facts'>): readonly Fault[] {
  return facts.selinux === 'off' ? [{ about: 'SELinux', text: advised(SYMPTOMS.selinux) }] : [];
}

/** Where the site is the default server because no other vhost is, with the vhost to add. */
export function defaultServerFaults({ facts }: Pick<HostReport, 'facts'>, site: Named): readonly Fault[] {
  const { default_server: sockets, nginx = '' } = facts;
  if (sockets === undefined || isByAddress(site)) return [];
  const listens = sockets.split(', ');
  const [secure, plain] = [listens.filter(isSecure), listens.filter((socket) => !isSecure(socket))];
  const blocks = [
    ...(secure.length > 0 ? [secureCatchAll(secure, nginx, site)] : []),
    ...(plain.length > 0 ? [`server { ${plain.map(listenLine('')).join(' ')} return 444; }`] : []),
  ];
  const text = `no other vhost is the default server on ${sockets}, so requests for unknown names and for the bare address reach this site (which answers 421 over https). To keep them away, add a catch-all vhost to nginx on the proxy: ${blocks.join(' ')}`;
  return [{ about: 'the default server', text }];
}

const isSecure = (socket: string): boolean => /(?:^|:)443$/.test(socket);
const listenLine = (options: string) => (socket: string) => `listen ${socket}${options} default_server;`;

/** nginx rejects a handshake for an unknown name from 1.19.4 on; before, a default server needs a certificate. */
function secureCatchAll(sockets: readonly string[], version: string, site: Named): string {
  const options = isAtLeast(version, 1, 25) ? ' ssl' : ' ssl http2';
  const listens = sockets.map(listenLine(options)).join(' ');
  if (isAtLeast(version, 1, 20)) return `server { ${listens} ssl_reject_handshake on; }`;
  const { chain, key } = certificateFilesOf(site);
  return `server { ${listens} ssl_certificate ${chain}; ssl_certificate_key ${key}; return 421; }`;
}

function isAtLeast(version: string, major: number, minor: number): boolean {
  const [first = 0, second = 0] = version.split('.').map(Number);
  return first > major || (first === major && second >= minor);
}

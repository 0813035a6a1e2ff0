/** The lab's addresses, and the links between its hosts. */
import { writeFile } from 'node:fs/promises';
import { local } from './process.ts';

export const STATE = '/run/gatepost-lab';
export const SITE = 'ia.enso.4nkweb.com';
/** Another site's name on the same proxy. */
export const OTHER_NAME = 'ai.example.org';
export const JUMP_NAME = '4nk.myftp.biz';
export const CA_NAME = 'ca.gatepost.test';
const OPERATOR = '203.0.113.1';

/** A host's role and its addresses on the internet and the LAN. */
export interface HostSpec {
  name: string;
  role: 'proxy' | 'jump' | 'plain';
  internet?: string;
  lan?: string;
  /** Its root file system, if not this machine's. */
  root?: string;
}

export const JUMP: HostSpec = { name: 'jump', role: 'jump', internet: '203.0.113.10', lan: '192.168.1.2' };
export const CA: HostSpec = { name: 'ca', role: 'plain', internet: '203.0.113.20' };
export const BACKEND: HostSpec = { name: 'backend', role: 'plain', lan: '192.168.1.164' };

/** The proxies' specifications: `proxy`, `proxy2` and so on. */
export function proxies(count: number, root?: string): HostSpec[] {
  if (count < 1 || count > 20) throw new RangeError(`The lab has 1 to 20 proxies, not ${count}`);
  return Array.from({ length: count }, (_, n) => ({
    name: n === 0 ? 'proxy' : `proxy${n + 1}`,
    role: 'proxy',
    internet: `203.0.113.${100 + n}`,
    lan: `192.168.1.${100 + n}`,
    ...(root && { root }),
  }));
}

/** The operator's /etc/hosts: public names only. */
export function publicNames(): string {
  return `127.0.0.1 localhost
::1 localhost
${JUMP.internet} ${JUMP_NAME}
${CA.internet} ${CA_NAME}
203.0.113.100 ${SITE} ${OTHER_NAME} nexus.gatepost.test llm.example.org
`;
}

/** The hosts' /etc/hosts: also the LAN names. */
export function allNames(specs: readonly HostSpec[]): string {
  const lan = specs.filter((spec) => spec.lan).map((spec) => `${spec.lan} ${spec.name}.lan\n`);
  return publicNames() + lan.join('');
}

function linkCommands({ name, internet, lan }: HostSpec): string {
  const public_ = `link add ${name}-i type veth peer name eth0 netns ${name}\nlink set ${name}-i master internet up\n`;
  const private_ = `link add ${name}-l type veth peer name eth1 netns ${name}\nlink set ${name}-l master lan up\n`;
  return `netns add ${name}\n${internet ? public_ : ''}${lan ? private_ : ''}`;
}

/** Creates two bridges, and a network namespace per host; the operator is on the internet bridge only. */
export async function connectHosts(specs: readonly HostSpec[]): Promise<void> {
  const bridges = `link add internet type bridge
link add lan type bridge
link set internet up
link set lan up
addr add ${OPERATOR}/24 dev internet
`;
  await writeFile(`${STATE}/network`, bridges + specs.map(linkCommands).join(''));
  await local`ip -batch ${STATE}/network`;
}

function unlinkCommands({ name, internet, lan }: HostSpec): string {
  // A namespace's own end of a veth pair is deleted some time after the namespace; until then its name is taken.
  return `${internet ? `link del ${name}-i\n` : ''}${lan ? `link del ${name}-l\n` : ''}netns del ${name}\n`;
}

/** Removes all links and namespaces. */
export async function disconnectHosts(specs: readonly HostSpec[]): Promise<void> {
  await writeFile(
    `${STATE}/network`,
    `${specs.map(unlinkCommands).join('')}link del internet\nlink del lan\n`,
  );
  await local`ip -batch ${STATE}/network`;
}

/** The addresses in the lab, and the links between the hosts. */
import { writeFile } from 'node:fs/promises';
import { local } from './process.ts';

export const STATE = '/run/gatepost-lab';
export const SITE = 'ia.enso.4nkweb.com';
/** A name of somebody else, at the same proxy. */
export const OTHER_NAME = 'ai.example.org';
export const JUMP_NAME = '4nk.myftp.biz';
export const CA_NAME = 'ca.gatepost.test';
const OPERATOR = '203.0.113.1';

/** A host's place: its addresses on the internet and on the LAN. */
export interface Place {
  name: string;
  role: 'proxy' | 'jump' | 'plain';
  internet?: string;
  lan?: string;
  /** The root file system it runs with, where it is not the machine's own. */
  root?: string;
}

export const JUMP: Place = { name: 'jump', role: 'jump', internet: '203.0.113.10', lan: '192.168.1.2' };
export const CA: Place = { name: 'ca', role: 'plain', internet: '203.0.113.20' };
export const BACKEND: Place = { name: 'backend', role: 'plain', lan: '192.168.1.164' };

/** The proxies' places: `proxy`, `proxy2` and so on. */
export function proxies(count: number, root?: string): Place[] {
  if (count < 1 || count > 20) throw new RangeError(`The lab has 1 to 20 proxies, not ${count}`);
  return Array.from({ length: count }, (_, n) => ({
    name: n === 0 ? 'proxy' : `proxy${n + 1}`,
    role: 'proxy',
    internet: `203.0.113.${100 + n}`,
    lan: `192.168.1.${100 + n}`,
    ...(root && { root }),
  }));
}

/** /etc/hosts as the operator has it: public names only. */
export function publicNames(): string {
  return `127.0.0.1 localhost
::1 localhost
${JUMP.internet} ${JUMP_NAME}
${CA.internet} ${CA_NAME}
203.0.113.100 ${SITE} ${OTHER_NAME} nexus.gatepost.test llm.example.org
`;
}

/** /etc/hosts as the hosts have it: the LAN's names, too. */
export function allNames(places: readonly Place[]): string {
  const lan = places.filter((place) => place.lan).map((place) => `${place.lan} ${place.name}.lan\n`);
  return publicNames() + lan.join('');
}

function cables({ name, internet, lan }: Place): string {
  const public_ = `link add ${name}-i type veth peer name eth0 netns ${name}\nlink set ${name}-i master internet up\n`;
  const private_ = `link add ${name}-l type veth peer name eth1 netns ${name}\nlink set ${name}-l master lan up\n`;
  return `netns add ${name}\n${internet ? public_ : ''}${lan ? private_ : ''}`;
}

/** Two bridges and a network namespace for each host; the operator has an address on the internet only. */
export async function connectHosts(places: readonly Place[]): Promise<void> {
  const bridges = `link add internet type bridge
link add lan type bridge
link set internet up
link set lan up
addr add ${OPERATOR}/24 dev internet
`;
  await writeFile(`${STATE}/network`, bridges + places.map(cables).join(''));
  await local`ip -batch ${STATE}/network`;
}

function unplugged({ name, internet, lan }: Place): string {
  // A namespace's own end of a cable goes some time after the namespace: the name would still be taken.
  return `${internet ? `link del ${name}-i\n` : ''}${lan ? `link del ${name}-l\n` : ''}netns del ${name}\n`;
}

/** Takes all of it down again. */
export async function disconnectHosts(places: readonly Place[]): Promise<void> {
  await writeFile(`${STATE}/network`, `${places.map(unplugged).join('')}link del internet\nlink del lan\n`);
  await local`ip -batch ${STATE}/network`;
}

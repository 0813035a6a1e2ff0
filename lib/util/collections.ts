/** What is the same on several hosts, to be told once. */

interface Alike<T> {
  readonly what: T;
  readonly hosts: readonly string[];
}

/** Each different thing once, in the order of its first appearance, with the hosts that have it. */
export function alike<T>(all: readonly (readonly [host: string, what: T])[]): readonly Alike<T>[] {
  const found = new Map<string, { what: T; hosts: string[] }>();
  for (const [host, what] of all) {
    const key = JSON.stringify(what);
    const same = found.get(key) ?? { what, hosts: [] };
    same.hosts.push(host);
    found.set(key, same);
  }
  return [...found.values()];
}

/** `192.168.1.100, 101, 102`: what addresses have in common is said once. */
export function shortList(hosts: readonly string[]): string {
  const network = (host = '') => /^(?:\d+\.){3}(?=\d+$)/.exec(host)?.[0];
  const short = (host: string, before: string | undefined) => {
    const common = network(host);
    return common !== undefined && common === network(before) ? host.slice(common.length) : host;
  };
  return hosts.map((host, i) => short(host, hosts[i - 1])).join(', ');
}

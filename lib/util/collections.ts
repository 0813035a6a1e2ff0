/** Groups hosts with identical values, shortens lists of hosts, and looks up keys in tables safely. */

interface Group<T> {
  readonly what: T;
  readonly hosts: readonly string[];
}

/** Each distinct value once, in order of first appearance, with its hosts. */
export function groupIdentical<T>(all: readonly (readonly [host: string, what: T])[]): readonly Group<T>[] {
  const found = new Map<string, { what: T; hosts: string[] }>();
  for (const [host, what] of all) {
    const key = JSON.stringify(what);
    const same = found.get(key) ?? { what, hosts: [] };
    same.hosts.push(host);
    found.set(key, same);
  }
  return [...found.values()];
}

/** `192.168.1.100, 101, 102`: a common network prefix is written once. */
export function shortHostList(hosts: readonly string[]): string {
  const network = (host = '') => /^(?:\d+\.){3}(?=\d+$)/.exec(host)?.[0];
  const short = (host: string, before: string | undefined) => {
    const common = network(host);
    return common !== undefined && common === network(before) ? host.slice(common.length) : host;
  };
  return hosts.map((host, i) => short(host, hosts[i - 1])).join(', ');
}

/** The entry of `table` for an untrusted key; inherited properties (`constructor`) do not count. */
export function lookUp<T>(table: Readonly<Record<string, T>>, word: string): T | undefined {
  return Object.hasOwn(table, word) ? table[word] : undefined;
}

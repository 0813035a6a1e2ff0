/** The ways to write a guarded path that a careless location would take for it, or for none of its business. */

/** Request targets, as they stand in a request line; `prefix` is such as `/ollama`. */
export function pathSpellings(prefix: string, list: string, serverName: string): readonly string[] {
  const name = prefix.slice(1);
  const plain = `${prefix}${list}`;
  const encodedFirst = `%${name.charCodeAt(0).toString(16)}${name.slice(1)}`;
  const backslashed = plain.slice(1).replaceAll('/', '\\');
  return [
    ...readAsPlain(plain, prefix, list, encodedFirst, serverName),
    ...otherPaths(name, list, backslashed),
  ];
}

/** nginx reads these as the plain path: the gate itself must answer. */
function readAsPlain(plain: string, prefix: string, list: string, encodedFirst: string, serverName: string) {
  return [
    `/${plain}`,
    `/.${plain}`,
    `/x/..${plain}`,
    `/x/%2e%2e${plain}`,
    `/x/..%2f${plain.slice(1)}`,
    `/${encodedFirst}${list}`,
    `${prefix}%2f${list.slice(1)}`,
    `/%2f${plain.slice(1)}`,
    `https://${serverName}${plain}`,
    `/anythingllm/..${plain}`,
    `/.well-known/acme-challenge/../..${plain}`,
    `${prefix}/`,
    `${prefix}/x.js`,
    `${plain}?access_token=no-such-bearer`,
  ];
}

/** nginx reads these as other paths: Ollama must not be behind them. */
function otherPaths(name: string, list: string, backslashed: string) {
  return [
    `/${name.toUpperCase()}${list}`,
    `/${name}%252f${list.slice(1)}`,
    `/${name};x${list}`,
    `/;/${name}${list}`,
    `/x/..;/${name}${list}`,
    `/${backslashed}`,
    `/${name}%5c${list.slice(1)}`,
    `/${name}%20${list}`,
    `/${name}%09${list}`,
    `/${name}.${list}`,
    `/${name}..${list}`,
    `/${name}%c0%af${list.slice(1)}`,
    // The full-width slash as raw UTF-8, a character a byte.
    `/${name}\xef\xbc\x8f${list.slice(1)}`,
    `/${name}%ef%bc%8f${list.slice(1)}`,
  ];
}

/** Alternative forms of a protected path, as paths and as raw requests: none may bypass the gate. */
import type { CheckTarget } from '../../model/check.ts';
import type { RawRequest } from '../http/raw-request.ts';
import type { Signature } from './answers.ts';

export interface Protected {
  /** The gate's path, such as `/api`; for a gate at the root of a host, the first segment of `list`. */
  readonly prefix: `/${string}`;
  /** The rest of the path of the model list, such as `/api/tags`. */
  readonly list: `/${string}`;
  /** The service behind the gate. */
  readonly service: string;
  /** Recognizes its responses; required if other services on the host answer, too. */
  readonly signature?: Signature;
  /** Paths of those services. */
  readonly others?: readonly string[];
}

/** Request targets as written in the request line: forms of the path `prefix` + `list`. */
export function bypassPaths(
  { prefix, list, others = [] }: Pick<Protected, 'prefix' | 'list' | 'others'>,
  serverName: string,
): readonly string[] {
  const name = prefix.slice(1);
  const plain = `${prefix}${list}`;
  const encodedFirst = `%${name.charCodeAt(0).toString(16)}${name.slice(1)}`;
  const backslashed = plain.slice(1).replaceAll('/', '\\');
  return [
    ...sameForNginx(plain, prefix, list, encodedFirst, serverName),
    ...others.map((other) => `${other}/..${plain}`),
    ...otherPaths(name, list, backslashed),
  ];
}

/** nginx normalizes these to the plain path, so the gate itself must answer. */
function sameForNginx(plain: string, prefix: string, list: string, encodedFirst: string, serverName: string) {
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
    `/.well-known/acme-challenge/../..${plain}`,
    `${prefix}/`,
    `${prefix}/x.js`,
    `${plain}?access_token=no-such-bearer`,
  ];
}

/** Different paths for nginx: they must not reach the backend. */
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
    // The full-width slash as raw UTF-8, one character per byte.
    `/${name}\xef\xbc\x8f${list.slice(1)}`,
    `/${name}%ef%bc%8f${list.slice(1)}`,
  ];
}

/** Connection must include `close` if the response is read to its end. */
const UPGRADES = {
  h2c: ['Connection: Upgrade, HTTP2-Settings, close', 'HTTP2-Settings: AAMAAABkAAQAAP__'],
  websocket: [
    'Connection: Upgrade, close',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  ],
} as const;

const END = 'Connection: close';

const lines = (...all: readonly string[]): string => `${all.join('\r\n')}\r\n\r\n`;

/** All raw requests for the path `plain`. */
export function rawRequests(plain: string, target: CheckTarget): readonly RawRequest[] {
  const start = [`GET ${plain} HTTP/1.1`, `Host: ${target.serverName}`];
  return [...oldAndUpgraded(plain, start), ...framed(start), ...misplaced(plain, start, target)];
}

function oldAndUpgraded(plain: string, start: readonly string[]): readonly RawRequest[] {
  const upgrades = Object.entries(UPGRADES).map(([name, headers]) => ({
    name: `Upgrade: ${name}`,
    text: lines(...start, `Upgrade: ${name}`, ...headers),
  }));
  return [
    { name: 'HTTP/1.0', text: lines(`GET ${plain} HTTP/1.0`, ...start.slice(1)) },
    { name: 'HTTP/0.9', text: `GET ${plain}\r\n` },
    ...upgrades,
  ];
}

function framed(start: readonly string[]): readonly RawRequest[] {
  const smuggled = `0\r\n\r\n${lines(...start, END)}`;
  const both = [`Content-Length: ${smuggled.length}`, 'Transfer-Encoding: chunked'];
  const outer = lines('POST / HTTP/1.1', ...start.slice(1), ...both);
  return [
    { name: 'two Host headers', text: lines(...start, 'Host: localhost', END) },
    { name: 'Content-Length with Transfer-Encoding', text: outer + smuggled },
  ];
}

/** The token is sent, but not in the Authorization header. */
function misplaced(plain: string, start: readonly string[], { token }: CheckTarget): readonly RawRequest[] {
  const bearer = `Bearer ${token?.reveal() ?? 'no-such-bearer'}`;
  const isSecret = token !== undefined;
  // The response to HEAD has no body: a list of models after it belongs to the second request.
  const first = lines(`HEAD ${plain} HTTP/1.1`, ...start.slice(1), `Authorization: ${bearer}`);
  return [
    { name: 'Proxy-Authorization', text: lines(...start, `Proxy-Authorization: ${bearer}`, END), isSecret },
    { name: 'a cookie', text: lines(...start, `Cookie: Authorization=${bearer}`, END), isSecret },
    {
      name: 'a second request after one with the token',
      text: first + lines(...start, END),
      isSecret,
      answers: 2,
    },
  ];
}

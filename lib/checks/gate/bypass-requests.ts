/** Requests without a bearer of their own, in ways that confuse a proxy. */
import type { CheckTarget } from '../../model/check.ts';

export interface RawRequest {
  readonly name: string;
  readonly text: string;
  /** It carries a bearer: only for whom the certificate names. */
  readonly isSecret?: boolean;
  /** How many answers there are when all are given; the last one is judged. */
  readonly answers?: number;
}

/** `close` must be among the words of Connection where the answer is to be read to its end. */
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

/** All of them, for the path `plain`. */
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
    { name: 'two Host lines', text: lines(...start, 'Host: localhost:11434', END) },
    { name: 'Content-Length beside Transfer-Encoding', text: outer + smuggled },
  ];
}

/** The bearer is there, but not where it counts. */
function misplaced(plain: string, start: readonly string[], { token }: CheckTarget): readonly RawRequest[] {
  const bearer = `Bearer ${token?.reveal() ?? 'no-such-bearer'}`;
  const isSecret = token !== undefined;
  // HEAD has no body in its answer: any list of models after it belongs to the second request.
  const first = lines(`HEAD ${plain} HTTP/1.1`, ...start.slice(1), `Authorization: ${bearer}`);
  return [
    { name: 'Proxy-Authorization', text: lines(...start, `Proxy-Authorization: ${bearer}`, END), isSecret },
    { name: 'a cookie', text: lines(...start, `Cookie: Authorization=${bearer}`, END), isSecret },
    {
      name: 'a second request after one with the bearer',
      text: first + lines(...start, END),
      isSecret,
      answers: 2,
    },
  ];
}

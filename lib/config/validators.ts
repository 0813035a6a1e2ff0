/** Validators of settings: text in, value out, or a description of valid values. */
import { resolve } from 'node:path';
import { judgeToken } from '../model/bearer.ts';
import { type Form, NO_BACKEND } from '../model/site.ts';
import { inHome } from '../util/home.ts';
import { isPublicAddress } from '../util/public-address.ts';
import { Secret } from '../util/secret.ts';

const when = <T>(ok: boolean, value: () => T): T | undefined => (ok ? value() : undefined);

const isIpv4 = (text: string): boolean =>
  /^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}$/.test(text) &&
  text.split('.').every((part) => Number(part) < 256);

/** The IPv4 address of a backend: dotted decimal, not unspecified, multicast or broadcast. */
export const ipv4: Form<string> = {
  wants: 'an IPv4 address such as 192.168.1.164, without port or mask',
  read: (text) => when(isIpv4(text) && !/^(0|22[4-9]|2[345]\d)\./.test(text), () => text),
};

// Letters, digits, inner hyphens (RFC 1123), and underscores, which are used in LANs.
const isHostName = (text: string): boolean =>
  text.length <= 253 &&
  text.split('.').every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label));

// The resolver parses numbers as an address, even in hexadecimal: 0x7f.1 is 127.0.0.1 (inet_aton(3)).
const isNumbers = (text: string): boolean => /^(\d+|0x[\da-f]+|\.)+$/i.test(text);

const isHost = (text: string): boolean =>
  isNumbers(text) ? isIpv4(text) && text !== '0.0.0.0' : isHostName(text) || isIpv6(text);

const isIpv6 = (text: string): boolean => /^[0-9a-f:]+$/i.test(text) && URL.canParse(`http://[${text}]/`);

/** A host by name or address; names are lowercased. */
export const host: Form<string> = {
  wants: 'a host name or an address, without scheme, port, path or user',
  read: (text) => when(isHost(text), () => text.toLowerCase()),
};

/** Several hosts, separated by commas, each named once. */
export const hosts: Form<readonly string[]> = {
  wants: 'host names or addresses separated by commas, each named once',
  read: (text) => {
    const list = text.split(',').map((item) => item.replace(/^ +| +$/g, '').toLowerCase());
    return when(list.every(isHost) && new Set(list).size === list.length, () => list);
  },
};

/** A public DNS name, as used in certificates. */
export const publicName: Form<string> = {
  wants: 'a public DNS name such as ai.example.org',
  read: (text) =>
    when(
      // It becomes part of file names, which are limited to 255 bytes.
      text.length <= 200 && isHostName(text) && /\.[a-z][a-z0-9-]*$/i.test(text) && !text.includes('_'),
      () => text.toLowerCase(),
    ),
};

/** A public DNS name, or a public IPv4 address. */
export const publicNameOrAddress: Form<string> = {
  wants: 'a public DNS name such as ai.example.org, or a public IPv4 address',
  read: (text) => (ipv4.read(text) !== undefined && isPublicAddress(text) ? text : publicName.read(text)),
};

/** A site's name, as in the names of its files. */
export const siteName: Form<string> = {
  wants: 'the name of a site',
  read: (text) => when(/^[a-z0-9][a-z0-9._-]{0,199}$/i.test(text), () => text),
};

/** A login name. */
export const user: Form<string> = {
  wants: 'a login name: letters, digits, dot, hyphen, underscore, not beginning with a hyphen',
  read: (text) => when(/^[a-z0-9_][a-z0-9._-]{0,63}$/i.test(text), () => text),
};

/** A port. */
export const port: Form<number> = {
  wants: 'a port number from 1 to 65535',
  read: (text) => when(/^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65535, () => Number(text)),
};

/** A path on this machine; `~/` is the home directory, relative paths start at the current directory. */
export const path: Form<string> = {
  wants: 'the path of a file on this machine',
  read: (text) => when(text !== '' && [...text].every((c) => c >= ' '), () => resolve(inHome(text))),
};

/** An https URL, as text. */
export const url: Form<string> = {
  wants: 'an https URL',
  read: (text) => when(URL.canParse(text) && text.startsWith('https://') && !/\s/.test(text), () => text),
};

/** An e-mail address, valid enough for an ACME account; certbot would take a leading hyphen for an option. */
export const email: Form<string> = {
  wants: 'an e-mail address',
  read: (text) => when(/^(?!-)[^\s@"'\\]+@[^\s@"'\\]+\.[a-z0-9-]+$/i.test(text), () => text),
};

/** A bearer token of the gate. */
export const token: Form<Secret> = {
  wants: '16 to 512 printable ASCII characters without quotes or backslash, hard to guess',
  read: (text) => when(judgeToken(text) === undefined, () => new Secret(text)),
  problem: judgeToken,
  secret: true,
};

const isEndpoint = (text: string): boolean => {
  const [address = '', portText] = text.split(':', 2);
  const isWhole = text === (portText === undefined ? address : `${address}:${portText}`);
  return (
    isWhole &&
    ipv4.read(address) !== undefined &&
    (portText === undefined || port.read(portText) !== undefined)
  );
};

/** Several backends, separated by commas, each named once. */
export const endpoints: Form<readonly string[]> = {
  wants: 'IPv4 addresses separated by commas, each with :PORT if it is not the usual one, each named once',
  read: (text) => {
    const list = text.split(',').map((item) => item.trim());
    return when(list.every(isEndpoint) && new Set(list).size === list.length, () => list);
  },
};

/** One backend, or none. */
export const endpointOrNone: Form<string> = {
  wants: 'an IPv4 address, with :PORT if it is not the usual one, or none',
  read: (text) => when(text === NO_BACKEND || isEndpoint(text), () => text),
};

/** Origins of pages, as browsers send them: scheme, host, port unless it is the default, no path. */
export const origins: Form<readonly string[]> = {
  wants:
    'origins separated by commas, each exactly as the browser sends it, such as https://chat.example.org or http://localhost:3000',
  read: (text) => {
    const list = text.split(',').map((item) => item.trim());
    return when(list.every(isOrigin) && new Set(list).size === list.length, () => list);
  },
};

// Browsers serialize origins in lowercase and without the default port; extensions and apps have their own schemes (RFC
// 6454).
function isOrigin(text: string): boolean {
  if (!/^[a-z][a-z0-9+.-]*:\/\/[a-z0-9._[\]:-]+$/.test(text)) return false;
  if (!/^https?:/.test(text)) return true;
  return URL.canParse(text) && new URL(text).origin === text;
}

/** One of these words. */
export const oneOf = <T extends string>(words: readonly T[]): Form<T> => ({
  wants: `one of ${words.join(', ')}`,
  read: (text) => words.find((word) => word === text),
});

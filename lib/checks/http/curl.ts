/** The curl line that does by hand what a check does. */
import { isIPv6 } from 'node:net';
import type { CheckTarget } from '../../model/check.ts';
import { type RequestOptions, urlOf } from './request.ts';

/** `options` are shell words as a person types them. */
export function curl(target: CheckTarget, request: RequestOptions, ...options: readonly string[]): string {
  return ['curl -sS', ...options, ...wayTo(target, request), `'${urlOf(target, request)}'`].join(' ');
}

/** The option that sends a bearer which the shell takes from the environment. */
export function bearerOption(variable: string): string {
  return `-H "Authorization: Bearer $${variable}"`;
}

function wayTo(
  { serverName, address, port = 443, httpPort = 80 }: CheckTarget,
  { scheme }: RequestOptions,
): string[] {
  const [from, to] = scheme === 'http' ? [80, httpPort] : [443, port];
  if (address === undefined && from === to) return [];
  const host = address ?? serverName;
  return [`--connect-to ${bracketed(serverName)}:${from}:${bracketed(host)}:${to}`];
}

function bracketed(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}

/** The curl command that repeats a check manually. */
import { isIPv6 } from 'node:net';
import type { CheckTarget } from '../../model/check.ts';
import { type RequestOptions, urlOf } from './request.ts';

/** `options` are shell words, already quoted. */
export function curl(target: CheckTarget, request: RequestOptions, ...options: readonly string[]): string {
  return ['curl -sS', ...options, ...connectOption(target, request), `'${urlOf(target, request)}'`].join(' ');
}

/** The option that sends a token, which the shell reads from the environment. */
export function bearerOption(variable: string): string {
  return `-H "Authorization: Bearer $${variable}"`;
}

function connectOption(
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

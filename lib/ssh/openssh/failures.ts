/** ssh's messages -> the errors that the ssh2 transport reports for the same failures. */
import { SshError } from '../../util/errors.ts';
import type { Hop } from '../hops.ts';
import {
  commandError,
  dialError,
  handshakeError,
  keyFileError,
  lostError,
  openError,
  openTimeout,
  type Stage,
} from '../ssh-errors.ts';
import { missedKeepalives } from './arguments.ts';

/** The jump host, and the log of its connection. */
interface Before {
  readonly hop: Hop;
  readonly log: () => string;
}

/** What the login was waiting for when it timed out, or `ended`. */
export type Late = 'ended' | 'stream' | 'hop';

/** A failed attempt to connect. */
interface Attempt {
  readonly hop: Hop;
  /** The output of ssh -v. */
  readonly log: string;
  readonly before: Before | undefined;
  readonly late: Late;
  /** The exit status. */
  readonly code: number | null;
}

/** Whether the jump host has opened the stream to the next hop. */
export const wasOpened = (log: string): boolean =>
  /mux_client_request_stdio_fwd: master session id/.test(log);

const NOT_FOUND = 127;

/** Why a login failed; `host key` if ssh rejected that. */
export function connectError({ hop, log, before, late, code }: Attempt): SshError | 'host key' {
  if (code === NOT_FOUND) return noProgram(hop);
  const noSocket = messagesOf(log).find((each) => /^(mkdir: |unix_listener: |.*ControlPath)/.test(each));
  if (noSocket) return socketError(hop, noSocket);
  if (before && late === 'stream') return openTimeout(before.hop, hop);
  if (before && /^Stdio forwarding request failed/m.test(log)) return refusedStream(before, hop);
  if (/^Host key verification failed/m.test(log)) return 'host key';
  return dialFailure(hop, log) ?? keyFailure(hop, log) ?? handshakeFailure(hop, log, late);
}

const noProgram = (hop: Hop) =>
  new SshError(
    hop.label,
    'there is no ssh program in PATH',
    'Install OpenSSH (package openssh-client), or set SSH_TRANSPORT=ssh2.',
  );

const socketError = (hop: Hop, words: string) =>
  new SshError(
    hop.label,
    `no socket for the connection could be made: ${words}`,
    'No connection was made. Set TMPDIR to a folder that you can write to.',
  );

const CODES: readonly (readonly [words: RegExp, code: string])[] = [
  [/Temporary failure in name resolution|Could not resolve hostname .*: Try again/, 'EAI_AGAIN'],
  [/Could not resolve hostname/, 'ENOTFOUND'],
  [/connect to (host|address) .*: Connection refused/, 'ECONNREFUSED'],
  [/connect to (host|address) .*: (Connection|Operation) timed out/, 'ETIMEDOUT'],
  [/connect to (host|address) .*: (No route to host|Network is unreachable)/, 'EHOSTUNREACH'],
  [/connect to (host|address) .*: Connection reset/, 'ECONNRESET'],
];

/** Debug lines report each address; only ssh's last error counts. */
function dialFailure(hop: Hop, log: string): SshError | undefined {
  const message = messagesOf(log).find((line) => /^ssh: /.test(line));
  if (message === undefined) return undefined;
  const code = CODES.find(([words]) => words.test(message))?.[1];
  return dialError(hop, Object.assign(new Error(message.replace(/^ssh: /, '')), code && { code }));
}

/** The jump host's reason for not opening a stream. */
function refusedStream(before: Before, next: Hop): SshError {
  return openError(before.hop, next, refusal(before.log(), next.host, next.port));
}

/** The logged reason for the last failed stream to an address (RFC 4254, 5.1). */
export function refusal(log: string, host: string, port: number): Error & { reason?: unknown } {
  const lines = log.split('\n');
  const requestLine = lines.findLastIndex((line) =>
    line.endsWith(`channel_connect_stdio_fwd: ${host}:${port}`),
  );
  const channel = /debug1: channel (\d+): new/.exec(
    lines.slice(requestLine + 1).find((line) => /: channel \d+: new/.test(line)) ?? '',
  );
  const failed = new RegExp(`^channel ${channel?.[1] ?? '\\d+'}: open failed: ([^:]+)(?:: (.*))?`);
  const [, kind = '', words = ''] =
    lines
      .slice(requestLine + 1)
      .map((line) => failed.exec(line.trim()))
      .find(Boolean) ?? [];
  const prohibited = /prohibited/.test(kind);
  return Object.assign(new Error(words || kind || 'the stream was refused'), prohibited && { reason: 1 });
}

/** The key file that ssh reports as unusable, if the operator set it. ssh may still have tried others. */
function keyFailure(hop: Hop, log: string): SshError | undefined {
  if (!hop.keyIsExplicit || !/Permission denied \(/.test(log)) return undefined;
  const [path = ''] = hop.keys;
  const [, why] = /^(?:Load key ".*"|Warning: Identity file .* not accessible): (.*)$/m.exec(log) ?? [];
  if (why !== undefined) return keyFileError(hop, path, why);
  // ssh offers the public half of an encrypted key, then fails to sign.
  const isAccepted = log.includes(`Server accepts key: ${path} `);
  return isAccepted ? keyFileError(hop, path, 'incorrect passphrase') : undefined;
}

function handshakeFailure(hop: Hop, log: string, late: Late): SshError {
  const messages = messagesOf(log);
  const stage = stageOf(log);
  const timedOut = late === 'hop' || /^Connection (to .* )?timed out/m.test(log);
  const level = timedOut
    ? 'client-timeout'
    : /Permission denied \(/.test(log)
      ? 'client-authentication'
      : undefined;
  return handshakeError(hop, stage, Object.assign(new Error(reasonIn(messages)), level && { level }));
}

/** In ssh2's wording, which the failure table matches. */
function reasonIn(messages: readonly string[]): string {
  const text =
    messages.find((line) => /no matching|Too many authentication failures/.test(line)) ??
    messages.at(-1) ??
    '';
  const [, kind] = /no matching (.*) found/.exec(text) ?? [];
  if (kind) return `no matching ${TYPES[kind] ?? kind} (${text.replace(/^.*found\. /, '')})`;
  if (/Connection closed by/.test(text)) return 'closed by the other side';
  return /reset by peer|Connection reset by/.test(text)
    ? 'connection reset'
    : text || 'ssh ended without a word';
}

const TYPES: Readonly<Record<string, string>> = {
  'key exchange method': 'key exchange algorithm',
  'host key type': 'host key format',
  cipher: 'C->S cipher',
  MAC: 'C->S MAC',
};

const BANNER =
  /^debug1: (?:kex_exchange_identification|ssh_exchange_identification): banner line \d+: (.*)$/m;

function stageOf(log: string): Stage {
  const [, methods = ''] = /Permission denied \(([^)]*)\)/.exec(log) ?? [];
  const [isSsh, software = ''] =
    /^debug1: Remote protocol version \S+, remote software version (.*)$/m.exec(log) ?? [];
  return {
    firstBytes: isSsh ? `SSH-2.0-${software}` : (BANNER.exec(log)?.[1] ?? ''),
    handshake: /SSH2_MSG_NEWKEYS received/.test(log),
    offered: offeredIn(log),
    accepts: methods ? methods.split(',') : ['publickey'],
    skipped: [],
  };
}

const offeredIn = (log: string): readonly string[] =>
  [...log.matchAll(/^debug1: Offering public key: (.*)$/gm)].map(([, text = '']) => describeKey(text));

/** Converts `PATH TYPE SHA256:… [explicit] [agent]` to the ssh2 transport's form. */
function describeKey(text: string): string {
  const [, path, type = '', print, how = ''] = /^(.*) (\S+) (SHA256:\S+)(.*)$/.exec(text) ?? [];
  return print ? `${KEY_TYPES[type] ?? type} ${print} (${/\bagent\b/.test(how) ? 'agent' : path})` : text;
}

const KEY_TYPES: Readonly<Record<string, string>> = {
  ED25519: 'ssh-ed25519',
  RSA: 'ssh-rsa',
  'ED25519-SK': 'sk-ssh-ed25519@openssh.com',
};

/** ssh's messages without those of -v. */
export const messagesOf = (log: string): readonly string[] =>
  log
    .split('\n')
    .map((line) => line.trim())
    .filter(
      (line) => line !== '' && !/^(debug\d: |OpenSSH_|Authenticated to |Warning: Permanently)/.test(line),
    );

/** Why an established connection ended. */
export function goneError(hop: Hop, log: string, depth: number): SshError {
  const missed = missedKeepalives(depth);
  const after = log.slice(Math.max(0, log.indexOf('Authenticated to ')));
  if (/^Timeout, server .* not responding/m.test(after))
    return lostError(hop, Object.assign(new Error('timeout'), { level: 'client-timeout' }), missed);
  if (/Connection reset by peer|Broken pipe/.test(after))
    return lostError(hop, Object.assign(new Error('reset'), { code: 'ECONNRESET' }), missed);
  return lostError(hop, undefined, missed);
}

/** Why a host did not run a command. */
export const refusedCommand = (hop: Hop, log: string): SshError => {
  const words =
    messagesOf(log).findLast((line) => /open failed/.test(line)) ?? 'session open refused by peer';
  return commandError(hop, new Error(words.replace(/^channel \d+: /, '')));
};

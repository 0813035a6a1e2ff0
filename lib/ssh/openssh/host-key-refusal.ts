/**
 * Why OpenSSH rejected a host key. ssh does not print the key; the error needs it for the line to add to known_hosts.
 */
import { SshError } from '../../util/errors.ts';
import { $ } from '../../util/shell.ts';
import type { Hop } from '../hops.ts';
import { hostKeyCheck, hostKeyError } from '../host-key.ts';
import { LIMITS } from '../timeouts.ts';
import { masterArguments, type Route } from './arguments.ts';
import { messagesOf } from './failures.ts';

/** ssh runs this with the key that the host presented (ssh_config(5), KnownHostsCommand); it returns no known keys. */
const SHOW_KEY = `KnownHostsCommand=/bin/sh -c 'echo "gatepost-key $1" >&2' sh %K`;

/** The error for the key, judged by the same known_hosts files. @param log ssh's output when it rejected the key */
export async function hostKeyRefusal(hop: Hop, route: Route, log: string): Promise<SshError> {
  const key = await presentedKey(hop, route);
  if (!key) return inOpensshWords(hop, log);
  try {
    const verdict = (await hostKeyCheck(hop)).judge(key);
    if (verdict.kind === 'match') return inOpensshWords(hop, log);
    // ssh has checked the authority: the host has no valid certificate from it.
    return hostKeyError(
      hop,
      key,
      verdict.kind === 'unknown' ? { kind: 'unknown' } : verdict,
      certificateProblem(log),
    );
  } catch (error) {
    return error instanceof SshError ? error : inOpensshWords(hop, log);
  }
}

/** Connects again, only to get the host's key; no login is attempted. */
async function presentedKey(hop: Hop, route: Route): Promise<Buffer | undefined> {
  const args = ['-o', SHOW_KEY, ...masterArguments(hop, route, 'none')];
  const signal = AbortSignal.timeout(LIMITS.hop);
  const { stderr } = await $({
    nothrow: true,
    signal,
    detached: true,
  })`exec ssh ${args} </dev/null >/dev/null`;
  const shown = [...stderr.matchAll(/^gatepost-key (\S+)\r?$/gm)].map(([, blob = '']) =>
    Buffer.from(blob, 'base64'),
  );
  return shown.findLast((blob) => !/-cert-v/.test(blob.toString('latin1', 4, 60)));
}

const certificateProblem = (log: string): string | undefined =>
  /^Certificate invalid: (.*)$/m.exec(log)?.[1] ?? /Host certificate .*: (.*)$/m.exec(log)?.[1];

/** For rejections that only OpenSSH can explain: a revocation list, a command of the operator's. */
function inOpensshWords(hop: Hop, log: string): SshError {
  const [, print = ''] = /^debug1: Server host key: (.*)$/m.exec(log) ?? [];
  const words = messagesOf(log).filter((line) => !/^@|Host key verification failed/.test(line));
  const kind = /REVOKED|revoked/.test(log) ? 'revoked' : /HAS CHANGED/.test(log) ? 'changed' : 'unknown';
  return new SshError(
    hop.label,
    `host key ${kind}: ${hop.host} presented ${print}; ssh says: ${words.slice(-2).join(' ')}`,
    `No login was attempted. Compare the fingerprint with the one on the host, then log in once manually: \`ssh -p ${hop.port} ${hop.user}@${hop.name ?? hop.host}\``,
  );
}

/** What an SSH configuration says about host keys, beside known_hosts (ssh_config(5)). */
import { directive, type HostConfig } from './ssh-config.ts';

export interface HostKeyRules {
  /** HostKeyAlgorithms, if the SSH configuration was read. */
  readonly hostKeyAlgorithms?: readonly string[];
  /** RevokedHostKeys: a file. */
  readonly revokedHostKeys?: string;
  /** RequiredRSASize, in bits. */
  readonly requiredRsaSize?: number;
  /** CheckHostIP. */
  readonly checksAddress?: boolean;
  /** What is set to accept keys that are not known; it is not followed. */
  readonly lenientHostKeys?: readonly string[];
}

/** Directives that make OpenSSH accept a key that is not known, and their values that do not. */
const LENIENT: Readonly<Record<string, RegExp>> = {
  StrictHostKeyChecking: /^(yes|true|ask)$/,
  NoHostAuthenticationForLocalhost: /^no$/,
  VerifyHostKeyDNS: /^(no|false)$/,
};

/** @param expand replaces tokens in a path */
export function hostKeyRules(config: HostConfig | undefined, expand: (path: string) => string): HostKeyRules {
  const algorithms = directive(config, 'hostkeyalgorithms');
  const revoked = directive(config, 'revokedhostkeys');
  const size = directive(config, 'requiredrsasize');
  const lenient = Object.entries(LENIENT).flatMap(([name, strict]) => {
    const value = directive(config, name.toLowerCase());
    return value === undefined || strict.test(value) ? [] : [`${name} ${value}`];
  });
  return {
    ...(algorithms && { hostKeyAlgorithms: algorithms.split(',') }),
    ...(revoked && { revokedHostKeys: expand(revoked) }),
    ...(size && { requiredRsaSize: Number(size) }),
    ...(directive(config, 'checkhostip') === 'yes' && { checksAddress: true }),
    ...(lenient.length > 0 && { lenientHostKeys: lenient }),
  };
}

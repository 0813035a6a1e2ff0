/** Directives of an SSH configuration about host keys, in addition to known_hosts (ssh_config(5)). */
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
  /** Directives that accept unknown keys; they are reported but not followed. */
  readonly lenientHostKeys?: readonly string[];
}

/** Directives that make OpenSSH accept unknown keys, and their strict values. */
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

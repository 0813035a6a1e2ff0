/** Features of an SSH configuration that ssh2 lacks. */
import { existsSync } from 'node:fs';

/** All values of a directive, as `ssh -G` prints them. */
type Directives = (name: string) => readonly string[];

/** ssh2's algorithms by directive; if none are in common, only OpenSSH can connect. */
const ALGORITHMS: Readonly<Record<string, RegExp>> = {
  kexalgorithms: /^(curve25519-sha256|ecdh-sha2-nistp\d+|diffie-hellman-group)/,
  hostkeyalgorithms: /^(ssh-ed25519|ecdsa-sha2-nistp\d+|rsa-sha2-(256|512))$/,
  pubkeyacceptedalgorithms: /^(ssh-ed25519|ecdsa-sha2-nistp\d+|rsa-sha2-(256|512))$/,
  ciphers: /^(aes(128|256)-gcm@openssh\.com|aes\d+-ctr|chacha20-poly1305@openssh\.com)$/,
};

/** Directives that ssh2 cannot follow, and their harmless values. */
const DIRECTIVES: Readonly<Record<string, RegExp>> = {
  CertificateFile: /^none$/,
  PKCS11Provider: /^none$/,
  SecurityKeyProvider: /^(internal|\$SSH_SK_PROVIDER|none)$/,
  KnownHostsCommand: /^none$/,
  VerifyHostKeyDNS: /^(no|false)$/,
  ProxyUseFdpass: /^no$/,
  HostbasedAuthentication: /^no$/,
  BindAddress: /^none$/,
  BindInterface: /^none$/,
};

/**
 * The features that a host's SSH configuration requires and ssh2 lacks, as written in ssh_config(5).
 * @param hasTicket whether there is a Kerberos ticket: GSSAPIAuthentication alone is no sign, since some systems set it
 * for everyone
 */
export function beyondSsh2(all: Directives, hasTicket: () => boolean): readonly string[] {
  const set = Object.entries(DIRECTIVES).flatMap(([name, off]) => {
    const value = all(name.toLowerCase()).find((each) => !off.test(each));
    return value === undefined ? [] : [`${name} ${value}`];
  });
  const unsupported = Object.entries(ALGORITHMS).flatMap(([name, supported]) => {
    const list = all(name).flatMap((value) => value.split(','));
    return list.length === 0 || list.some((each) => supported.test(each)) ? [] : [`${name} ${list[0]}`];
  });
  const [methods] = all('preferredauthentications');
  const otherMethods = methods?.split(',').includes('publickey') === false;
  const gssapi = all('gssapiauthentication').includes('yes') && hasTicket();
  return [
    ...set,
    ...unsupported,
    ...(gssapi ? ['GSSAPIAuthentication yes, and a Kerberos ticket'] : []),
    ...(otherMethods ? [`PreferredAuthentications ${methods}`] : []),
  ];
}

/**
 * Whether there is a Kerberos credential cache, which only a login creates (krb5.conf(5), default_ccache_name).
 * @param setting KRB5CCNAME
 */
export function hasKerberosTicket(setting: string | undefined): boolean {
  const name = setting || `/tmp/krb5cc_${process.getuid?.()}`;
  return /^(?!FILE:)[A-Z]+:/.test(name) || existsSync(name.replace(/^FILE:/, ''));
}

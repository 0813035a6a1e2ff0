/** What an SSH configuration can ask for that ssh2 cannot do. */
import { existsSync } from 'node:fs';

/** All values of a directive, as `ssh -G` prints them. */
type Directives = (name: string) => readonly string[];

/** Algorithms of ssh2 by directive; none of them in common means that only OpenSSH can connect. */
const ALGORITHMS: Readonly<Record<string, RegExp>> = {
  kexalgorithms: /^(curve25519-sha256|ecdh-sha2-nistp\d+|diffie-hellman-group)/,
  hostkeyalgorithms: /^(ssh-ed25519|ecdsa-sha2-nistp\d+|rsa-sha2-(256|512))$/,
  pubkeyacceptedalgorithms: /^(ssh-ed25519|ecdsa-sha2-nistp\d+|rsa-sha2-(256|512))$/,
  ciphers: /^(aes(128|256)-gcm@openssh\.com|aes\d+-ctr|chacha20-poly1305@openssh\.com)$/,
};

/** Directives that ssh2 cannot follow, with the values that do not ask for them. */
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
 * What the SSH configuration of a host asks for that ssh2 cannot do, in the words of ssh_config(5).
 * @param hasTicket is there a Kerberos ticket? GSSAPIAuthentication alone says nothing: some systems set it for everyone
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
 * A Kerberos credential cache, which only a login makes (krb5.conf(5), default_ccache_name).
 * @param setting KRB5CCNAME
 */
export function hasKerberosTicket(setting: string | undefined): boolean {
  const name = setting || `/tmp/krb5cc_${process.getuid?.()}`;
  return /^(?!FILE:)[A-Z]+:/.test(name) || existsSync(name.replace(/^FILE:/, ''));
}

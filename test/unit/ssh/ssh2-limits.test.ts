/** The conditions under which `auto` chooses the ssh program, from the output of the real `ssh -G`. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { whyUnusable } from '../../../lib/ssh/identity-files.ts';
import { parseHostConfig } from '../../../lib/ssh/ssh-config.ts';
import { beyondSsh2, hasKerberosTicket } from '../../../lib/ssh/ssh2-limits.ts';

/** The findings for these options. */
function found(options: readonly string[], hasTicket = false): readonly string[] {
  const args = ['-T', '-G', '-F', 'none', ...options.flatMap((each) => ['-o', each]), 'h'];
  const { directives } = parseHostConfig(execFileSync('ssh', args, { encoding: 'utf8', stdio: 'pipe' }));
  return beyondSsh2(
    (name) => directives.get(name) ?? [],
    () => hasTicket,
  );
}

describe('the SSH configuration', () => {
  it('needs nothing beyond ssh2 by default', () => {
    assert.deepEqual(found([]), []);
    assert.deepEqual(found(['CertificateFile=none', 'PKCS11Provider=none', 'KnownHostsCommand=none']), []);
  });

  for (const option of [
    'CertificateFile=/c',
    'PKCS11Provider=/p',
    'SecurityKeyProvider=/s',
    'KnownHostsCommand=/k',
    'VerifyHostKeyDNS=yes',
    'ProxyUseFdpass=yes',
    'HostbasedAuthentication=yes',
    'BindAddress=127.0.0.1',
    'KexAlgorithms=sntrup761x25519-sha512@openssh.com',
    'HostKeyAlgorithms=ssh-ed25519-cert-v01@openssh.com',
    'PreferredAuthentications=keyboard-interactive',
  ])
    it(`needs OpenSSH for ${option}`, () => {
      const [name = ''] = option.split('=');
      const [first = ''] = found([option]);
      assert.equal(first.split(' ')[0]?.toLowerCase(), name.toLowerCase());
    });

  it('needs GSSAPI only with a Kerberos ticket', () => {
    assert.deepEqual(found(['GSSAPIAuthentication=yes']), []);
    assert.equal(found(['GSSAPIAuthentication=yes'], true).length, 1);
    assert.deepEqual(found(['GSSAPIAuthentication=no'], true), []);
    assert.deepEqual(['FILE:/none', '/none', 'KCM:', 'FILE:/etc/passwd'].map(hasKerberosTicket), [
      false,
      false,
      true,
      true,
    ]);
  });
});

describe("an agent's path", () => {
  it('that belongs to Windows is refused on other systems with an explanation', () => {
    for (const path of ['\\\\.\\pipe\\openssh-ssh-agent', '\\.\\pipe\\openssh-ssh-agent']) {
      assert.match(whyUnusable(path, 'linux') ?? '', /named pipe of Windows/);
      assert.equal(whyUnusable(path, 'win32'), undefined);
    }
    assert.equal(whyUnusable('/run/agent', 'linux'), undefined);
  });
});

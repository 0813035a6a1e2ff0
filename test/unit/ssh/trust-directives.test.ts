/** Every directive of `ssh -G` that may affect trust is classified: what ssh rejects, gatepost must not accept. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

/** Followed by the ssh2 transport; the code of lib/ssh names each. */
const HONORED = `user hostname port host identityfile identityagent identitiesonly proxyjump proxycommand userknownhostsfile
  globalknownhostsfile hostkeyalias hostkeyalgorithms revokedhostkeys requiredrsasize checkhostip pubkeyacceptedalgorithms
  preferredauthentications`;

/** Never followed if lenient, or left to the ssh program; the code names each of these, too. */
const REFUSED = `stricthostkeychecking nohostauthenticationforlocalhost verifyhostkeydns knownhostscommand certificatefile
  pkcs11provider securitykeyprovider hostbasedauthentication gssapiauthentication kexalgorithms ciphers proxyusefdpass
  bindaddress bindinterface`;

/** Only restricts what is never used here, or decides nothing about trust. */
const HARMLESS = `casignaturealgorithms hashknownhosts updatehostkeys visualhostkey fingerprinthash addkeystoagent
  enablesshkeysign hostbasedacceptedalgorithms hostbasedkeytypes pubkeyauthentication passwordauthentication
  kbdinteractiveauthentication kbdinteractivedevices challengeresponseauthentication numberofpasswordprompts gssapidelegatecredentials
  gssapikeyexchange gssapikexalgorithms gssapirenewalforcesrekey gssapitrustdns gssapiclientidentity gssapiserveridentity
  canonicaldomains canonicalizehostname canonicalizefallbacklocal canonicalizemaxdots canonicalizepermittedcnames macs
  forkafterauthentication rekeylimit obscurekeystroketiming xauthlocation forwardx11trusted warnweakcrypto`;

const words = (text: string) => text.split(/\s+/);

/** Other versions of OpenSSH have other directives: these words identify the relevant ones. */
const MAY_DECIDE =
  /key|host|revoked|cert|trust|sign|algorithm|dns|canonical|auth|cipher|mac|crypto|identit|gssapi|pkcs|proxy/;

/** All directives of this ssh, including those that it prints only if they are set. */
function printed(): readonly string[] {
  const set = `HostKeyAlias=a RevokedHostKeys=/r KnownHostsCommand=/k CertificateFile=/c PKCS11Provider=/p IdentityAgent=/a
    PreferredAuthentications=publickey ProxyCommand=x BindAddress=127.0.0.1 BindInterface=lo`;
  const options = words(set).flatMap((each) => ['-o', each]);
  const text = execFileSync('ssh', ['-T', '-F', 'none', ...options, '-G', 'somewhere'], { encoding: 'utf8' });
  return [...new Set(text.split('\n').map((line) => (line.split(' ')[0] ?? '').toLowerCase()))].filter(
    Boolean,
  );
}

test('every directive of `ssh -G` that affects trust is honored, refused or harmless', () => {
  const known = new Set(words(`${HONORED} ${REFUSED} ${HARMLESS}`));
  const seen = printed();
  assert.ok(seen.includes('revokedhostkeys') && seen.length > 50, `${seen}`);
  const open = seen.filter((name) => MAY_DECIDE.test(name) && !known.has(name));
  assert.deepEqual(open, [], 'classify them here, and honor or refuse them in lib/ssh');
});

test('every honored or refused directive occurs in lib/ssh', () => {
  const files = readdirSync('lib/ssh').filter((name) => name.endsWith('.ts'));
  const code = files
    .map((name) => readFileSync(`lib/ssh/${name}`, 'utf8'))
    .join('\n')
    .toLowerCase();
  const missing = words(`${HONORED} ${REFUSED}`).filter((name) => !new RegExp(`\\b${name}\\b`).test(code));
  assert.deepEqual(missing, []);
});
